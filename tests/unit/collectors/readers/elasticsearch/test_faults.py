"""What a cluster fails at is said, on every answer, and never taken for nothing."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.elastic.client import Cluster
from collectors.readers.elasticsearch import ElasticsearchCounts, ElasticsearchTelemetry
from collectors.readers.telemetry import Badness, LogQuery, TraceQuery
from slo.errors import SourceError, SourceTimeout, SourceUnavailable
from slo.model import Logs
from slo.ports import NoData, NoDataReason
from slo.units import Duration
from slo.workspace import ElasticsearchSource
from tests.contract.levels import level
from tests.servers.loopback import Asked, Loopback, Reply
from tests.stored_rows import NOON, SECOND, asking, hours

AT = datetime.fromtimestamp(NOON // SECOND + 3600, UTC)
FAILED_SHARD = {
    "total": 3,
    "successful": 2,
    "failed": 1,
    "failures": [{"reason": {"type": "x", "reason": "shard is red"}}],
}
WHOLE = {"total": 3, "successful": 3, "failed": 0}
PIECES: Mapping[str, Mapping[str, Any]] = {
    "ran out of time": {"timed_out": True, "_shards": WHOLE},
    "ended early": {"terminated_early": True, "_shards": WHOLE},
    "1 of 3 shards failed: shard is red": {"_shards": FAILED_SHARD},
}
LEVEL = level("busy", window="1d", measure=Logs(query="x", bad="y"))
WINDOWS = (Duration.parse("5m"), Duration.parse("1h"))


def answer(body: object, status: int = 200) -> Reply:
    """An answer of Elasticsearch."""
    headers = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
    return Reply(status=status, body=json.dumps(body).encode(), headers=headers)


def cluster(server: Loopback, timeout: str = "5s") -> Cluster:
    """A cluster at a server on loopback."""
    source = ElasticsearchSource(
        name="here",
        url=server.url,
        timeout=Duration.parse(timeout),
        layout="headroom",
        logs_indices=("logs-*",),
        traces_indices=("traces-*",),
    )
    return Cluster(source)


def caps() -> Reply:
    """Fields of a log stream and of a trace stream."""
    keyword = {"keyword": {"type": "keyword"}}
    names = ("labels.app", "service.environment", "trace.id", "span.id", "log.level")
    fields = {**dict.fromkeys(names, keyword), "message": {"text": {"type": "text"}}}
    return answer({"indices": ["one"], "fields": fields})


def playing(searched: Callable[[Asked], Reply]) -> Callable[[Asked], Reply]:
    """A cluster with fields, views, and one way to answer searches."""

    def play(asked: Asked) -> Reply:
        if asked.path.endswith("/_field_caps"):
            return caps()
        if asked.path.endswith("/_pit"):
            return answer({"id": "view", "succeeded": True})
        if "/_stats" in asked.path:
            return answer({"error": {"type": "denied"}, "status": 403}, 403)
        return searched(asked)

    return play


def found(more: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to any search: a hit, and every aggregation that is asked for."""
    hit = {
        "_source": {
            "@timestamp": "2025-10-09T12:00:01Z",
            "message": "seat",
            "labels": {"app": "ticketing"},
        },
        "sort": [1],
    }
    numbers = {"doc_count": 7, "bad": {"doc_count": 1}, "oldest": {"value": 1.76001120e12}}
    windows = {"windows": {"buckets": {"0": numbers, "1": numbers, "2": numbers}}}
    slot = {"key": 1760011200000, "doc_count": 7, "newest": {"value": 1760011201000.0}}
    at = {"value": 1760011201000.0}
    newest = {"newest": at}
    return {
        "timed_out": False,
        "hits": {"total": {"value": 1, "relation": "eq"}, "hits": [hit]},
        "aggregations": {
            "all": {**windows, **newest, "doc_count": 7, "first": at, "last": at},
            "slots": {"buckets": [slot]},
            "slices": {"buckets": []},
            "groups": {"buckets": []},
            **newest,
        },
        **more,
    }


def once_or_many(asked: Asked, more: Mapping[str, Any]) -> Reply:
    """Answer a search, or the several of one request."""
    if asked.path.endswith("/_msearch"):
        return answer({"responses": [found(more)]})
    return answer(found(more))


@pytest.mark.parametrize("text", PIECES)
def test_a_part_of_an_answer_is_partial(text: str) -> None:
    """Time that ran out, an early end, and failed shards are on the panel."""
    with Loopback([playing(lambda asked: once_or_many(asked, PIECES[text]))]) as server:
        reader = ElasticsearchTelemetry(cluster(server))
        answers = (
            reader.logs(LogQuery(where=asking())),
            reader.log_histogram(LogQuery(where=asking()), 5),
            reader.traces(TraceQuery(where=asking())),
            reader.trace("0" * 32, None),
            reader.breakdown(asking(), Badness(), ("route",)),
            reader.edges(asking(), hours()),
            reader.inventory(hours()),
            reader.unattributed(hours()),
            reader.versions(asking()),
        )
    for each in answers:
        assert 1 == len(each.partial), each.query
        assert text in each.partial[0]
        assert each.partial[0].startswith("elasticsearch/here: ")


@pytest.mark.parametrize("text", PIECES)
def test_a_part_of_a_count_is_partial(text: str) -> None:
    """What was counted is given, with the name of what is missing."""
    with Loopback([playing(lambda asked: once_or_many(asked, PIECES[text]))]) as server:
        reading = ElasticsearchCounts(cluster(server)).read([LEVEL], WINDOWS, AT)[LEVEL.key]
    assert ("elasticsearch/here",) == reading.partial
    assert text in reading.warnings[0]


@pytest.mark.parametrize("text", PIECES)
def test_steps_that_must_be_whole_are_refused_in_part(text: str) -> None:
    """A chart shows what there is; a counter would take it for all, for ever."""

    def searched(_: Asked) -> Reply:
        body = found(PIECES[text])
        body["aggregations"]["all"]["steps"] = {"buckets": []}
        return answer(body)

    span, step = WINDOWS[1], WINDOWS[0]
    with Loopback([playing(searched)]) as server:
        reader = ElasticsearchCounts(cluster(server))
        assert () == reader.series(LEVEL, AT, span=span, step=step)
        with pytest.raises(SourceUnavailable, match=text):
            reader.series(LEVEL, AT, span=span, step=step, whole=True)


def test_nothing_counted_by_a_part_is_not_zero() -> None:
    """Shards that failed may hold all there is: it is neither no traffic nor never."""

    def empty(asked: Asked) -> Reply:
        one = {
            "aggregations": {"newest": {"value": None}},
            "hits": {"hits": []},
            "_shards": FAILED_SHARD,
        }
        return answer({"responses": [one]} if asked.path.endswith("/_msearch") else one)

    with Loopback([playing(empty)]) as server:
        reading = ElasticsearchCounts(cluster(server)).read([LEVEL], WINDOWS, AT)[LEVEL.key]
    assert isinstance(reading.period, NoData)
    assert NoDataReason.SOURCE_FAILED is reading.period.reason
    assert "shard is red" in reading.period.detail


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_refusal_is_an_error_and_no_empty_answer(status: int) -> None:
    """A busy cluster and a red index raise; counts are no data with the reason."""
    body = {"error": {"type": "busy_exception", "reason": "too busy"}, "status": status}
    with Loopback([playing(lambda _: answer(body, status))]) as server:
        reader = ElasticsearchTelemetry(cluster(server))
        with pytest.raises(SourceUnavailable, match="too busy"):
            reader.logs(LogQuery(where=asking()))
        with pytest.raises(SourceError, match="too busy"):
            reader.traces(TraceQuery(where=asking()))
        period = ElasticsearchCounts(cluster(server)).read([LEVEL], (), AT)[LEVEL.key].period
    assert isinstance(period, NoData)
    assert NoDataReason.SOURCE_FAILED is period.reason
    assert "too busy" in period.detail


def test_one_of_several_searches_fails_alone() -> None:
    """An error inside an answer of status 200 is an error of that level."""
    other = level("other", window="1d", measure=Logs(query="z", bad="y"))
    refused = {"error": {"type": "too_many", "reason": "rejected execution"}, "status": 429}

    def play(asked: Asked) -> Reply:
        if asked.path.endswith("/_msearch"):
            return answer({"responses": [refused, found({"_shards": WHOLE})]})
        return answer(found({"_shards": WHOLE}))

    with Loopback([playing(play)]) as server:
        readings = ElasticsearchCounts(cluster(server)).read([LEVEL, other], WINDOWS, AT)
    first, second = readings[LEVEL.key].period, readings[other.key].period
    assert isinstance(first, NoData)
    assert "rejected execution" in first.detail
    assert not isinstance(second, NoData)
    assert () == readings[other.key].partial


def test_answers_that_are_missing_are_an_error() -> None:
    """Fewer answers than questions prove nothing."""
    with Loopback([playing(lambda _: answer({"responses": []}))]) as server:
        period = ElasticsearchCounts(cluster(server)).read([LEVEL], (), AT)[LEVEL.key].period
    assert isinstance(period, NoData)
    assert "not every search was answered" in period.detail


def test_a_question_ends_with_its_deadline() -> None:
    """Both sides are told: the server in its words, the client by its own clock."""
    asked_for: list[str] = []

    def slow(asked: Asked) -> Reply:
        asked_for.append(asked.path)
        return Reply(delay=5)

    with Loopback([playing(slow)]) as server:
        reader = ElasticsearchTelemetry(cluster(server), deadline=Duration.parse("500ms"))
        with pytest.raises(SourceTimeout):
            reader.logs(LogQuery(where=asking()))
    assert asked_for


def test_fields_are_asked_for_once() -> None:
    """A page of panels does not ask for them again and again."""
    with Loopback([playing(lambda asked: once_or_many(asked, {"_shards": WHOLE}))]) as server:
        reader = ElasticsearchTelemetry(cluster(server))
        for _ in range(5):
            reader.logs(LogQuery(where=asking()))
        caps_asked = [each for each in server.asked if each.path.endswith("_field_caps")]
        searches = [each for each in server.asked if each.path.endswith("_search")]
    assert (1, 5) == (len(caps_asked), len(searches))


def test_no_index_is_empty_with_a_note() -> None:
    """A cluster that holds no logs is no failure."""
    with Loopback([lambda _: answer({"indices": [], "fields": {}})]) as server:
        answered = ElasticsearchTelemetry(cluster(server)).logs(LogQuery(where=asking()))
    assert answered.value.empty
    assert ("elasticsearch/here has no index that matches logs-*",) == answered.notes
