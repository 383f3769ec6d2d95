"""Storing batches of lines, counting what became of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, fields, replace
from typing import Any, BinaryIO

from app.ingest.binding import BoundJoiner
from app.ingest.reading import Batch, batches
from collectors.joining import Joiner
from collectors.receive import Decoded, FieldMap, LineDecoder, digest
from collectors.store import StoreWriter
from slo.errors import UsageError
from slo.model import Catalog
from slo.records import dataclass
from slo.suggest import did_you_mean

_FIRST = re.compile(r"^line 1: ")
_TIMES = re.compile(r" \(1\)$")
_MOST_FAULTS = 20

_MEANINGS: Mapping[str, str] = {
    **{each.name: each.name for each in fields(FieldMap) if each.name != "resource"},
    "level": "severity",
    "msg": "message",
    "trace": "trace_id",
    "span": "span_id",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line, or a record in it, that was not taken, and why."""

    line: int
    reason: str


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the lines of a file; all but ``lines`` count records.

    ``faults`` are the first of those that were rejected.
    """

    lines: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    attributed: int = 0
    ambiguous: int = 0
    unattributed: int = 0
    signals: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what became of another file."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for signal, count in other.signals.items():
            self.signals[signal] = self.signals.get(signal, 0) + count
        self.faults += other.faults


_COUNTS = ("lines", "stored", "duplicates", "rejected", "attributed", "ambiguous", "unattributed")


def field_map(text: str) -> FieldMap:
    """Read ``time=ts,message=msg`` as a mapping of log lines; the usual names still count.

    Raises ``UsageError``.
    """
    given: dict[str, tuple[str, ...]] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        meaning, sign, name = (part.strip() for part in pair.partition("="))
        if not sign or not name:
            raise UsageError(f'"{pair}" is no MEANING=FIELD', hint="such as time=ts,message=msg")
        if meaning not in _MEANINGS:
            raise UsageError(
                f'unknown meaning "{meaning}"{did_you_mean(meaning, _MEANINGS)}',
                hint=f"known are: {', '.join(_MEANINGS)}",
            )
        key = _MEANINGS[meaning]
        given[key] = (*given.get(key, ()), name)
    usual = FieldMap()
    changes: dict[str, Any] = {key: (*names, *getattr(usual, key)) for key, names in given.items()}
    return replace(usual, **changes)


class Ingest:
    """Stores lines in one store.

    ``app`` is whose they are when they say nothing. ``keep`` makes batches of files count once for
    ever; what comes through a pipe is remembered as long as what senders send again.
    """

    def __init__(
        self,
        writer: StoreWriter,
        catalog: Catalog,
        *,
        mapping: FieldMap | None = None,
        app: str | None = None,
    ) -> None:
        self._writer = writer
        joiner = Joiner(catalog)
        self._joiner = joiner if app is None else BoundJoiner(catalog, app, learned=joiner.learned)
        self._mapping = FieldMap() if mapping is None else mapping
        # Read differently, the same lines are other records.
        self._salt = repr((app, self._mapping)).encode()
        self._decoder = self._new_decoder()

    def store(self, file: BinaryIO, at: int, tally: Tally, *, keep: bool) -> Iterator[int]:
        """Store a file batch by batch; yields how many bytes of it were done.

        ``at`` is the time, in Unix nanoseconds, of log lines that have none. Raises ``StoreError``.
        """
        for batch in batches(file, self._decoder.limits.line):
            self._store(batch, at, tally, keep=keep)
            yield batch.read

    def _store(self, batch: Batch, at: int, tally: Tally, *, keep: bool) -> None:
        name = digest(self._salt + b"\0" + b"".join(batch.lines))
        found = list(self._decoder.decode(batch.lines, at=at))
        tally.lines += len(batch.lines)
        for place, decoded in enumerate(found):
            tally.rejected += decoded.rejected
            if not decoded.table.num_rows:
                continue
            part = digest(name + place.to_bytes(4))
            commit = self._writer.append(
                decoded.signal, decoded.table, batch=part, keep_receipt=keep
            )
            if commit.duplicate:
                tally.duplicates += decoded.table.num_rows
            else:
                _count(decoded, tally)
        if any(decoded.rejected for decoded in found):
            tally.faults += self._faults(batch, at, _MOST_FAULTS - len(tally.faults))

    def _faults(self, batch: Batch, at: int, most: int) -> Sequence[Fault]:
        """Find which lines were rejected, by reading them again one at a time."""
        faults: list[Fault] = []
        decoder = self._new_decoder()
        for number, line in enumerate(batch.lines, batch.first):
            if len(faults) >= most:
                break
            reasons = [each.reason for each in decoder.decode([line], at=at) if each.rejected]
            faults += [
                Fault(line=number, reason=_TIMES.sub("", _FIRST.sub("", reason)))
                for reason in reasons
            ]
        return faults[: max(0, most)]

    def _new_decoder(self) -> LineDecoder:
        return LineDecoder(self._joiner, fields=self._mapping)


def _count(decoded: Decoded, tally: Tally) -> None:
    rows = decoded.table.num_rows
    owned = rows - decoded.table["app"].null_count
    # Who claims a record is kept for those that nobody got.
    ambiguous = rows - decoded.table["claimants"].null_count
    tally.stored += rows
    tally.attributed += owned
    tally.ambiguous += ambiguous
    tally.unattributed += rows - owned - ambiguous
    signal = decoded.signal.value
    tally.signals[signal] = tally.signals.get(signal, 0) + rows
