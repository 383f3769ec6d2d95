"""Files of one JSON object a line: OTLP requests, as the Collector writes them, or plain logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from collectors.joining import Joiner
from collectors.receive import logs, metrics, spans
from collectors.receive.batch import Batch, Memory, explained
from collectors.receive.decoded import Decoded, Refused
from collectors.receive.limits import Limits
from collectors.receive.otlp_json import view_of
from collectors.receive.plain import FieldMap
from collectors.receive.plain_records import PlainRecords, mended, read_object
from collectors.receive.views import REQUESTS
from collectors.signals import Signal, empty

_REQUESTS: Mapping[str, Signal] = {
    "resourceLogs": Signal.LOGS,
    "resource_logs": Signal.LOGS,
    "resourceSpans": Signal.SPANS,
    "resource_spans": Signal.SPANS,
    "resourceMetrics": Signal.METRICS,
    "resource_metrics": Signal.METRICS,
}
_ADD = {
    Signal.LOGS: (logs.add_logs, logs.COLUMNS),
    Signal.SPANS: (spans.add_spans, spans.COLUMNS),
    Signal.METRICS: (metrics.add_metrics, metrics.COLUMNS),
}


class LineDecoder:
    """Decodes lines; each line tells by itself which of the two formats it has."""

    def __init__(
        self,
        joiner: Joiner,
        *,
        fields: FieldMap | None = None,
        limits: Limits | None = None,
        rows: int = 10_000,
    ) -> None:
        self.fields = FieldMap() if fields is None else fields
        self.limits = Limits() if limits is None else limits
        self._memory = Memory(joiner, self.limits)
        self._plain = PlainRecords(self._memory, self.fields)
        self._rows = rows

    def decode(self, lines: Iterable[bytes], *, at: int) -> Iterator[Decoded]:
        """Decode lines into tables of about ``rows`` rows, each of one signal.

        ``at`` is the time, in Unix nanoseconds, of log records that have none. A line that cannot
        be read is counted as one rejected record of the logs, with its number, counted from 1.
        """
        batches: dict[Signal, Batch] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            signal = Signal.LOGS
            try:
                value = self._read(line)
                signal = next((_REQUESTS[key] for key in value if key in _REQUESTS), signal)
                self._add(self._batch(batches, signal, at), signal, value)
            except Refused as error:
                self._batch(batches, signal, at).rejects.add(f"line {number}: {error}")
            except ValueError as error:
                reason = explained(error)
                self._batch(batches, signal, at).rejects.add(f"line {number}: {reason}")
            if len(batches[signal].rows) >= self._rows:
                yield _closed(signal, batches.pop(signal))
        for signal, batch in batches.items():
            yield _closed(signal, batch)

    def _batch(self, batches: dict[Signal, Batch], signal: Signal, at: int) -> Batch:
        found = batches.get(signal)
        if found is None:
            found = batches[signal] = Batch(self._memory, at)
        return found

    def _read(self, line: bytes) -> dict[str, object]:
        value = read_object(line, self.limits)
        return mended(line, value) if _REQUESTS.keys().isdisjoint(value) else value

    def _add(self, batch: Batch, signal: Signal, value: dict[str, object]) -> None:
        if _REQUESTS.keys().isdisjoint(value):
            self._plain.add(batch, value)
            return
        add, _ = _ADD[signal]
        add(batch, view_of(REQUESTS[signal], value, batch.rejects))


def _closed(signal: Signal, batch: Batch) -> Decoded:
    """Finish a table; one that would be too large is rejected whole, and the file goes on."""
    try:
        return batch.decoded(signal, _ADD[signal][1])
    except Refused as error:
        batch.rejects.add(error, len(batch.rows))
        rejects = batch.rejects
        table = empty(signal)
        return Decoded(signal=signal, table=table, rejected=rejects.count, reason=rejects.reason)
