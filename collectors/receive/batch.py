"""One request on its way to a table: its rows, their owners, and what was rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from google.protobuf.message import DecodeError

from collectors.joining import Joiner, Ownership
from collectors.receive.decoded import Decoded, Refused, Rejects
from collectors.receive.groups import Columns, Groups, Source
from collectors.receive.limits import Limits, cut
from collectors.receive.series import Series, SeriesBook
from collectors.receive.values import Attributes, Values, dumps
from collectors.receive.views import otlp
from collectors.receive.wire import View
from collectors.signals import Signal, empty

_MOST = 4096
_LONGEST = 8_192
_Value = TypeVar("_Value")


class Memory:
    """What a decoder remembers between batches: resources, scopes and attributes by bytes."""

    def __init__(self, joiner: Joiner, limits: Limits) -> None:
        self.joiner = joiner
        self.limits = limits
        self.attributes = Attributes(limits)
        self.book = SeriesBook(self.attributes, limits, app=joiner.app)
        self._sources: dict[bytes, Source] = {}
        self._scopes: dict[bytes, str | None] = {}

    def source(self, raw: bytes) -> Source:
        """Read a resource; raises ``ValueError`` when it is none."""
        found = self._sources.get(raw)
        if found is None:
            text, values = self.attributes.read(_parsed("Resource", raw).attributes)
            found = Source(self.joiner, values, text, self.limits)
            _keep(self._sources, raw, found)
        return found

    def scope(self, raw: bytes) -> str | None:
        """Read an instrumentation scope as JSON, None when it says nothing."""
        if raw in self._scopes:
            return self._scopes[raw]
        found = self._scope(_parsed("Scope", raw))
        _keep(self._scopes, raw, found)
        return found

    def _scope(self, scope: View) -> str | None:
        _, values = self.attributes.read(scope.attributes)
        longest = self.limits.name
        said: Values = {
            "name": cut(scope.name.decode(), longest),
            "version": cut(scope.version.decode(), longest),
            "attributes": values,
        }
        said = {key: value for key, value in said.items() if value}
        return dumps(said) if said else None


def _keep(memory: dict[bytes, _Value], raw: bytes, value: _Value) -> None:
    if len(raw) > _LONGEST:
        return
    if len(memory) >= _MOST:
        memory.clear()
    memory[raw] = value


def _parsed(name: str, raw: bytes) -> View:
    view: View = otlp()[name]()
    try:
        view.ParseFromString(raw)
    except DecodeError as error:
        raise ValueError(f"a {name.lower()} cannot be decoded") from error
    return view


class Batch:
    """The rows of one table in the making; each begins with the number of its group.

    A reader that makes columns sets ``columns`` instead of adding to ``rows``. ``bounds`` are those
    of histograms that were found to be right.

    ``at`` is when the batch arrived, in Unix nanoseconds.
    """

    def __init__(self, memory: Memory, at: int, rejects: Rejects | None = None) -> None:
        self.memory = memory
        self.limits = memory.limits
        self.attributes = memory.attributes
        self.at = at
        self._records = 0
        self.rows: list[tuple[Any, ...]] = []
        self.columns: Columns | None = None
        self.rejects = Rejects() if rejects is None else rejects
        self.bounds: set[tuple[float, ...]] = set()
        self._groups = Groups(memory.limits.repeated)
        self._of_series: dict[tuple[int, str | None], tuple[int, Series]] = {}

    def origin(self, resource: bytes, scope: bytes, count: int) -> tuple[Source, str | None] | None:
        """Read who sent records and by what; counts them as rejected when that cannot be read.

        Raises ``Refused`` (413) when the batch has more records than allowed.
        """
        self._records += count
        if self._records > self.limits.records:
            raise Refused(413, f"a request may have {self.limits.records} records at most")
        try:
            return self.memory.source(resource), self.memory.scope(scope)
        except ValueError as error:
            if count:
                self.rejects.add(explained(error), count)
            return None

    def group(self, owner: Ownership, source: Source, scope: str | None) -> int:
        """Return the number of the columns that records of one owner and source share."""
        return self._groups.index(owner, source.columns, source.json, scope)

    def group_of_series(self, series: Series, source: Source, scope: str | None) -> int:
        """Return the number of the columns that points of one series share."""
        # By identity, which takes less time than by value; the entry keeps the series alive.
        found = self._of_series.get((id(series), scope))
        if found is None:
            owner = source.known.join(series.values)
            number = self._groups.index(owner, series.columns, source.json, scope)
            found = self._of_series[id(series), scope] = (number, series)
        return found[0]

    def labelled(
        self,
        owner: Ownership,
        columns: tuple[str | None, ...],
        resource: str | None = None,
        scope: str | None = None,
    ) -> int:
        """Return the number of shared columns that did not come from a resource alone."""
        return self._groups.index(owner, columns, resource, scope)

    def decoded(self, signal: Signal, columns: Sequence[str]) -> Decoded:
        """Finish: the rows, or else the columns, as a table, and what is not among them."""
        if self.rows:
            self.columns = Columns.of_rows(signal, columns, self.rows)
        return Decoded(
            signal=signal,
            table=empty(signal)
            if self.columns is None
            else self._groups.table(signal, self.columns),
            rejected=self.rejects.count,
            reason=self.rejects.reason,
        )


def explained(error: ValueError) -> str:
    """Say why a record was rejected."""
    if isinstance(error, UnicodeError):
        return "a text is not UTF-8"
    return str(error)
