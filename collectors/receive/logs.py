"""Log records of OTLP as rows."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.receive.batch import Batch, explained
from collectors.receive.groups import Source
from collectors.receive.identifiers import SPAN, TRACE, text_of
from collectors.receive.instants import EARLIEST, LATEST, checked
from collectors.receive.limits import cut
from collectors.receive.severity import HIGHEST, LOWEST, number_of
from collectors.receive.values import texts
from collectors.receive.wire import View

COLUMNS = (
    "time",
    "observed",
    "severity",
    "severity_text",
    "event",
    "body",
    "trace_id",
    "span_id",
    "flags",
    "attributes",
)
_SIGN = 1 << 31


def add_logs(batch: Batch, request: View) -> None:
    """Add the records of a request; each that cannot be taken is counted as rejected."""
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            records = scope_logs.log_records
            found = batch.origin(resource_logs.resource, scope_logs.scope, len(records))
            if found is not None:
                _add(batch, records, *found)


def _add(batch: Batch, records: Sequence[View], source: Source, scope: str | None) -> None:
    alone = None if source.known.alone is None else batch.group(source.known.alone, source, scope)
    for record in records:
        try:
            batch.rows.append(_row(batch, record, source, scope, alone))
        except ValueError as error:
            batch.rejects.add(explained(error))


def _row(
    batch: Batch, record: View, source: Source, scope: str | None, group: int | None
) -> tuple[object, ...]:
    limits = batch.limits
    raws = record.attributes
    if group is None:
        attributes, values = batch.attributes.read(raws)
        group = batch.group(source.known.join(values), source, scope)
    else:
        attributes = batch.attributes.json(raws)
    observed = record.observed_time_unix_nano
    time = record.time_unix_nano or observed or batch.at
    if not EARLIEST <= time <= LATEST or observed > LATEST:
        checked(time, "the time")
        checked(observed, "the observed time")
    text = record.severity_text
    text = cut(text.decode(), limits.name) if text else None
    event = record.event_name
    severity = record.severity_number
    if not LOWEST <= severity <= HIGHEST:
        severity = number_of(text) if text else None
    flags, trace, span = record.flags, record.trace_id, record.span_id
    return (
        group,
        time,
        observed if observed >= EARLIEST else None,
        severity,
        text,
        cut(event.decode(), limits.name) if event else None,
        texts(record.body, limits.body),
        text_of(trace, TRACE, "trace id") if trace else None,
        text_of(span, SPAN, "span id") if span else None,
        flags if flags < _SIGN else flags - 2 * _SIGN,
        attributes,
    )
