"""What the rows of one resource have in common, written once and repeated by index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from collectors.joining import Joiner, Known, Ownership
from collectors.joining import facts as names
from collectors.receive.decoded import Refused
from collectors.receive.limits import Limits, cut
from collectors.receive.values import Values, dumps
from collectors.signals import COMMON, SCHEMAS, Signal
from slo.records import dataclass

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "team": ("org.team", "labels.team", "team"),
    "service": names.SERVICE_NAME,
    "version": ("service.version", "version"),
    "cluster": names.CLUSTER,
    "namespace": names.NAMESPACE,
    "pod": names.POD,
    "host": names.HOST,
}
"""The attributes behind the columns that every signal has, the first one present counts."""

_OWNER = ("app", "env", "component", "rung", "claimants", "missing")
_SHARED = (*_OWNER, *COLUMNS, "resource", "scope")
assert {field.name for field in COMMON} == {"time", *_OWNER, *COLUMNS}

Group = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns that rows have of their own, and the number of each row's group."""

    groups: np.ndarray[Any, np.dtype[np.int32]]
    arrays: Mapping[str, pa.Array[Any]]

    @classmethod
    def of_rows(
        cls, signal: Signal, names_of_rows: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> Columns:
        """Turn rows, of which there is at least one; the first value is their group's number."""
        groups, *columns = zip(*rows, strict=True)
        schema = SCHEMAS[signal]
        arrays = {
            name: pa.array(column, schema.field(name).type)
            for name, column in zip(names_of_rows, columns, strict=True)
        }
        return cls(groups=np.array(groups, np.int32), arrays=arrays)


class Source:
    """Who sent a batch's records: a resource, its columns and its place in the catalogue."""

    __slots__ = ("columns", "json", "known", "values")

    def __init__(self, joiner: Joiner, values: Values, json: str | None, limits: Limits) -> None:
        self.values = values
        self.json = json
        self.known: Known = joiner.known(values)
        self.columns = columns_of(values, limits)


def columns_of(values: Mapping[str, object], limits: Limits) -> tuple[str | None, ...]:
    """The columns of every signal that attributes tell, in the order of ``COLUMNS``."""
    return tuple(_text(values, keys, limits.name) for keys in COLUMNS.values())


def _text(values: Mapping[str, object], keys: Iterable[str], longest: int) -> str | None:
    for key in keys:
        value = values.get(key)
        if isinstance(value, str) and value:
            return cut(value, longest)
    return None


class Groups:
    """The distinct sets of common columns of one table."""

    __slots__ = ("_groups", "_most", "_owners")

    def __init__(self, most: int) -> None:
        self._most = most
        self._groups: dict[Group, int] = {}
        self._owners: dict[Ownership, Group] = {}

    def index(
        self,
        owner: Ownership,
        columns: tuple[str | None, ...],
        resource: str | None,
        scope: str | None,
    ) -> int:
        """Return the number of a set of common columns."""
        written = self._owners.get(owner)
        if written is None:
            written = self._owners[owner] = _written(owner)
        group = (*written, *columns, resource, scope)
        return self._groups.setdefault(group, len(self._groups))

    def table(self, signal: Signal, columns: Columns) -> pa.Table:
        """Make a table of columns by putting what groups share beside them.

        Raises ``Refused`` (413) when that would be too much to repeat.
        """
        schema = SCHEMAS[signal]
        rows = len(columns.groups)
        self._check_size(columns)
        arrays = dict(columns.arrays)
        for name, values in zip(_SHARED, zip(*self._groups, strict=True), strict=True):
            arrays[name] = _repeated(values, schema.field(name).type, columns)
        return pa.Table.from_arrays(
            [arrays.get(each.name, pa.nulls(rows, each.type)) for each in schema],
            schema=schema,
        )

    def _check_size(self, columns: Columns) -> None:
        sizes = [
            sum(len(part) for part in group if isinstance(part, str)) for group in self._groups
        ]
        counts = np.bincount(columns.groups, minlength=len(sizes)).tolist()
        if sum(size * rows for size, rows in zip(sizes, counts, strict=True)) > self._most:
            raise Refused(413, "the records share too long a resource; send fewer at a time")


def _repeated(values: Sequence[object], kind: pa.DataType, columns: Columns) -> pa.Array[Any]:
    different = pa.array(values, kind)
    if len(values) > 1 and different.null_count < len(values):
        return different.take(pa.array(columns.groups))
    first: Any = different[0]
    found: pa.Array[Any] = pa.repeat(first, len(columns.groups))
    return found


def _written(owner: Ownership) -> Group:
    claimants = dumps(list(owner.claimants)) if owner.claimants else None
    return (owner.app, owner.env, owner.component, owner.rung, claimants, owner.missing)
