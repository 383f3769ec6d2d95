"""OTLP requests, protobuf or JSON, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collectors.joining import Joiner
from collectors.receive import logs, metrics, spans
from collectors.receive.answers import Content
from collectors.receive.batch import Batch, Memory
from collectors.receive.decoded import Decoded, Rejects
from collectors.receive.groups import Columns
from collectors.receive.limits import Limits
from collectors.receive.log_columns import log_columns
from collectors.receive.metric_columns import metric_columns
from collectors.receive.otlp_json import read_json, view_of
from collectors.receive.views import REQUESTS, otlp
from collectors.receive.wire import View, parse
from collectors.signals import Signal
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How requests of a signal are read: row by row, and if possible all rows at once."""

    add: Callable[[Batch, View], None]
    columns: tuple[str, ...]
    at_once: Callable[[Batch, bytes], Columns | None] | None = None


_KINDS: Mapping[Signal, _Kind] = {
    Signal.LOGS: _Kind(add=logs.add_logs, columns=logs.COLUMNS, at_once=log_columns),
    Signal.SPANS: _Kind(add=spans.add_spans, columns=spans.COLUMNS),
    Signal.METRICS: _Kind(add=metrics.add_metrics, columns=metrics.COLUMNS, at_once=metric_columns),
}


class OtlpDecoder:
    """Decodes OTLP requests; keep one per thread, since it remembers what repeats."""

    def __init__(self, joiner: Joiner, limits: Limits | None = None) -> None:
        self.limits = Limits() if limits is None else limits
        self._memory = Memory(joiner, self.limits)

    def decode(
        self, signal: Signal, body: bytes, *, at: int, content: Content = Content.PROTOBUF
    ) -> Decoded:
        """Decode one export request of a signal.

        ``at`` is when it arrived in Unix nanoseconds. Raises ``Refused``: 400 for a body
        that is no such request, 413 for one of too many records. Records that cannot be taken are
        counted in the answer instead.
        """
        if content is Content.JSON:
            return self.decode_object(signal, read_json(body, self.limits.depth), at=at)
        request = parse(otlp()[REQUESTS[signal]], body, f"export request for {signal}")
        at_once = _KINDS[signal].at_once
        if at_once is not None:
            batch = Batch(self._memory, at)
            try:
                batch.columns = at_once(batch, body)
                return batch.decoded(signal, ())
            except ValueError:
                pass  # row by row it shows which records cannot be taken, if not all
        return self._finish(signal, request, Rejects(), at)

    def decode_object(self, signal: Signal, value: object, *, at: int) -> Decoded:
        """Decode one export request that is already read from JSON."""
        rejects = Rejects()
        request = view_of(REQUESTS[signal], value, rejects)
        return self._finish(signal, request, rejects, at)

    def _finish(self, signal: Signal, request: View, rejects: Rejects, at: int) -> Decoded:
        kind = _KINDS[signal]
        batch = Batch(self._memory, at, rejects)
        kind.add(batch, request)
        return batch.decoded(signal, kind.columns)
