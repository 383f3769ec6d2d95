"""What the reader decides before and beside its queries."""

from datetime import UTC, datetime, timedelta

import pytest

from collectors.readers.prometheus import PrometheusReader
from collectors.readers.prometheus.legs import chunks, present, scope
from slo.model import Logs, Measure, SloKey, Spans
from slo.ports import NoData, NoDataReason
from slo.promql import Query, parse_query
from slo.units import Duration
from tests.contract.levels import level, source, windows
from tests.servers.loopback import Loopback, Reply, envelope, result

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("measure", "kind"),
    [(Logs(query="a", bad="b"), "logs"), (Spans(service="api", bad_error=True), "spans")],
)
@pytest.mark.parametrize("mode", ["auto", "recorded", "raw"])
def test_logs_and_spans_are_not_asked_of_prometheus(measure: Measure, kind: str, mode: str) -> None:
    """They say so at once, and the levels beside them are read."""
    stranger, neighbour = level("stranger", measure=measure), level("neighbour")
    with Loopback([result([])]) as server:
        reader = PrometheusReader(source(server.url), mode=mode)
        assert [] == list(reader.read([], windows("5m"), AT))
        alone = reader.read([stranger], windows("5m"), AT)
        assert [] == server.asked
        both = reader.read([stranger, neighbour], windows("5m"), AT)
    period = alone[stranger.key].period
    assert isinstance(period, NoData)
    assert NoDataReason.UNSUPPORTED is period.reason
    assert f"an indicator of {kind} cannot be computed from Prometheus" in period.detail
    assert {stranger.key, neighbour.key} == set(both)


def test_too_many_replicas_are_a_mistake_in_the_labels() -> None:
    """A label with a value per pod tells no replicas apart."""
    one = level()
    with Loopback([envelope([f"pod-{number}" for number in range(9)])]) as server:
        reader = PrometheusReader(source(server.url, replica_labels=("pod",)), mode="raw")
        period = reader.read([one], (), AT)[one.key].period
    assert isinstance(period, NoData)
    assert "9 combinations" in period.detail


def test_an_unknown_mode_is_an_error() -> None:
    """Nothing is read by default instead."""
    with pytest.raises(ValueError, match="rwa"):
        PrometheusReader(source("http://127.0.0.1:9"), mode="rwa")


def test_raw_slots_end_at_the_instant_and_cover_the_period() -> None:
    """8,640 slots of a month, none twice, at most 2,000 in one query."""
    one = level()
    fresh = {"metric": {}, "values": [[AT.timestamp(), "1"]]}
    with Loopback([result([fresh], "matrix")]) as server:
        PrometheusReader(source(server.url), mode="raw").read([one], (), AT)
        asked = [
            (float(each.form["start"]), float(each.form["end"]))
            for each in server.asked[1:]
            if each.form["query"] == server.asked[0].form["query"]
        ]
        assert {"300"} == set(server.forms("step"))
    slots = [
        int(start + k * 300) for start, end in asked for k in range(int((end - start) / 300) + 1)
    ]
    assert max(end - start for start, end in asked) <= 1999 * 300
    assert [AT.timestamp() - k * 300 for k in range(8640)] == sorted(slots, reverse=True)


def test_the_deadline_holds_for_all_queries_together() -> None:
    """Many slow answers, each within its timeout, are too slow."""
    slow = Reply(body=result([], "matrix").body, delay=0.3)
    with Loopback([slow]) as server:
        reader = PrometheusReader(
            source(server.url, timeout="10s"), mode="raw", deadline=Duration.parse("1s")
        )
        began = datetime.now(UTC)
        levels = [level(f"slo-{n}") for n in range(20)]
        readings = reader.read(levels, (), AT)
        assert datetime.now(UTC) - began < timedelta(seconds=4)
        assert len(server.asked) <= 6
    last = readings[levels[-1].key].period
    assert isinstance(last, NoData)
    assert NoDataReason.SOURCE_FAILED is last.reason


def test_queries_are_promql_even_for_hostile_names() -> None:
    """No name ends a string or starts a pattern."""
    keys = [
        SloKey(app='"} or vector(1) #', env=".*", slo='a",env=~".*'),
        SloKey(app="b|c", env="x\\", slo="(a+)+$"),
    ]
    for some in (keys, keys[:1]):
        found = parse_query(present(some, windows("5m"), shards=False))
        assert isinstance(found, Query), found
    names = {matcher.name: matcher.value for matcher in scope(keys)}
    assert '"\\} or vector\\(1\\) #|b\\|c' == names["app"]


def test_a_thousand_applications_are_cut_into_a_few_queries() -> None:
    """Every level in exactly one of them."""
    levels = [level(app=f"application-{n:04}") for n in range(1000)]
    cut = list(chunks(levels))
    assert len(cut) <= 4
    assert sorted(each.key for each in levels) == [each.key for part in cut for each in part]
