"""Spans of OTLP as rows."""

from __future__ import annotations

from collectors.receive.batch import Batch, explained
from collectors.receive.groups import Source
from collectors.receive.identifiers import SPAN, TRACE, required, text_of
from collectors.receive.instants import LATEST, checked
from collectors.receive.limits import cut
from collectors.receive.peers import METHOD, ROUTE, http_status, peer_of
from collectors.receive.peers import text_of as first_text
from collectors.receive.sampling import weight_of
from collectors.receive.values import Values, dumps
from collectors.receive.wire import View

COLUMNS = (
    "time",
    "end",
    "duration",
    "trace_id",
    "span_id",
    "parent_id",
    "name",
    "kind",
    "status",
    "status_message",
    "route",
    "method",
    "http_status",
    "peer",
    "peer_kind",
    "weight",
    "events",
    "links",
    "trace_state",
    "attributes",
)

KINDS = {0: "internal", 1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
STATUSES = {0: "unset", 1: "ok", 2: "error"}
_OUTWARD = {3, 4, 5}


def add_spans(batch: Batch, request: View) -> None:
    """Add the spans of a request; each that cannot be taken is counted as rejected."""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            spans = scope_spans.spans
            found = batch.origin(resource_spans.resource, scope_spans.scope, len(spans))
            if found is not None:
                _add(batch, spans, *found)


def _add(batch: Batch, spans: View, source: Source, scope: str | None) -> None:
    alone = None if source.known.alone is None else batch.group(source.known.alone, source, scope)
    for span in spans:
        try:
            attributes, values = batch.attributes.read(span.attributes)
            row = _row(batch, span, attributes, values)
            group = alone
            if group is None:
                group = batch.group(source.known.join(values), source, scope)
        except ValueError as error:
            batch.rejects.add(explained(error))
        else:
            batch.rows.append((group, *row))


def _row(batch: Batch, span: View, attributes: str | None, values: Values) -> tuple[object, ...]:
    limits = batch.limits
    start = checked(span.start_time_unix_nano, "the start")
    end = checked(span.end_time_unix_nano, "the end")
    if end < start:
        raise ValueError("the span ends before it starts")
    kind = span.kind
    peer, peer_kind = peer_of(values) if kind in _OUTWARD else (None, None)
    state = span.trace_state.decode() if span.trace_state else ""
    status = span.status
    return (
        start,
        end,
        end - start,
        required(span.trace_id, TRACE, "trace id"),
        required(span.span_id, SPAN, "span id"),
        text_of(span.parent_span_id, SPAN, "parent span id"),
        cut(span.name.decode(), limits.name),
        KINDS.get(kind),
        STATUSES.get(status.code, "unset"),
        cut(status.message.decode(), limits.value) or None,
        _cut(first_text(ROUTE, values), limits.name),
        _cut(first_text(METHOD, values), limits.name),
        http_status(values),
        _cut(peer, limits.name),
        peer_kind,
        weight_of(state, values),
        _events(batch, span.events) if span.events else None,
        _links(batch, span.links) if span.links else None,
        cut(state, limits.name) or None,
        attributes,
    )


def _cut(text: str | None, longest: int) -> str | None:
    return None if text is None else cut(text, longest)


def _events(batch: Batch, events: View) -> str:
    """A JSON list of the first events; what is left out is said by a last element."""
    most = batch.limits.events
    kept: list[object] = []
    for event in events[:most]:
        time = event.time_unix_nano
        said: Values = {"time": time if time <= LATEST else None}
        said["name"] = cut(event.name.decode(), batch.limits.name)
        _, values = batch.attributes.read(event.attributes)
        if values:
            said["attributes"] = values
        kept.append(said)
    return dumps([*kept, *_left_out(len(events) - most)])


def _links(batch: Batch, links: View) -> str:
    most = batch.limits.events
    kept: list[object] = []
    for link in links[:most]:
        said: Values = {
            "traceId": required(link.trace_id, TRACE, "trace id of a link"),
            "spanId": required(link.span_id, SPAN, "span id of a link"),
        }
        if link.trace_state:
            said["traceState"] = cut(link.trace_state.decode(), batch.limits.name)
        _, values = batch.attributes.read(link.attributes)
        if values:
            said["attributes"] = values
        kept.append(said)
    return dumps([*kept, *_left_out(len(links) - most)])


def _left_out(count: int) -> list[object]:
    return [{"leftOut": count}] if count > 0 else []
