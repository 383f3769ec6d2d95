"""One unchanging view of a store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from time import monotonic

import duckdb
import pyarrow as pa

from collectors.signals import SCHEMAS, Signal
from collectors.store.damage import has_footer, is_readable
from collectors.store.engine import define, translated, within
from collectors.store.errors import SnapshotExpired
from collectors.store.fresh import Fresh
from collectors.store.manifest import Manifest, Segment
from collectors.store.metric_files import MetricCache, MetricFiles
from collectors.store.records import Files, Slice, records_sql, with_records
from collectors.store.textindex import TextIndexes
from collectors.store.windows import windows_back
from slo.errors import QueryRejected
from slo.logquery import Expression

_SELECT = duckdb.StatementType.SELECT
_SKEW = 300 * 1_000_000_000  # nanoseconds; clocks differ, and records arrive while one asks

Parameters = Mapping[str, object] | Sequence[object]


class Snapshot:
    """What was in the store at one moment; threads may share it.

    Raises, from every question: ``SnapshotExpired`` when files of it have gone (minutes later),
    ``SourceTimeout`` after ``deadline`` seconds, ``QueryRejected`` for SQL that is wrong or needs
    too much memory.
    """

    def __init__(
        self,
        *,
        root: Path,
        connection: duckdb.DuckDBPyConnection,
        manifest: Manifest,
        fresh: Mapping[Signal, Sequence[Fresh]],
        unreadable: Iterable[str],
        still_listed: Callable[[str], bool],
        cache: MetricCache,
        texts: TextIndexes,
    ) -> None:
        self._root = root
        self._connection = connection
        self._manifest = manifest
        self._fresh = fresh
        self._unreadable = frozenset(unreadable)
        self._still_listed = still_listed
        self._cache = cache
        self._texts = texts
        self._lock = Lock()

    @property
    def generation(self) -> int:
        """The number of the manifest that it shows."""
        return self._manifest.generation

    @property
    def root(self) -> Path:
        """The folder of the store."""
        return self._root

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Files found not to parse so far, which answers leave out; relative to the store."""
        return tuple(sorted(self._unreadable))

    def segments(self, signal: Signal) -> tuple[Segment, ...]:
        """The compacted files of a signal."""
        return self._manifest.of(signal)

    def commits(self, signal: Signal) -> tuple[Fresh, ...]:
        """The commits of a signal that no segment holds."""
        return tuple(self._fresh.get(signal, ()))

    def apps(self, signal: Signal) -> frozenset[str | None]:
        """The apps that have rows of a signal."""
        files: tuple[Segment | Fresh, ...] = (*self.segments(signal), *self.commits(signal))
        return frozenset(app for each in files for app in each.apps)

    def bounds(
        self,
        signal: Signal,
        *,
        apps: Collection[str | None] | None = None,
        before: int | None = None,
    ) -> tuple[int, int] | None:
        """The times of the oldest and the newest row, from files' statistics; None without rows.

        With ``apps`` they may be wider than the apps' own rows; with ``before`` neither is later
        than that.
        """
        files = self._files(signal, _slice(apps, None, before))
        both: tuple[Segment | Fresh, ...] = (*files.segments, *files.fresh)
        if not both:
            return None
        return min(each.start for each in both), max(_newest(each, before) for each in both)

    def query(
        self,
        signal: Signal,
        sql: str,
        parameters: Parameters = (),
        *,
        apps: Collection[str | None] | None = None,
        start: int | None = None,
        end: int | None = None,
        deadline: float | None = None,
        texts: Expression | None = None,
    ) -> pa.Table:
        """Run SQL that selects from ``records``.

        ``records`` has the rows of these apps (all: ``None``; unattributed ones: a member
        ``None``) with ``start <= time < end``. ``$name`` or ``?`` stand for parameters.
        ``texts`` is what the SQL asks of log records anyway: others may not be there.
        """
        return self._answer(signal, _slice(apps, start, end, texts), sql, parameters, deadline)

    def newest(
        self,
        signal: Signal,
        condition: str = "true",
        parameters: Mapping[str, object] | None = None,
        *,
        limit: int,
        columns: Sequence[str] | None = None,
        apps: Collection[str | None] | None = None,
        start: int | None = None,
        end: int | None = None,
        deadline: float | None = None,
        texts: Expression | None = None,
    ) -> pa.Table:
        """The newest rows that meet a condition, newest first; see `query` for ``texts``.

        Reads from the newest rows to the oldest and stops when it has ``limit`` of them.
        """
        files = self._files(signal, _slice(apps, start, end, texts))
        names = SCHEMAS[signal].names if columns is None else columns
        shown = ", ".join(f'"{name}"' for name in names)
        until = None if deadline is None else monotonic() + deadline
        found: list[pa.Table] = []
        missing = limit
        for low, high in windows_back(files.extents, start, end):
            left = None if until is None else until - monotonic()
            part = self.query(
                signal,
                f"SELECT {shown} FROM records WHERE ({condition})"  # noqa: S608 - the caller's own
                f" ORDER BY time DESC LIMIT {int(missing)}",
                parameters or {},
                apps=apps,
                start=low,
                end=high,
                deadline=left,
                texts=texts,
            )
            found.append(part)
            missing -= part.num_rows
            if missing <= 0:
                break
        return pa.concat_tables(found) if found else SCHEMAS[signal].empty_table().select(names)

    def metrics(self, *, deadline: float | None = None) -> MetricFiles:
        """The series and samples of metrics, for reading that SQL is too slow for."""
        return MetricFiles(
            found=lambda apps, start, end: self._files(
                Signal.METRICS, _slice(apps, start, end)
            ).paths(),
            leave_out=lambda path: self._lose([path]),
            cache=self._cache,
            until=None if deadline is None else monotonic() + deadline,
        )

    def files(self, signal: Signal) -> Files:
        """The readable files of a signal."""
        return self._files(signal, _slice(None, None, None))

    def count_fresh(self, signal: Signal) -> int:
        """The number of rows that no segment holds, each counted once."""
        if not self.files(signal).fresh:
            return 0
        everything = _slice(None, None, None)
        sql = "SELECT count(*) AS rows FROM records"
        found = self._answer(signal, everything, sql, (), None, only_fresh=True)
        return int(found.column("rows")[0].as_py())

    def _answer(
        self,
        signal: Signal,
        wanted: Slice,
        sql: str,
        parameters: Parameters,
        deadline: float | None,
        *,
        only_fresh: bool = False,
    ) -> pa.Table:
        """Answer from the files that can be read, however many cannot."""
        until = None if deadline is None else monotonic() + deadline
        while True:
            files = self._files(signal, wanted)
            left = None if until is None else until - monotonic()
            try:
                with translated():
                    return self._run(files, wanted, sql, parameters, left, only_fresh=only_fresh)
            except duckdb.Error as cause:
                if not self._leave_out(files, wanted, sql, parameters):
                    raise QueryRejected(_told(cause), source="store") from cause

    def _files(self, signal: Signal, wanted: Slice) -> Files:
        unreadable = self._unreadable
        files = Files(root=self._root, signal=signal, segments=(), fresh=())
        segments = [
            each
            for each in self.segments(signal)
            if wanted.touches(each.apps, each.start, each.end) and each.path not in unreadable
        ]
        commits = [
            each
            for each in self.commits(signal)
            if wanted.touches(each.apps, each.start, each.end)
            and self._relative(files.of_fresh(each)) not in unreadable
        ]
        parts = {}
        if wanted.texts is not None:
            parts = self._texts.where(segments, wanted.texts)
            segments = [each for each in segments if parts.get(each.path) != ()]
        return Files(root=self._root, signal=signal, segments=segments, fresh=commits, parts=parts)

    def _run(
        self,
        files: Files,
        wanted: Slice,
        sql: str,
        parameters: Parameters,
        deadline: float | None,
        *,
        only_fresh: bool = False,
        prefix: str = "",
    ) -> pa.Table:
        cursor = self._connection.cursor()
        try:
            source, variables = records_sql(files, wanted, only_fresh=only_fresh)
            define(cursor, variables)

            def work() -> pa.Table:
                whole = with_records(sql, source)
                if [each.type for each in cursor.extract_statements(whole)] != [_SELECT]:
                    raise QueryRejected("only a SELECT is answered", source="store")
                answer = cursor.sql(f"{prefix}{whole}", params=parameters or None)
                table: pa.Table = answer.to_arrow_table()
                return table

            return within(cursor, deadline, work)
        finally:
            cursor.close()

    def _leave_out(self, files: Files, wanted: Slice, sql: str, parameters: Parameters) -> bool:
        """Find the files because of which a question failed; tell whether there were any."""
        bad = [path for path in files.paths() if not has_footer(path)]
        # Reading all of every file takes long. SQL that cannot even be planned is not worth it.
        if not bad and self._has_plan(files, wanted, sql, parameters):
            bad = [path for path in files.paths() if not is_readable(path)]
        self._lose(bad)
        return bool(bad)

    def _lose(self, bad: Sequence[Path]) -> None:
        """Leave files out of all answers; raises ``SnapshotExpired`` when they have just gone."""
        for path in bad:
            name = self._relative(path)
            if not path.exists() and not self._still_listed(name):
                raise SnapshotExpired(f"{name} is no longer in the store", source="store")
        with self._lock:
            self._unreadable |= {self._relative(path) for path in bad}

    def _has_plan(self, files: Files, wanted: Slice, sql: str, parameters: Parameters) -> bool:
        try:
            self._run(files, wanted, sql, parameters, None, prefix="EXPLAIN ")
        except duckdb.Error:
            return False
        return True

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


def _newest(file: Segment | Fresh, before: int | None) -> int:
    """The time of a file's newest row before an instant, as far as its statistics tell.

    A batch with a record of next year beside those of now is sure of its oldest row only.
    """
    if before is None or file.end <= before + _SKEW:
        return file.end if before is None else min(file.end, before)
    of_a_day = isinstance(file, Segment) and file.day is not None
    return before if of_a_day else file.start


def _slice(
    apps: Collection[str | None] | None,
    start: int | None,
    end: int | None,
    texts: Expression | None = None,
) -> Slice:
    chosen = None if apps is None else frozenset(apps)
    return Slice(apps=chosen, start=start, end=end, texts=texts)


def _told(cause: duckdb.Error) -> str:
    return f"the store cannot answer: {str(cause).splitlines()[0]}"
