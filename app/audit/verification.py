"""Finding what is wrong with an audit log: which record was edited, removed, added or torn."""

from enum import StrEnum
from pathlib import Path

from app.audit.canonical import GENESIS
from app.audit.errors import AuditError
from app.audit.journal import head_of, torn_path
from app.audit.lines import Link, is_sound, read_line
from slo.records import dataclass


class FaultKind(StrEnum):
    """What happened to a record."""

    EDITED = "edited"
    REMOVED = "removed"
    MISPLACED = "misplaced"
    TORN = "torn"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFault:
    """One thing that is wrong; `line` counts from 1, `seq` is the number of the record.

    What is `set_aside` was never acknowledged: it is worth knowing and breaks nothing.
    """

    kind: FaultKind
    message: str
    line: int | None = None
    seq: int | None = None

    @property
    def breaks(self) -> bool:
        """Whether the log is no longer what was written."""
        return self.kind is not FaultKind.SET_ASIDE


def verify(path: Path) -> tuple[AuditFault, ...]:
    """Return everything that is wrong with a log, in order; raises `AuditError` if it is gone."""
    check = _Check()
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                check.line(number, line)
    except OSError as cause:
        raise AuditError(
            f"the audit log {path} cannot be read: {cause.strerror or cause}"
        ) from cause
    check.end(head_of(path))
    return (*check.faults, *_set_aside(path))


class _Check:
    """The walk along a chain."""

    def __init__(self) -> None:
        self.faults: list[AuditFault] = []
        self._last = Link(seq=0, prev=GENESIS, hash=GENESIS)
        self._lines = 0
        # Lines since the last record that could be read: the next one's place allows for them.
        self._lost = 0

    def line(self, number: int, line: bytes) -> None:
        self._lines = number
        if not line.endswith(b"\n"):
            self._report(FaultKind.TORN, f"line {number} has no end: its record was torn", number)
            return
        text = line[:-1]
        found = read_line(text)
        if found is None:
            message = f"line {number} is no record: it was edited or torn"
            self._lost += 1
            self._report(FaultKind.EDITED, message, number, self._last.seq + self._lost)
            return
        record, link = found
        if not is_sound(text, record, link):
            message = f"record {link.seq} in line {number} was edited"
            self._report(FaultKind.EDITED, message, number, link.seq)
        self._check_place(number, link)
        self._last, self._lost = link, 0

    def end(self, head: Link | None) -> None:
        """Compare the end with what was noted of it; a crash may leave the note one behind."""
        if head is None or (head.seq, head.hash) == (self._last.seq, self._last.hash):
            return
        first = self._last.seq + self._lost + 1
        if head.seq >= first:
            message = f"{_numbers(first, head.seq)} {_was(first, head.seq)} removed from the end"
            self._report(FaultKind.REMOVED, message, None, first)
        elif head.seq == self._last.seq:
            message = f"record {head.seq} is not the one that was written"
            self._report(FaultKind.EDITED, message, self._lines, head.seq)

    def _check_place(self, number: int, link: Link) -> None:
        expected = self._last.seq + 1 + self._lost
        if link.seq > expected:
            missing = _numbers(expected, link.seq - 1)
            message = f"{missing} {_was(expected, link.seq - 1)} removed before line {number}"
            self._report(FaultKind.REMOVED, message, number, expected)
        elif link.seq < expected:
            message = f"record {link.seq} in line {number} stands where {expected} should"
            self._report(FaultKind.MISPLACED, message, number, link.seq)
        elif not self._lost and link.prev != self._last.hash:
            message = (
                f"record {link.seq} in line {number} does not follow the one before it: one of "
                "them was replaced"
            )
            self._report(FaultKind.EDITED, message, number, link.seq)

    def _report(
        self, kind: FaultKind, message: str, line: int | None, seq: int | None = None
    ) -> None:
        self.faults.append(AuditFault(kind=kind, message=message, line=line, seq=seq))


def _numbers(first: int, last: int) -> str:
    return f"record {first}" if first == last else f"records {first} to {last}"


def _was(first: int, last: int) -> str:
    return "was" if first == last else "were"


def _set_aside(path: Path) -> list[AuditFault]:
    faults, number = [], 1
    while (piece := torn_path(path, number)).exists():
        message = f"an unfinished line of {piece.stat().st_size} bytes was set aside: {piece.name}"
        faults.append(AuditFault(kind=FaultKind.SET_ASIDE, message=message))
        number += 1
    return faults
