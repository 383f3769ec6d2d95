"""Traces, rates, breakdowns and calls out of the embedded store."""

from pathlib import Path

import pytest

from collectors.readers.store import StoreTelemetry
from collectors.readers.telemetry import Badness, Filter, TraceOrder, TraceQuery
from slo.errors import UsageError
from slo.model import Spans
from slo.units import Duration
from tests.stored_rows import (
    CARGO,
    HOUR,
    MS,
    NOON,
    SECOND,
    Row,
    asking,
    hours,
    opened,
    span,
)

WORKER: Row = {"component": "worker", "service": "ticketing-worker"}


def _telemetry(tmp_path: Path, *spans: Row) -> StoreTelemetry:
    return StoreTelemetry(opened(tmp_path, spans=spans))


def _nested() -> list[Row]:
    """A request of ticketing that calls its own worker and cargo, which calls back."""
    return [
        span(1, 0, 400, trace=9, route="/pay"),
        span(2, 0.01, 90, trace=9, parent=1, kind="client", peer="ticketing-worker"),
        span(3, 0.02, 80, trace=9, parent=2, **WORKER),
        span(4, 0.12, 250, trace=9, parent=1, kind="client", peer="cargo-api", status="error"),
        span(5, 0.13, 240, trace=9, parent=4, status="error", **CARGO),
        span(6, 0.14, 20, trace=9, parent=5, kind="client", **CARGO),
        span(7, 0.15, 10, trace=9, parent=6, route="/back"),
    ]


def test_a_trace_is_listed_once_by_the_span_that_entered_the_app(tmp_path: Path) -> None:
    """Calls inside the app do not enter it; spans are counted within the app."""
    found = _telemetry(tmp_path, *_nested()).traces(TraceQuery(where=asking())).value
    assert [f"{1:016x}"] == found["span_id"].tolist()
    assert [5] == found["spans"].tolist()
    expected = (
        "trace_id span_id time duration name service component route method http_status status "
        "version pod spans"
    )
    assert expected == " ".join(found.columns)


def test_traces_by_duration_by_failure_and_by_time(tmp_path: Path) -> None:
    """Conditions are of the entry span; durations hold their lower bound."""
    telemetry = _telemetry(
        tmp_path,
        *(span(n, n, 100 * n, status="error" if n == 2 else "ok") for n in range(1, 6)),
    )

    def numbers(**more: object) -> list[int]:
        query = TraceQuery(where=asking(), **more)  # type: ignore[arg-type] # passed on
        return [int(each, 16) for each in telemetry.traces(query).value["span_id"]]

    assert [5, 4, 3, 2, 1] == numbers()
    assert [5, 4] == numbers(order=TraceOrder.SLOWEST, limit=2)
    assert [2] == numbers(failed=True)
    assert [3, 2] == numbers(at_least=200 * MS, below=400 * MS)


def test_a_whole_trace_has_the_spans_of_every_app(tmp_path: Path) -> None:
    """And nothing of other traces, however far apart its spans were stored."""
    telemetry = _telemetry(tmp_path, *_nested(), span(99))
    found = telemetry.trace(f"{9:032x}", None).value
    assert [1, 2, 3, 4, 5, 6, 7] == [int(each, 16) for each in found["span_id"]]
    assert {"ticketing", "cargo"} == set(found["app"])
    near = telemetry.trace(f"{9:032x}", hours(0.5, 0.6)).value
    assert 7 == len(near), "a trace may begin an hour before the range"
    assert telemetry.trace(f"{9:032x}", hours(2, 3)).value.empty


def test_the_heatmap_counts_entry_spans_by_their_weight(tmp_path: Path) -> None:
    """A duration on a bound is in the bucket above it."""
    telemetry = _telemetry(
        tmp_path,
        span(1, 0, 9),
        span(2, 1, 10, weight=4.0),
        span(3, 2, 500, status="error", weight=2.0),
        span(4, 40, 20),
        span(5, 41, 20, kind="client", parent=4, trace=4),
    )
    asked = TraceQuery(where=asking(range_=hours(0, 1 / 60)))
    found = telemetry.heatmap(asked, 2, [10 * MS, 100 * MS]).value
    assert [
        (NOON, 0, 1, 0),
        (NOON, 1, 4, 0),
        (NOON, 2, 2, 2),
        (NOON + 30 * SECOND, 1, 1, 0),
    ] == [tuple(row) for row in found.itertuples(index=False)]
    slow = TraceQuery(where=asking(range_=hours(0, 1 / 60)), at_least=100 * MS)
    assert 2 == telemetry.heatmap(slow, 2, [10 * MS]).value["count"].sum()


def test_rates_errors_and_durations_by_route(tmp_path: Path) -> None:
    """Each key in each slice; what has no route has the empty key."""
    spans = [
        span(n, n, 10 * (n + 1), route=("/pay", "/seats", None)[n % 3], status="unset")
        for n in range(30)
    ]
    spans[0] = {**spans[0], "status": "error", "weight": 10.0}
    found = _telemetry(tmp_path, *spans).red(asking(), "route", 1).value
    assert ["", "/pay", "/seats"] == found["key"].tolist()
    assert [10, 19, 10] == found["count"].tolist()
    assert [0, 10, 0] == found["errors"].tolist()
    assert 145 * MS == found["p50"][1], "the middle of 10, 40, … 280 ms"


def test_what_spans_do_not_have_cannot_tell_them_apart(tmp_path: Path) -> None:
    """A wrong column is the asker's mistake, and never SQL."""
    with pytest.raises(UsageError, match="route; DROP"):
        _telemetry(tmp_path, span(1)).red(asking(), "route; DROP", 1)


def test_bad_requests_by_every_combination(tmp_path: Path) -> None:
    """Totals are weighted, samples counted, and an example is the newest bad one."""
    spans = [
        *(span(n, n, route="/pay", version="2", status="error", weight=2.0) for n in range(1, 4)),
        *(span(n, n, route="/pay", version="1") for n in range(10, 15)),
        span(20, 20, route=None, version="2"),
    ]
    found = _telemetry(tmp_path, *spans).breakdown(asking(), Badness(), ["route", "version"])
    first = found.value.iloc[0].to_dict()
    assert {
        "route": "/pay",
        "version": "2",
        "total": 6,
        "bad": 6,
        "sampled_total": 3,
        "sampled_bad": 3,
        "trace_id": f"{3:032x}",
        "time": NOON + 3 * SECOND,
    } == first
    assert 12 == found.value["total"].sum()
    assert 6 == found.value["bad"].sum()


def test_the_dependency_of_a_failing_request_is_the_call_that_failed(tmp_path: Path) -> None:
    """Of a slow one it is the call that took most of its time; of others there is none."""
    spans = [
        span(1, 0, 400, status="error"),
        span(2, 0, 300, trace=1, parent=1, kind="client", peer="postgresql/orders"),
        span(3, 0, 50, trace=1, parent=1, kind="client", peer="loyalty-api", status="error"),
        span(4, 1, 400),
        span(5, 1, 300, trace=4, parent=4, kind="client", peer="postgresql/orders"),
        span(6, 2, 400),
        span(7, 2, 30, trace=6, parent=6, kind="client", peer="postgresql/orders"),
    ]
    bad = Badness(error=True, slower_than=350 * MS)
    found = _telemetry(tmp_path, *spans).breakdown(asking(), bad, ["dependency"]).value
    by = dict(zip(found["dependency"].fillna("none"), found["bad"], strict=True))
    assert {"loyalty-api": 1, "postgresql/orders": 1, "none": 1} == by


def test_an_operation_counts_its_own_spans(tmp_path: Path) -> None:
    """An indicator over one operation counts it wherever it is called from."""
    spans = [
        span(1, 0, 400, name="POST /pay"),
        span(2, 0, 1200, trace=1, parent=1, kind="internal", name="charge"),
        span(3, 1, 10, name="charge", service="other"),
    ]
    bad = Badness.of(
        Spans(service="ticketing-api", operation="charge", slower_than=Duration.parse("1s"))
    )
    found = _telemetry(tmp_path, *spans).breakdown(asking(), bad, ()).value
    assert [(1, 1, 1, 1)] == list(
        found[["total", "bad", "sampled_total", "sampled_bad"]].itertuples(index=False, name=None)
    )


def test_a_breakdown_of_nothing_is_zero_or_empty(tmp_path: Path) -> None:
    """No requests give no combination with a number."""
    found = _telemetry(tmp_path).breakdown(asking(), Badness(), ()).value
    assert 0 == found["sampled_total"].sum()
    assert _telemetry(tmp_path).breakdown(asking(), Badness(), ["route"]).value.empty


def _calls() -> list[Row]:
    """Ticketing calls cargo, a database and a topic that loyalty reads; payments calls it."""
    loyalty: Row = {"app": "loyalty", "env": "prod", "service": "loyalty-worker"}
    payments: Row = {"app": "payments", "env": "prod", "service": "payments-api"}
    return [
        *_nested(),
        span(10, 1, 7, kind="client", peer="postgresql/orders", peer_kind="database"),
        span(11, 2, 3, kind="producer", peer="kafka/bookings", peer_kind="messaging"),
        span(12, 3, 9, kind="consumer", peer="kafka/bookings", peer_kind="messaging", **loyalty),
        span(20, 4, 50, trace=20, kind="client", peer="ticketing-api", weight=3.0, **payments),
        span(21, 4, 40, trace=20, parent=20),
    ]


def test_calls_lead_to_who_answered_or_to_what_was_named(tmp_path: Path) -> None:
    """Messaging links run from the producer to the topic and from there to its readers."""
    found = _telemetry(tmp_path, *_calls()).edges(None, hours()).value
    edges = {
        (row["source"], row["target"]): (row["target_kind"], row["count"], row["errors"])
        for row in found.to_dict("records")
    }
    assert {
        ("ticketing-api", "ticketing-worker"): ("service", 1, 0),
        ("ticketing-api", "cargo-api"): ("service", 1, 1),
        ("cargo-api", "ticketing-api"): ("service", 1, 0),
        ("ticketing-api", "postgresql/orders"): ("database", 1, 0),
        ("ticketing-api", "kafka/bookings"): ("messaging", 1, 0),
        ("kafka/bookings", "loyalty-worker"): ("service", 1, 0),
        ("payments-api", "ticketing-api"): ("service", 3, 0),
    } == edges
    assert [HOUR / SECOND] == found["seconds"].unique().tolist()
    owners = found.set_index(["source", "target"])
    assert "cargo" == owners.loc[("ticketing-api", "cargo-api"), "target_app"]
    assert 7 * MS == owners.loc[("ticketing-api", "postgresql/orders"), "p50"]


def test_the_edges_of_an_app_are_those_it_calls_and_those_that_call_it(tmp_path: Path) -> None:
    """And nobody else's, nor another environment's."""
    telemetry = _telemetry(tmp_path, *_calls())
    found = telemetry.edges(asking("cargo"), hours()).value
    assert {("ticketing-api", "cargo-api"), ("cargo-api", "ticketing-api")} == set(
        zip(found["source"], found["target"], strict=True)
    )
    assert telemetry.edges(asking("cargo", env="staging"), hours()).value.empty


def test_filters_of_spans_look_into_attributes_and_resources(tmp_path: Path) -> None:
    """By column, by a name with dots, and by absence."""
    telemetry = _telemetry(
        tmp_path,
        span(1, attributes='{"user.plan":"gold"}', resource='{"cloud.region":"eu"}', pod="a"),
        span(2, attributes='{"user.plan":"free"}', pod="b"),
        span(3),
    )

    def count(*filters: Filter) -> int:
        return len(telemetry.traces(TraceQuery(where=asking(filters=filters))).value)

    assert 1 == count(Filter(field="attributes.user.plan", value="gold"))
    assert 1 == count(Filter(field="resource.cloud.region", value="eu"))
    assert 2 == count(Filter(field="pod", value=None, negated=True))
    assert 0 == count(Filter(field="attributes.user.plan", value="gold' OR '1'='1"))
