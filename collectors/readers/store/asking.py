"""Asking the embedded store: one snapshot a question, and where its answer comes from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from collectors.readers.store.conditions import Parameters
from collectors.readers.telemetry import Answered, TimeRange
from collectors.signals import Signal
from collectors.store import MetricFiles, Snapshot, SnapshotExpired, StoreReader
from slo.logquery import Expression
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_T = TypeVar("_T")

REFERENCE = "store"
"""How the workspace names the embedded store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of one signal; ``sql`` selects from ``records``.

    ``texts`` is what it asks of log records' texts, so that not all have to be read.
    """

    signal: Signal
    sql: str
    parameters: Parameters
    apps: Collection[str | None] | None
    range: TimeRange | None
    texts: Expression | None = None


class Asks(Protocol):
    """Whatever answers questions in SQL: the store, or rows that another source gave."""

    def frame(self, question: Question, *, notes: Sequence[str] = ()) -> Answered[pd.DataFrame]:
        """Return an answer as a frame."""
        ...


class Asker:
    """Puts questions to a store; threads may share it."""

    def __init__(self, store: StoreReader, *, deadline: float | None = None) -> None:
        self.store = store
        self._deadline = deadline

    def frame(self, question: Question, *, notes: Sequence[str] = ()) -> Answered[pd.DataFrame]:
        """Return an answer as a frame."""
        began = time.perf_counter()
        snapshot, found = self.table(question)
        return self.answered(
            found.to_pandas(), question, snapshot, seconds=time.perf_counter() - began, notes=notes
        )

    def table(self, question: Question) -> tuple[Snapshot, pa.Table]:
        """Return an answer as it comes, and the view of the store that gave it."""
        span = question.range
        return self._ask(
            lambda snapshot: snapshot.query(
                question.signal,
                question.sql,
                question.parameters.bound,
                apps=question.apps,
                start=None if span is None else span.start,
                end=None if span is None else span.end,
                deadline=self._deadline,
                texts=question.texts,
            )
        )

    def newest(
        self, question: Question, condition: str, *, columns: Sequence[str], limit: int
    ) -> tuple[Snapshot, pa.Table]:
        """Return the newest rows that meet a condition, read backwards until there are enough."""
        span = question.range
        return self._ask(
            lambda snapshot: snapshot.newest(
                question.signal,
                condition,
                question.parameters.bound,
                limit=limit,
                columns=columns,
                apps=question.apps,
                start=None if span is None else span.start,
                end=None if span is None else span.end,
                deadline=self._deadline,
                texts=question.texts,
            )
        )

    def metrics(self, read: Callable[[MetricFiles], _T]) -> _T:
        """Return what is read of the metrics of one view of the store."""
        return self._ask(lambda snapshot: read(snapshot.metrics(deadline=self._deadline)))[1]

    def _ask(self, ask: Callable[[Snapshot], _T]) -> tuple[Snapshot, _T]:
        snapshot = self.store.snapshot()
        try:
            return snapshot, ask(snapshot)
        except SnapshotExpired:
            snapshot = self.store.snapshot()
            return snapshot, ask(snapshot)

    def answered(
        self,
        frame: pd.DataFrame,
        question: Question,
        snapshot: Snapshot,
        *,
        seconds: float | None = None,
        notes: Sequence[str] = (),
    ) -> Answered[pd.DataFrame]:
        """Say where a frame comes from, how fresh it is, and which files are missing from it."""
        # A sender whose clock is a year ahead must not make everything look fresh for a year.
        before = None if question.range is None else question.range.end
        bounds = snapshot.bounds(question.signal, apps=question.apps, before=before)
        lost = snapshot.unreadable
        return Answered(
            value=frame,
            source=REFERENCE,
            query=shown(question),
            range=question.range,
            observed_at=None if bounds is None else instant(bounds[1]),
            partial=(f"{REFERENCE}: {len(lost)} unreadable files",) if lost else (),
            notes=tuple(notes),
            seconds=seconds,
        )


def shown(question: Question) -> str:
    """Return a question as text that people can read and run."""
    sql = " ".join(question.sql.split()).replace("FROM records", f"FROM {question.signal}")
    values = question.parameters.bound
    return f"{sql} -- {json.dumps(values, default=str)}" if values else sql


def instant(nanoseconds: int) -> datetime:
    """Return Unix nanoseconds as an instant, cut to microseconds."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
