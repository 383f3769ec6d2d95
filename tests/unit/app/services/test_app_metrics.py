"""Rates, errors and durations: of requests, of indicators, of components."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.access import OPEN, Forbidden
from app.services import metrics
from app.services.world import World
from collectors.readers.telemetry import TimeRange
from collectors.signals import Signal
from collectors.store import StoreWriter
from slo.errors import SourceUnavailable, UsageError
from tests.servers.loopback import Loopback, Reply, result
from tests.stored_rows import HOUR, NOON, SECOND, Row, hours, log, rows_of, sample, span
from tests.unit.app.services import airline
from tests.unit.app.services.airline import TIA
from tests.unit.app.services.installation import install

LOGGED = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  slos:
    - name: batches
      objective: 99
      window: 1d
      indicator: {logs: {query: "event: batch", bad: "level: error"}}
"""


def _store(world: World, signal: Signal, rows: list[Row]) -> World:
    assert world.store is not None
    with StoreWriter(world.store) as writer:
        writer.append(signal, rows_of(signal, rows))
    return world


def _hits(last: int = 7200) -> list[Row]:
    """Ten requests a second from noon on, a tenth of them bad in the second hour."""
    rows: list[Row] = []
    bad = 0.0
    for at in range(0, last + 1, 60):
        bad += 60 if at > 3600 else 0
        for code, value in (("200", at * 10.0 - bad), ("500", bad)):
            labels = {"job": "ticketing", "instance": "a", "code": code}
            rows.append(sample("hits_total", value, at, labels))
    return rows


def test_rates_are_per_second_of_what_the_range_holds(tmp_path: Path) -> None:
    """Also in the last slice, which may be cut."""
    world = airline.opened(tmp_path)
    _store(
        world,
        Signal.SPANS,
        [span(n, n, 10, status="error" if n < 10 else "ok", route="/pay") for n in range(100)],
    )
    range_ = TimeRange(start=NOON, end=NOON + 100 * SECOND)
    found = metrics.red(world, TIA, "ticketing", "prod", range_, by="route", slices=3).value
    assert [34, 33, 33] == found["count"].tolist()
    assert [1.02, 0.99, 0.99] == pytest.approx(found["rate"].tolist(), rel=1e-6)
    assert 10 / 34 == found["error_ratio"][0]
    assert {"/pay"} == set(found["key"])


def test_what_cannot_be_asked_is_said(tmp_path: Path) -> None:
    """Unknown dimensions, empty ranges, other apps."""
    world = airline.opened(tmp_path)
    with pytest.raises(UsageError, match='did you mean "route"'):
        metrics.red(world, OPEN, "ticketing", "prod", hours(), by="rout")
    with pytest.raises(UsageError):
        metrics.red(world, OPEN, "ticketing", "prod", hours(1, 1))
    with pytest.raises(Forbidden):
        metrics.red(world, TIA, "cargo", "prod", hours())
    with pytest.raises(Forbidden):
        metrics.components(world, TIA, "cargo", "prod", hours())
    with pytest.raises(Forbidden):
        metrics.indicator_series(world, TIA, "cargo", "prod", "hits", hours())
    with pytest.raises(UsageError, match='did you mean "hits"'):
        metrics.indicator_series(world, TIA, "ticketing", "prod", "hit", hours())
    assert metrics.red(world, OPEN, "ticketing", "prod", hours()).value.empty


@pytest.mark.parametrize("back", [1.5, 24, 24 * 7], ids=["fast", "slots", "sums of slots"])
def test_an_indicator_over_metrics_is_its_rate_at_every_zoom(tmp_path: Path, back: float) -> None:
    """Ten a second, a tenth of them bad, however long the range; silence before has no rows."""
    world = _store(airline.opened(tmp_path), Signal.METRICS, _hits())
    answer = metrics.indicator_series(world, TIA, "ticketing", "prod", "hits", hours(2 - back, 2))
    found = answer.value
    assert ["time", "total_rate", "bad_rate", "error_ratio"] == list(found.columns)
    assert NOON + 2 * HOUR == found["time"].max()
    assert found["time"].min() >= NOON
    last = found.iloc[-1]
    assert last["total_rate"] == pytest.approx(10, rel=0.01)
    assert last["error_ratio"] == pytest.approx(0.1, rel=0.01)
    assert len(found) <= 288
    assert "store" == answer.source
    assert "hits_total" in answer.query
    assert datetime.fromtimestamp(NOON / SECOND + 7200, UTC) == answer.observed_at


def test_an_indicator_over_spans_counts_them(tmp_path: Path) -> None:
    """Weighted by sampling; steps without any have no rows."""
    spans = [span(n, n, weight=2.0, status="error" if n % 4 == 0 else "ok") for n in range(1, 121)]
    world = _store(airline.opened(tmp_path), Signal.SPANS, spans)
    end = TimeRange(start=NOON - HOUR, end=NOON + 120 * SECOND)
    found = metrics.indicator_series(world, OPEN, "ticketing", "prod", "availability", end).value
    assert 4 == len(found)
    assert [2.0] * 4 == found["total_rate"].tolist()
    assert [0.25] * 4 == pytest.approx(found["error_ratio"].tolist(), abs=0.02)


def test_an_indicator_over_logs_counts_them(tmp_path: Path) -> None:
    """And says what it counted."""
    world = install(tmp_path, apps={"ticketing": LOGGED})
    lines = [log("x", n, event="batch", severity=17 if n < 20 else 9) for n in range(60)]
    _store(world, Signal.LOGS, [*lines, log("y", 5)])
    range_ = TimeRange(start=NOON - 1, end=NOON + 60 * SECOND - 1)
    answer = metrics.indicator_series(world, OPEN, "ticketing", "prod", "batches", range_)
    assert 60 == pytest.approx(answer.value["total_rate"].sum() * 30)
    assert 20 == pytest.approx(answer.value["bad_rate"].sum() * 30)
    assert "level: error of event: batch" == answer.query


def test_no_data_is_an_empty_series_and_not_zeros(tmp_path: Path) -> None:
    """Nothing known is nothing drawn."""
    answer = metrics.indicator_series(
        airline.opened(tmp_path), OPEN, "ticketing", "prod", "hits", hours()
    )
    assert answer.value.empty
    assert answer.observed_at is None


TWO = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: test}}
spec:
  apps: [apps]
  sources: {{prometheus: {{eu: {{url: "{eu}", retries: 0}}, us: {{url: "{us}", retries: 0}}}}}}
"""
CLUSTERED = airline.APPS["cargo"].replace(
    "{name: prod}",
    "{name: prod, clusters: "
    "[{name: eu, source: prometheus/eu}, {name: us, source: prometheus/us}]}",
)


def test_sources_add_up_and_one_that_fails_is_named(tmp_path: Path) -> None:
    """Partial is told from whole, and all of them failing is a failure."""
    points = [[NOON / SECOND + 3600, "4"]]
    good = result([{"metric": {}, "values": points}], "matrix")
    for place, (first, second) in enumerate(((good, good), (good, Reply(status=500)))):
        folder = tmp_path / str(place)
        folder.mkdir()
        with Loopback([first]) as eu, Loopback([second]) as us:
            text = TWO.format(eu=eu.url, us=us.url)
            world = install(folder, workspace=text, apps={"cargo": CLUSTERED}, store=False)
            answer = metrics.indicator_series(world, OPEN, "cargo", "prod", "hits", hours())
            assert [8.0 if place == 0 else 4.0] == answer.value["total_rate"].tolist()
            assert place == len(answer.partial)
    assert answer.partial[0].startswith("prometheus/us: ")
    folder = tmp_path / "none"
    folder.mkdir()
    with Loopback([Reply(status=500)]) as down:
        text = TWO.format(eu=down.url, us=down.url)
        world = install(folder, workspace=text, apps={"cargo": CLUSTERED}, store=False)
        with pytest.raises(SourceUnavailable):
            metrics.indicator_series(world, OPEN, "cargo", "prod", "hits", hours())


def test_components_are_listed_with_and_without_traffic(tmp_path: Path) -> None:
    """Nothing seen is NaN with a sentence; a host takes no requests."""
    world = airline.opened(tmp_path)
    _store(
        world,
        Signal.SPANS,
        [
            *(span(n, n, 10, status="error" if n == 1 else "ok") for n in range(1, 5)),
            span(
                9,
                1,
                3,
                trace=1,
                parent=1,
                kind="client",
                peer="redis/0",
                peer_kind="database",
                attributes='{"server.address":"ticketing-redis.internal"}',
            ),
        ],
    )
    _store(world, Signal.LOGS, [log("batch ran", component="legacy")])
    found = metrics.components(world, TIA, "ticketing", "prod", hours()).value
    assert list(found.columns) == [
        *("component", "kind", "address", "shared", "share", "rate", "error_ratio", "p99", "note")
    ]
    rows = found.set_index("component")
    assert ["api", "db", "front", "seats-cache", "legacy"] == found["component"].tolist()
    assert (4 / 3600, 0.25) == (rows.loc["api", "rate"], rows.loc["api", "error_ratio"])
    assert 1 / 3600 == rows.loc["seats-cache", "rate"], "found by its address"
    assert rows.loc[["db", "front", "legacy"], "rate"].isna().all()
    assert "a host takes no requests, log lines: 1" == rows.loc["legacy", "note"]
    assert "no requests seen" in str(rows.loc["front", "note"])
    assert [False, True, True, False, False] == found["shared"].tolist()
