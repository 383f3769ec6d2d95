"""Service levels that another product counts, in the console's and the API's services."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.access import OPEN
from app.evaluator.plan import levels_here
from app.project import open_project
from app.services import evaluations, metrics
from app.services.evaluations import burn_downs
from app.services.fleet import fleet
from app.services.judging import judged, spread_counts
from app.services.opening import open_world
from app.services.world import World
from collectors.readers.external.opening import open_adapter
from collectors.readers.prometheus import Clock
from collectors.readers.telemetry import TimeRange
from slo.errors import SourceUnavailable
from slo.evaluate import State
from slo.ports import Counts
from slo.units import Duration
from slo.workspace import EXTERNAL_KINDS, ExternalSource
from tests.servers.loopback import Loopback, Reply
from tests.servers.rising_datadog import datadog

AT = datetime(2026, 11, 21, 12, 37, tzinfo=UTC)
KEYS = {"DD_API_KEY": "one", "DD_APP_KEY": "two"}
APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  slos:
    - name: availability
      objective: 99
      indicator:
        source: datadog
        events: {total: "sum:hits{*}.as_count()", bad: "sum:errors{*}.as_count()"}
"""
HEALTHY = datadog({"hits": 2, "errors": 0.005})


def installed(folder: Path, url: str, *, store: str | None = None) -> World:
    """An installation whose only source is Datadog."""
    (folder / "ticketing.yaml").write_text(APP)
    (folder / "headroom.yaml").write_text(
        "apiVersion: headroom/v1\nkind: Workspace\n"
        f"spec: {{sources: {{datadog: {{eu: {{url: '{url}', retries: 0}}}}}}}}\n"
    )
    project = open_project([str(folder)], environment={}, store=store)
    return open_world(project, environ=KEYS)


def span(end: datetime, length: timedelta) -> TimeRange:
    """A range up to a moment."""
    last = round(end.timestamp()) * 1_000_000_000
    return TimeRange(start=last - round(length.total_seconds()) * 1_000_000_000, end=last)


def test_a_budget_and_its_burn_down_are_what_datadog_counts(tmp_path: Path) -> None:
    """The last step of the picture is the budget that is left."""
    with Loopback([HEALTHY]) as server:
        world = installed(tmp_path, server.url)
        levels = world.project.catalog.levels()
        (one,) = evaluations(world.project, levels, AT, environ=KEYS)
        pictures = burn_downs(world.project, [one], AT, environ=KEYS)
    total = 2 * Fraction(30 * 86400 + 35 * 60)
    assert (Counts(total=total, bad=total / 400), State.OK) == (one.counts, one.state)
    assert one.budget is not None
    assert (10, one.budget.remaining) == (len(pictures[one.key]), pictures[one.key][-1])


@pytest.mark.parametrize(
    ("length", "rows", "step"),
    [
        (timedelta(hours=6), 72, timedelta(minutes=5)),
        (timedelta(days=3), 288, timedelta(minutes=15)),
        (timedelta(days=7), 168, timedelta(hours=1)),
        (timedelta(days=14), 168, timedelta(hours=2)),
    ],
)
def test_a_chart_is_of_slots_or_of_whole_hours(
    tmp_path: Path, length: timedelta, rows: int, step: timedelta
) -> None:
    """It ends with the last whole one, and its rates are per second."""
    with Loopback([HEALTHY]) as server:
        world = installed(tmp_path, server.url)
        key = ("ticketing", "prod", "availability")
        answer = metrics.indicator_series(world, OPEN, *key, span(AT, length))
    frame = answer.value
    assert ("datadog/eu", ()) == (answer.source, answer.partial)
    assert {rows} == {len(frame), frame["time"].nunique()}
    assert {round(step.total_seconds()) * 1_000_000_000} == set(frame["time"].diff().dropna())
    last = int(frame["time"].iloc[-1]) // 1_000_000_000
    assert 0 == last % step.total_seconds()
    assert AT.timestamp() - step.total_seconds() < last <= AT.timestamp()
    assert ({2.0}, {0.005}) == (set(frame["total_rate"]), set(frame["bad_rate"]))


def test_the_fleet_shows_it_and_says_what_fails(tmp_path: Path) -> None:
    """A product that is down takes no page along."""
    with Loopback([HEALTHY]) as server:
        row = fleet(installed(tmp_path, server.url), OPEN, AT).value.iloc[0]
    assert ("availability", "ok") == (row["slo"], row["state"])
    with Loopback([Reply(status=500)]) as server:
        row = fleet(installed(tmp_path, server.url), OPEN, AT).value.iloc[0]
    assert "no_data" == row["state"]
    assert "datadog/eu" in row["note"]


def test_a_store_in_the_place_of_all_sources_does_not_have_it(tmp_path: Path) -> None:
    """Nor is it evaluated over the store, whatever the store holds."""
    from collectors.store import StoreWriter  # noqa: PLC0415 - the other tests need no store

    with StoreWriter(tmp_path / "store"):
        pass
    with Loopback([HEALTHY]) as server:
        world = installed(tmp_path, server.url, store=str(tmp_path / "store"))
        levels = world.project.catalog.levels()
        (one,) = evaluations(world.project, levels, AT, environ=KEYS)
        with pytest.raises(SourceUnavailable, match="is not asked here"):
            metrics.indicator_series(
                world, OPEN, "ticketing", "prod", "availability", span(AT, timedelta(hours=1))
            )
        assert [] == server.asked
    assert one.no_data is not None
    assert "unsupported" == one.no_data.reason
    assert () == levels_here(world.project)


@pytest.mark.parametrize("kind", EXTERNAL_KINDS)
def test_every_kind_of_source_can_be_opened(kind: str) -> None:
    """Nothing is sent before something is asked."""
    with Loopback([Reply()]) as server:
        source = ExternalSource(
            kind=kind,
            name="main",
            url=server.url,
            timeout=Duration.of(seconds=1),
            lag=Duration.of(minutes=5),
            settings={"region": "eu-west-1", "account": "1", "organization": "acme"},
        )
        assert f"{kind}/main" == open_adapter(source, {}, Clock()).reference
        assert [] == server.asked


def test_pages_of_the_same_five_minutes_ask_a_product_once(tmp_path: Path) -> None:
    """Requests cost, and its numbers come in steps of five minutes; the next step is asked for."""
    with Loopback([HEALTHY]) as server:
        world = installed(tmp_path, server.url)
        levels = world.project.catalog.levels()
        first = datetime(2026, 11, 21, 12, 35, 1, tzinfo=UTC)
        judged(world, levels, first)
        asked = len(server.asked)
        (again,) = judged(world, levels, first + timedelta(minutes=4))
        assert 0 < asked == len(server.asked)
        spread_counts(world, [again], first + timedelta(minutes=4), steps=10)
        pictured = len(server.asked)
        spread_counts(world, [again], first + timedelta(minutes=4, seconds=50), steps=10)
        assert (first.replace(second=0), pictured) == (again.reading.at, len(server.asked))
        judged(world, levels, first + timedelta(minutes=5))
        assert pictured < len(server.asked)
