"""The demo's world: the same from the same seed, consistent in itself, with what was planted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.demo import World
from app.demo.airline import APPS, CONFIRM, PODS
from app.demo.incidents import Kind
from app.demo.timeline import MINUTE, Span
from app.demo.traffic import BAD, Flow, Outcome
from app.demo.world import Batch, Path

NOW = 1_763_750_000 * 1_000_000_000
ERROR = 17
WORLD = World(seed=7, now_ns=NOW, days=1, scale=0.2)


@pytest.fixture(scope="module")
def batches() -> tuple[Batch, ...]:
    """A day of telemetry at a fifth of the traffic."""
    return tuple(WORLD.batches())


@pytest.fixture(scope="module")
def flows() -> tuple[Flow, ...]:
    """What truly happened in that day, chunk by chunk."""
    return tuple(flow for _, found in WORLD.flows() for flow in found)


def _parsed(batches: Sequence[Batch], path: Path) -> Iterator[Any]:
    kinds: dict[Path, tuple[Any, str]] = {
        Path.METRICS: (ExportMetricsServiceRequest, "resource_metrics"),
        Path.TRACES: (ExportTraceServiceRequest, "resource_spans"),
        Path.LOGS: (ExportLogsServiceRequest, "resource_logs"),
    }
    request, name = kinds[path]
    for batch in batches:
        if batch.path is path:
            yield from getattr(request.FromString(batch.body), name)


def _said(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def _spans(batches: Sequence[Batch]) -> Iterator[tuple[dict[str, Any], Any]]:
    for resource in _parsed(batches, Path.TRACES):
        sender = _said(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield sender, span


def _logs(batches: Sequence[Batch]) -> Iterator[tuple[dict[str, Any], Any]]:
    for resource in _parsed(batches, Path.LOGS):
        sender = _said(resource.resource.attributes)
        for scope in resource.scope_logs:
            for record in scope.log_records:
                yield sender, record


def _weight(state: str) -> float:
    digits = state.removeprefix("ot=th:").ljust(14, "0")
    return float((1 << 56) / ((1 << 56) - int(digits, 16)))


def test_the_same_seed_writes_the_same_bytes(batches: tuple[Batch, ...]) -> None:
    """And another seed another world."""
    assert batches == tuple(WORLD.batches())
    other = next(World(seed=8, now_ns=NOW, days=1, scale=0.2).batches())
    assert batches[0].body != other.body


def test_a_longer_history_ends_as_a_shorter_one() -> None:
    """The requests of the last day are the same, whatever came before."""
    short = [flow.counts for _, found in WORLD.flows() for flow in found]
    longer = World(seed=7, now_ns=NOW, days=2, scale=0.2)
    later = [f.counts for c, found in longer.flows() if c.start >= WORLD.whole.start for f in found]
    assert len(short) == len(later)
    assert all(np.array_equal(a, b) for a, b in zip(short, later, strict=True))


@pytest.mark.parametrize("days", [1, 2, 3, 30])
def test_chunks_follow_each_other_and_no_deploy_is_inside_of_one(days: int) -> None:
    """From the first minute to the last full one; the number of steps is told before."""
    whole = Span.before(NOW, days)
    chunks = list(whole.chunks())
    assert [whole.start, *(each.end for each in chunks)] == [*(c.start for c in chunks), whole.end]
    assert whole.end == NOW // MINUTE
    assert len(chunks) == World(seed=1, now_ns=NOW, days=days).steps
    assert all((each.end - each.start) % (each.step * each.stride) == 0 for each in chunks)
    starts = {each.start for each in chunks}
    deploys = [whole.end - 60 * hours for hours in (9, 30, 120, 192, 264, 312, 384, 480)]
    assert {each for each in deploys if each > whole.start} <= starts


def test_batches_say_how_many_records_they_have(batches: tuple[Batch, ...]) -> None:
    """As OpenTelemetry's own classes count them; no time is later than the batch says."""
    for path, found in ((Path.TRACES, _spans), (Path.LOGS, _logs)):
        told = sum(batch.records for batch in batches if batch.path is path)
        assert told == sum(1 for _ in found(batches))
    points = 0
    for resource in _parsed(batches, Path.METRICS):
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                points += len(getattr(metric, metric.WhichOneof("data")).data_points)
    assert points == sum(batch.records for batch in batches if batch.path is Path.METRICS)


def test_the_counters_end_at_what_happened(
    batches: tuple[Batch, ...], flows: tuple[Flow, ...]
) -> None:
    """Every histogram counts its requests, no more and no less, and never goes back."""
    truth: Counter[tuple[str, str, str, int]] = Counter()
    for flow in flows:
        key = (flow.pod.instance, flow.route.method, flow.route.path, flow.status)
        truth[key] += int(flow.counts.sum())
    points: defaultdict[tuple[str, str, str, int], list[Any]] = defaultdict(list)
    for resource in _parsed(batches, Path.METRICS):
        instance = str(_said(resource.resource.attributes).get("service.instance.id"))
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.histogram.data_points:
                    said = _said(point.attributes)
                    route = (said["http.request.method"], said["http.route"])
                    points[instance, *route, said["http.response.status_code"]].append(point)
    assert truth == {key: found[-1].count for key, found in points.items()}
    for found in points.values():
        times = [point.time_unix_nano for point in found]
        assert times == sorted(set(times))
        assert found[0].count == 0
        assert found[0].start_time_unix_nano == found[0].time_unix_nano == times[0]
        counts = [point.count for point in found]
        assert counts == sorted(counts)
        assert all(sum(point.bucket_counts) == point.count for point in found)


def test_spans_stand_for_the_requests_that_were_counted(
    batches: tuple[Batch, ...], flows: tuple[Flow, ...]
) -> None:
    """Weighted by the threshold in their trace state, which their trace ids meet."""
    truth: Counter[str] = Counter()
    for flow in flows:
        truth[flow.pod.service.name] += int(flow.counts.sum())
    weighted: defaultdict[str, float] = defaultdict(float)
    squares: defaultdict[str, float] = defaultdict(float)
    for sender, span in _spans(batches):
        threshold = int(span.trace_state.removeprefix("ot=th:").ljust(14, "0"), 16)
        assert int.from_bytes(span.trace_id[9:], "big") >= threshold
        if span.kind == span.SPAN_KIND_SERVER:
            weighted[sender["service.name"]] += _weight(span.trace_state)
            squares[sender["service.name"]] += _weight(span.trace_state) ** 2
    assert {name for name, count in truth.items() if count} == set(weighted)
    for name, count in weighted.items():
        assert abs(count - truth[name]) < 5 * squares[name] ** 0.5, name


def test_every_failure_is_logged_once(batches: tuple[Batch, ...], flows: tuple[Flow, ...]) -> None:
    """With a trace id; where the record is marked as sampled the trace is there, and failed."""
    failed: Counter[str] = Counter()
    for flow in flows:
        if flow.outcome in BAD:
            failed[flow.pod.instance] += int(flow.counts.sum())
    logged: Counter[str] = Counter()
    sampled = set()
    for sender, record in _logs(batches):
        if record.severity_number == ERROR and record.trace_id:
            logged[sender["service.instance.id"]] += 1
            if record.flags & 1:
                sampled.add((record.trace_id, record.span_id))
    assert +failed == logged
    traced = {
        (span.trace_id, span.span_id)
        for _, span in _spans(batches)
        if span.kind == span.SPAN_KIND_SERVER and span.status.code == 2
    }
    assert sampled == traced


def test_traces_are_whole(batches: tuple[Batch, ...]) -> None:
    """Each parent is in its trace, no span ends before it starts, and no id is used twice."""
    spans = [span for _, span in _spans(batches)]
    ids = {(span.trace_id, span.span_id) for span in spans}
    assert len(spans) == len(ids)
    for span in spans:
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        assert not span.parent_span_id or (span.trace_id, span.parent_span_id) in ids


def _share(flows: Sequence[Flow], outcomes: frozenset[Outcome] = BAD) -> float:
    total = sum(int(flow.counts.sum()) for flow in flows)
    return sum(int(f.counts.sum()) for f in flows if f.outcome in outcomes) / total


def test_the_bad_deploy_is_where_the_truth_says(flows: tuple[Flow, ...]) -> None:
    """One route of one version fails by the share that was planted; nothing before does."""
    planted = next(each for each in WORLD.truth if each.kind is Kind.BAD_DEPLOY)
    assert (CONFIRM, "2.15.0", "2.14.3") == (planted.route, planted.version, planted.previous)
    defects = [flow for flow in flows if flow.outcome is Outcome.DEFECT and flow.counts.any()]
    assert {(planted.version, planted.route)} == {(f.pod.version, f.route.name) for f in defects}
    assert {planted.start_ns} == {flow.pod.since * MINUTE for flow in defects}
    broken = [
        flow
        for flow in flows
        if flow.pod.version == planted.version and flow.route.name == planted.route
    ]
    assert planted.share == pytest.approx(_share(broken, frozenset({Outcome.DEFECT})), abs=0.03)


def test_the_shared_database_is_slow_where_the_truth_says(batches: tuple[Batch, ...]) -> None:
    """Requests of ticketing and cargo take long then, and their queries take most of it."""
    planted = next(each for each in WORLD.truth if each.kind is Kind.SLOW_DATABASE)
    taken: defaultdict[tuple[str, bool], list[int]] = defaultdict(list)
    for sender, span in _spans(batches):
        said = _said(span.attributes)
        if said.get("server.address") == planted.dependency:
            inside = planted.start_ns <= span.end_time_unix_nano < planted.end_ns
            taken[sender["service.namespace"], inside].append(
                span.end_time_unix_nano - span.start_time_unix_nano
            )
    for app in planted.apps:
        assert np.median(taken[app, True]) > 10 * np.median(taken[app, False])


@pytest.mark.parametrize("days", [1, 30])
@pytest.mark.parametrize("hour", [0, 6, 12, 18])
def test_the_budgets_are_as_the_story_needs_them(days: int, hour: int) -> None:
    """Whatever the time of day: ticketing's and loyalty's are spent, the others' are not."""
    world = World(seed=7, now_ns=NOW + hour * 60 * MINUTE, days=days)
    by_app: defaultdict[str, list[Flow]] = defaultdict(list)
    for _, found in world.flows():
        for flow in found:
            by_app[flow.pod.service.app].append(flow)
    shares = {app: _share(found) for app, found in by_app.items()}
    print(shares)
    assert shares["ticketing"] > 0.001
    assert shares["loyalty"] > 0.0012
    assert shares["cargo"] < 0.0035
    assert shares["check-in"] < 0.001
    assert shares["payments"] < 0.0004


def test_crew_is_there_and_has_no_traffic(batches: tuple[Batch, ...]) -> None:
    """Its counters say 0, minute after minute: no traffic is not the same as no data."""
    values = [
        point.as_int
        for resource in _parsed(batches, Path.METRICS)
        if _said(resource.resource.attributes).get("service.namespace") == "crew"
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.sum.data_points
    ]
    assert {0} == set(values)
    assert len(values) > 24 * PODS


def test_some_telemetry_says_not_whose_it_is(batches: tuple[Batch, ...]) -> None:
    """A host's log without any tag, and a service that two apps declare."""
    senders = [sender for sender, _ in _logs(batches)]
    untagged = [sender for sender in senders if "service.namespace" not in sender]
    assert {"haproxy", "pdf-renderer", None} == {each.get("service.name") for each in untagged}
    assert {*APPS, None} == {each.get("service.namespace") for each in senders}


def test_what_has_passed_meanwhile_follows() -> None:
    """The counters go on from where the history ended."""
    later = NOW + 150_000_000_000
    short = World(seed=7, now_ns=NOW, days=1, scale=0.05)
    chunks = list(short.chunks(lambda: later))
    assert short.steps + 1 == len(chunks)
    times = [
        point.time_unix_nano
        for resource in _parsed(chunks[-1], Path.METRICS)
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.histogram.data_points
    ]
    assert min(times) == short.whole.end * MINUTE + MINUTE
    assert max(times) == later // MINUTE * MINUTE
