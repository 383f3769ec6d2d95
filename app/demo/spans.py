"""The traces of sampled requests: what a service did, and whom it asked."""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from app.demo import operations, wire
from app.demo.airline import BY_NAME, SERVICES, Call
from app.demo.incidents import SLOWNESS
from app.demo.metrics import Example
from app.demo.operations import Operation
from app.demo.resources import Payload, Resource
from app.demo.sampling import Rate, Requests
from app.demo.timeline import Chunk, Pod
from app.demo.traffic import Flow, Key, Outcome
from slo.records import dataclass

_ERROR = 2
_TIMES = struct.Struct("<BQBQ")
_START, _END = 0x39, 0x41  # the tags of fixed64 fields 7 and 8

# When things happen in a request, and how long they take, against what it takes undisturbed.
_DATABASE = (0.06, 0.36)
_CALL = (0.48, 0.38)
_ANSWER = (0.03, 0.32)  # the called service, inside the call
_PUBLISH = (0.90, 0.03)
_MOMENT = 20_000_000
_CONSUMED_AFTER, _CONSUMING = 180_000_000, 24_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A kind of span: all of it that is the same each time."""

    content: bytes
    error: str | None = None

    @classmethod
    def of(cls, operation: Operation, state: str) -> Shape:
        """The spans of an operation, with a trace state."""
        status = b""
        if operation.error is not None:
            status = wire.message(15, wire.text(2, operation.error) + wire.number(3, _ERROR))
        return cls(
            content=wire.text(3, state)
            + wire.text(5, operation.name)
            + wire.number(6, operation.kind)
            + wire.attributes(9, operation.attributes)
            + status,
            error=operation.error,
        )

    def span(
        self, trace: bytes, own: bytes, parent: bytes, start: int, end: int, *, link: bytes = b""
    ) -> bytes:
        """Write a span as a field of its scope; without a ``parent`` it is the first one."""
        content = b"".join(
            (
                b"\x0a\x10",
                trace,
                b"\x12\x08",
                own,
                b"\x22\x08" + parent if parent else b"",
                self.content,
                _TIMES.pack(_START, start, _END, end),
                link if self.error is None else _exception(self.error, end),
            )
        )
        return wire.message(2, content)


def _exception(error: str, at: int) -> bytes:
    kind, _, _ = error.partition(":")
    said: dict[str, str | int] = {
        "exception.type": kind if kind.isidentifier() else "Error",
        "exception.message": error,
    }
    return wire.message(
        11, wire.fixed64(1, at) + wire.text(2, "exception") + wire.attributes(3, said)
    )


class Traces:
    """Writes the traces of one chunk."""

    def __init__(self, chunk: Chunk, pods: Sequence[Pod], random: np.random.Generator) -> None:
        self._state = Rate.of(chunk).state
        self._random = random
        self._spans: dict[str, list[bytes]] = defaultdict(list)
        self._pods = {pod.instance: pod for pod in pods}
        self._places: dict[tuple[str, str], list[Pod]] = defaultdict(list)
        for pod in pods:
            self._places[pod.service.name, pod.cluster].append(pod)
        self.examples: dict[Key, Example] = {}
        """A slow request of each histogram's series."""

    def payloads(self) -> Iterator[Payload]:
        """Yield what each pod sends."""
        for instance, spans in self._spans.items():
            yield Payload(
                resource=Resource.of(self._pods[instance]),
                content=b"".join(spans),
                records=len(spans),
            )

    def add(self, found: Requests) -> None:
        """Write the traces of requests that are sampled."""
        flow = found.flow
        chosen = [i for i, kept in enumerate(found.sampled) if kept]
        if not chosen:
            return
        longest = max(chosen, key=lambda i: found.durations[i])
        self.examples[flow.key] = Example(
            end=int(found.ends[longest]),
            seconds=float(found.durations[longest]) / 1e9,
            trace_id=found.traces[longest],
            span_id=found.spans[longest],
        )
        write = _Request(self, found, self._state)
        ids = self._random.bytes(48 * len(chosen))
        picks = self._random.random(len(chosen))
        for place, i in enumerate(chosen):
            write.one(i, ids[48 * place : 48 * place + 48], float(picks[place]))

    def put(self, pod: Pod, span: bytes) -> None:
        """Keep a span of a pod."""
        self._spans[pod.instance].append(span)

    def some(self, service: str, cluster: str, pick: float) -> Pod:
        """One of the pods of a service in a cluster."""
        here = self._places[service, cluster]
        return here[int(pick * len(here))]


class _Request:
    """Writes the requests of one flow, whose spans are all alike."""

    def __init__(self, traces: Traces, found: Requests, state: str) -> None:
        flow = found.flow
        self._traces = traces
        self._found = found
        self._pod = flow.pod
        self._shapes = _Shapes.of(flow, state)
        factors = np.where(found.slow, SLOWNESS, 1.0)
        self._bases: list[float] = (found.durations / factors).tolist()
        self._ends: list[int] = found.ends.tolist()
        self._durations: list[int] = found.durations.tolist()

    def one(self, i: int, ids: bytes, pick: float) -> None:
        """Write the spans of the request of a number; ``ids`` are those of all but the first."""
        moment = _Moment(
            trace=self._found.traces[i],
            root=self._found.spans[i],
            start=self._ends[i] - self._durations[i],
            end=self._ends[i],
            base=self._bases[i],
        )
        put, pod, shapes = self._traces.put, self._pod, self._shapes
        put(pod, shapes.root.span(moment.trace, moment.root, b"", moment.start, moment.end))
        if shapes.query is not None:
            put(pod, self._query(moment, shapes.query, ids[:8]))
        if shapes.defect is not None:
            middle = (moment.start + moment.end) // 2
            put(pod, moment.span(shapes.defect, ids[8:16], middle, moment.end))
        if shapes.partner is not None:
            put(pod, moment.span(shapes.partner, ids[8:16], *moment.part(_CALL)))
        if shapes.asked is not None:
            self._call(moment, shapes.asked, ids[8:32], pick)
        if shapes.published is not None:
            self._publish(moment, shapes.published, ids[32:48], pick)

    def _query(self, moment: _Moment, shape: Shape, own: bytes) -> bytes:
        if shape.error is not None:
            return moment.span(shape, own, moment.start + _MOMENT, moment.end - _MOMENT)
        begun = moment.start + int(moment.base * _DATABASE[0])
        # What a slow database adds to a request is all spent in its query.
        length = int(moment.base * _DATABASE[1] + moment.waited)
        return moment.span(shape, own, begun, begun + length)

    def _call(self, moment: _Moment, asked: _Asked, ids: bytes, pick: float) -> None:
        client, answer, read = ids[:8], ids[8:16], ids[16:24]
        self._traces.put(self._pod, moment.span(asked.call, client, *moment.part(_CALL)))
        pod = self._traces.some(asked.service, self._pod.cluster, pick)
        begun, done = moment.part((_CALL[0] + _ANSWER[0], _ANSWER[1]))
        self._traces.put(pod, asked.answer.span(moment.trace, answer, client, begun, done))
        third = (done - begun) // 3
        inner = asked.query.span(moment.trace, read, answer, begun + third // 4, done - third)
        self._traces.put(pod, inner)

    def _publish(self, moment: _Moment, published: _Published, ids: bytes, pick: float) -> None:
        sent, processed = ids[:8], ids[8:]
        begun, done = moment.part(_PUBLISH)
        self._traces.put(self._pod, moment.span(published.sent, sent, begun, done))
        pod = self._traces.some(published.service, self._pod.cluster, pick)
        taken = done + _CONSUMED_AFTER
        link = wire.message(13, wire.message(1, moment.trace) + wire.message(2, sent))
        span = published.processed.span(
            moment.trace, processed, sent, taken, taken + _CONSUMING, link=link
        )
        self._traces.put(pod, span)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a call to another service looks like: in the caller, in the called, and below that."""

    service: str
    call: Shape
    answer: Shape
    query: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class _Published:
    """What a message looks like: where it is sent, and in the service that processes it."""

    service: str
    sent: Shape
    processed: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shapes:
    """All spans that a request of one flow has."""

    root: Shape
    query: Shape | None
    defect: Shape | None
    partner: Shape | None
    asked: _Asked | None
    published: _Published | None

    @classmethod
    def of(cls, flow: Flow, state: str) -> _Shapes:
        route, service, outcome = flow.route, flow.pod.service, flow.outcome
        error = operations.TIMEOUT if outcome is Outcome.TIMEOUT else None

        def shape(operation: Operation) -> Shape:
            return Shape.of(operation, state)

        answered = outcome is Outcome.OK
        broken = outcome is Outcome.DEFECT
        return cls(
            root=shape(operations.server(service, route, outcome, flow.status)),
            query=shape(operations.query(service, route.query, error)) if route.query else None,
            defect=shape(operations.fare_rules()) if broken else None,
            partner=shape(operations.partner(route.partner, outcome)) if route.partner else None,
            asked=_asked(route.calls, state) if answered and route.calls else None,
            published=_published(route.publishes, state) if answered and route.publishes else None,
        )


def _asked(asked: Call, state: str) -> _Asked:
    target = BY_NAME[asked.service]
    route = target.route(asked.route)
    assert route.query is not None, route.name
    answer = operations.server(target, route, Outcome.OK, route.status)
    return _Asked(
        service=target.name,
        call=Shape.of(operations.call(target, route), state),
        answer=Shape.of(answer, state),
        query=Shape.of(operations.query(target, route.query), state),
    )


def _published(topic: str, state: str) -> _Published:
    consumer = next(service for service in SERVICES if service.consumes == topic)
    return _Published(
        service=consumer.name,
        sent=Shape.of(operations.message(topic, operations.PRODUCER), state),
        processed=Shape.of(operations.message(topic, operations.CONSUMER), state),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """A request in time, in nanoseconds; ``base`` is how long it takes undisturbed."""

    trace: bytes
    root: bytes
    start: int
    end: int
    base: float

    @property
    def waited(self) -> float:
        return self.end - self.start - self.base

    def part(self, part: tuple[float, float]) -> tuple[int, int]:
        """A part of the request, counted from when the waiting was over."""
        begun = self.start + int(self.waited + self.base * part[0])
        return begun, begun + int(self.base * part[1])

    def span(self, shape: Shape, own: bytes, start: int, end: int) -> bytes:
        return shape.span(self.trace, own, self.root, start, end)
