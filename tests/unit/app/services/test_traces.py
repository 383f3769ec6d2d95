"""Traces as waterfalls, heatmaps and exemplars, for those who may see them."""

import json
from pathlib import Path

import pytest

from app.access import OPEN, Forbidden, Role, Scope
from app.services import traces
from app.services.waterfall import Bar, Place, waterfall
from app.services.world import World
from collectors.readers.telemetry import TraceQuery, Where
from collectors.signals import Signal
from collectors.store import StoreWriter
from slo.errors import SourceUnavailable, UsageError
from tests.servers.loopback import Loopback, Reply
from tests.stored_rows import CARGO, MS, NOON, SECOND, Row, hours, rows_of, sample, span
from tests.unit.app.services import airline
from tests.unit.app.services.airline import TIA
from tests.unit.app.services.installation import install


def _bar(name: str, start: int, end: int, parent: str | None = None) -> Bar:
    return Bar(id=name, parent=parent, start=start, end=end)


def _critical(*bars: Bar) -> str:
    return "".join(bar.id for bar, at in zip(bars, waterfall(bars), strict=True) if at.critical)


def test_children_stand_under_their_parents_by_start() -> None:
    """Depth and order are those of an indented list; own time is what no child covers."""
    bars = [
        _bar("c", 50, 80, "a"),
        _bar("a", 0, 100),
        _bar("b", 10, 40, "a"),
        _bar("d", 20, 30, "b"),
    ]
    assert (
        Place(depth=1, order=3, self_time=30, critical=True),
        Place(depth=0, order=0, self_time=40, critical=True),
        Place(depth=1, order=1, self_time=20, critical=True),
        Place(depth=2, order=2, self_time=10, critical=True),
    ) == waterfall(bars)


def test_the_critical_path_goes_back_from_the_end() -> None:
    """Of calls side by side the last to end was waited for; what ran beside it was not."""
    root = _bar("r", 0, 100)
    assert "rxz" == _critical(
        root, _bar("x", 0, 40, "r"), _bar("y", 5, 30, "r"), _bar("z", 40, 95, "r")
    )
    assert "rs" == _critical(root, _bar("f", 10, 60, "r"), _bar("s", 10, 90, "r"))


def test_what_goes_on_after_its_parent_was_not_waited_for() -> None:
    """A consumer outlives the producer; a clock that is a little ahead does not."""
    root = _bar("r", 0, 100)
    assert "r" == _critical(root, _bar("late", 90, 500, "r"))
    assert "rc" == _critical(root, _bar("c", 20, 101, "r"))


def test_own_time_counts_overlapping_children_once() -> None:
    """And nothing of them outside the span."""
    bars = [_bar("r", 0, 100), _bar("a", 10, 60, "r"), _bar("b", 40, 130, "r")]
    assert 10 == waterfall(bars)[0].self_time


def test_broken_parents_lose_no_span() -> None:
    """Spans whose parent is missing, themselves, or each other, and a number that comes twice."""
    bars = [
        _bar("lost", 0, 10, "gone"),
        _bar("self", 1, 5, "self"),
        _bar("a", 2, 9, "b"),
        _bar("b", 3, 8, "a"),
        _bar("a", 4, 6, "b"),
    ]
    places = waterfall(bars)
    assert [0, 1, 2, 3, 4] == sorted(each.order for each in places)
    assert (0, 1) == (places[2].depth, places[3].depth)
    assert () == waterfall([])


def test_a_very_deep_trace_is_drawn() -> None:
    """A chain of thousands of calls is no recursion."""
    bars = [_bar("0", 0, 10_000)]
    bars += [_bar(str(n), n, 10_000 - n, str(n - 1)) for n in range(1, 4000)]
    assert 3999 == max(each.depth for each in waterfall(bars))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A request of ticketing that cargo answers, in two environments, and a stranger's span."""
    world = airline.opened(tmp_path)
    rows: list[Row] = [
        span(1, 0, 400, trace=9, attributes='{"user":"u1"}'),
        span(2, 0.1, 250, trace=9, parent=1, kind="client", peer="cargo-api"),
        span(3, 0.12, 200, trace=9, parent=2, name="secret route", **CARGO),
        span(4, 0.13, 100, trace=9, parent=3, kind="client", peer="cargo-db", **CARGO),
        span(5, 0.14, 10, trace=9, parent=4, app=None, env=None, component=None, service="pg"),
        span(6, 0.01, 5, trace=9, parent=1, kind="internal", env="staging"),
        span(7, 10, 90, trace=10, **CARGO),
    ]
    _store(world, Signal.SPANS, rows)
    return world


def _store(world: World, signal: Signal, rows: list[Row]) -> None:
    assert world.store is not None
    with StoreWriter(world.store) as writer:
        writer.append(signal, rows_of(signal, rows))


def test_a_trace_has_every_span_for_whoever_sees_everything(world: World) -> None:
    """In the order of the picture, with nothing hidden."""
    found = traces.trace(world, OPEN, "ticketing", f"{9:032X}").value
    assert [1, 6, 2, 3, 4, 5] == [int(each, 16) for each in found["span_id"]]
    assert [0, 1, 1, 2, 3, 4] == found["depth"].tolist()
    assert not found["hidden"].any()
    assert [True, True, True, True, True, True] == found["critical"].tolist()
    assert 400 * MS - 250 * MS - 5 * MS == found["self_time"][0]


def test_spans_of_others_keep_their_place_and_nothing_else(world: World) -> None:
    """Whoever sees ticketing only gets bars without names."""
    found = traces.trace(world, TIA, "ticketing", f"{9:032x}").value
    assert [False, False, False, True, True, True] == found["hidden"].tolist()
    hidden = found[found["hidden"]]
    assert [200 * MS, 100 * MS, 10 * MS] == hidden["duration"].tolist()
    kept = {"span_id", "parent_id", "time", "end", "duration", "kind"}
    added = {"depth", "self_time", "critical", "order", "hidden"}
    assert hidden.drop(columns=[*kept, *added]).isna().all().all()
    assert "secret" not in found.to_csv()
    assert "cargo-api" == found["peer"][2], "what the own call names is one's own"


def test_spans_of_another_environment_are_hidden_as_well(world: World) -> None:
    """Production may be seen, staging not."""
    scope = Scope(apps=frozenset({"ticketing"}), environments=frozenset({"prod"}))
    found = traces.trace(world, scope, "ticketing", f"{9:032x}").value
    assert 4 == found["hidden"].sum()


def test_a_trace_of_somebody_else_is_as_empty_as_none(world: World) -> None:
    """A trace's number is no key to another app's data."""
    theirs = traces.trace(world, TIA, "ticketing", f"{10:032x}")
    nobodys = traces.trace(world, TIA, "ticketing", f"{77:032x}")
    assert theirs.value.empty
    assert nobodys.value.empty
    assert ("no span of ticketing in this trace",) == theirs.notes == nobodys.notes
    assert list(theirs.value.columns) == list(nobodys.value.columns)


def test_the_heatmap_says_what_its_rows_mean(world: World) -> None:
    """Each cell has its bounds; the bounds grow evenly."""
    asked = TraceQuery(where=Where(app="ticketing", range=hours(), env="prod"))
    found = traces.heatmap(world, OPEN, asked, 10).value
    assert ["time", "bucket", "low", "high", "count", "errors"] == list(found.columns)
    assert [(NOON, 300 * MS, 500 * MS, 1)] == [
        (row["time"], row["low"], row["high"], row["count"]) for row in found.to_dict("records")
    ]
    ratios = [b / a for a, b in zip(traces.BOUNDS, traces.BOUNDS[1:], strict=False)]
    assert min(ratios) >= 1.2
    assert max(ratios) < 1.7
    assert (MS, 60_000 * MS) == (traces.BOUNDS[0], traces.BOUNDS[-1])


def test_the_slowest_spans_of_all_have_no_upper_bound(tmp_path: Path) -> None:
    """They are in the last row, which is open."""
    world = airline.opened(tmp_path)
    _store(world, Signal.SPANS, [span(1, 0, 90_000), span(2, 1, 0.2)])
    asked = TraceQuery(where=Where(app="ticketing", range=hours(), env="prod"))
    found = traces.heatmap(world, OPEN, asked, 1).value
    assert [0, 60_000 * MS] == found["low"].tolist()
    assert [False, True] == found["high"].isna().tolist()


def test_scope_comes_before_everything(world: World) -> None:
    """Forbidden is said of apps that are not there, too."""
    for app in ("cargo", "nonsense"):
        with pytest.raises(Forbidden):
            traces.trace(world, TIA, app, "00")
        with pytest.raises(Forbidden):
            traces.traces(world, TIA, TraceQuery(where=Where(app=app, range=hours())))
    with pytest.raises(Forbidden):
        traces.heatmap(world, TIA, TraceQuery(where=Where(app=None, range=hours())))
    with pytest.raises(UsageError, match='did you mean "ticketing"'):
        traces.trace(world, OPEN, "tiketing", "00")
    staging = Scope(apps=frozenset({"ticketing"}), environments=frozenset({"staging"}))
    with pytest.raises(Forbidden):
        traces.traces(world, staging, TraceQuery(where=Where(app="ticketing", range=hours())))


def test_all_environments_are_those_that_may_be_seen(world: World) -> None:
    """Asking for all does not reach beyond one's own."""
    scope = Scope(apps=frozenset({"ticketing"}), environments=frozenset({"prod"}))
    query = TraceQuery(where=Where(app="ticketing", range=hours()))
    assert 1 == len(traces.traces(world, scope, query).value)


def test_without_a_source_of_traces_it_is_said_what_would_do(tmp_path: Path) -> None:
    """Prometheus has no traces."""
    text = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {name: test}
spec:
  apps: [apps]
  sources: {prometheus: {eu: {url: "http://127.0.0.1:9"}}}
"""
    world = install(tmp_path, workspace=text, apps=airline.APPS, store=False)
    query = TraceQuery(where=Where(app="ticketing", range=hours(), env="prod"))
    with pytest.raises(SourceUnavailable, match="no source of this workspace holds traces"):
        traces.traces(world, OPEN, query)


def test_exemplars_of_the_store_are_the_apps_own(tmp_path: Path) -> None:
    """Another app's series of the same name do not answer."""
    world = airline.opened(tmp_path)
    told = json.dumps([{"time": NOON + SECOND, "value": 0.4, "traceId": "ab"}])
    rows = [
        sample("hits_total", 1, 1, {"job": "ticketing"}, exemplars=told),
        sample("hits_total", 1, 1, {"job": "cargo"}, exemplars=told, **CARGO),
    ]
    _store(world, Signal.METRICS, rows)
    found = traces.exemplars(world, TIA, "ticketing", "prod", "hits_total", hours())
    assert [("ab", "ticketing")] == [(one.trace_id, one.labels["job"]) for one in found.value]
    assert ("store", ()) == (found.source, found.partial)
    with pytest.raises(UsageError, match="no selector"):
        traces.exemplars(world, TIA, "ticketing", "prod", "sum(hits_total)", hours())


ANSWER = {
    "status": "success",
    "data": [
        {
            "seriesLabels": {"__name__": "hits_total", "job": "ticketing"},
            "exemplars": [
                {"labels": {"trace_id": "AB12"}, "value": "0.5", "timestamp": 1760011260.25},
                {"labels": {"other": "x"}, "value": "0.5", "timestamp": 1760011261},
            ],
        }
    ],
}


def _on_prometheus(tmp_path: Path, url: str) -> World:
    text = f"""\
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: test}}
spec:
  apps: [apps]
  sources: {{prometheus: {{eu: {{url: "{url}", retries: 0}}}}}}
"""
    return install(tmp_path, workspace=text, apps=airline.APPS, store=False)


def test_exemplars_of_prometheus_are_asked_of_its_own_api(tmp_path: Path) -> None:
    """With the range, and only those that name a trace come back."""
    with Loopback([Reply(body=json.dumps(ANSWER).encode())]) as server:
        world = _on_prometheus(tmp_path, server.url)
        selector = 'hits_total{job="ticketing",code="500"}'
        found = traces.exemplars(world, TIA, "ticketing", "prod", selector, hours())
        asked = server.asked[0]
    assert [("ab12", NOON + 60_250 * MS, 0.5)] == [
        (one.trace_id, one.time, one.value) for one in found.value
    ]
    assert "/api/v1/query_exemplars" == asked.path
    assert ("1760011200.000", "1760014800.000") == (asked.form["start"], asked.form["end"])
    assert selector == asked.form["query"]
    assert "prometheus/eu" == found.source


def test_a_prometheus_is_asked_by_developers_for_their_own_series_only(tmp_path: Path) -> None:
    """It does not know whose series are: what no indicator of the app selects is refused."""
    with Loopback([Reply(body=json.dumps(ANSWER).encode())]) as server:
        world = _on_prometheus(tmp_path, server.url)
        for selector in ('hits_total{job="cargo"}', "hits_total", "other_total"):
            with pytest.raises(Forbidden):
                traces.exemplars(world, TIA, "ticketing", "prod", selector, hours())
        assert [] == server.asked
        admin = Scope(role=Role.ADMIN)
        assert 1 == len(
            traces.exemplars(world, admin, "ticketing", "prod", "hits_total", hours()).value
        )


def test_a_prometheus_that_answers_something_else_is_a_failed_source(tmp_path: Path) -> None:
    """An answer of another shape is no empty answer."""
    with Loopback([Reply(body=b'{"status":"success","data":[{"exemplars":3}]}')]) as server:
        world = _on_prometheus(tmp_path, server.url)
        with pytest.raises(SourceUnavailable, match="shape of exemplars"):
            traces.exemplars(world, OPEN, "ticketing", "prod", "hits_total", hours())
