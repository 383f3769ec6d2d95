"""What the rows of one resource have in common, written once and repeated by index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from collectors.joining import Joiner, Known, Ownership
from collectors.joining import facts as names
from collectors.receive.decoded import Refused
from collectors.receive.limits import Limits, cut
from collectors.receive.values import Values, dumps
from collectors.signals import COMMON, SCHEMAS, Signal

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

    def table(
        self,
        signal: Signal,
        names_of_rows: Sequence[str],
        rows: Sequence[tuple[Any, ...]],
    ) -> pa.Table:
        """Make a table of rows whose first value is their group's number.

        Raises ``Refused`` (413) when what the rows share would be too much to repeat.
        """
        schema = SCHEMAS[signal]
        if not rows:
            return schema.empty_table()
        indices, *columns = zip(*rows, strict=True)
        arrays: dict[str, pa.Array[Any]] = {
            name: pa.array(column, schema.field(name).type)
            for name, column in zip(names_of_rows, columns, strict=True)
        }
        self._check_size(indices)
        taken = pa.array(indices, pa.int32())
        for name, values in zip(_SHARED, zip(*self._groups, strict=True), strict=True):
            arrays[name] = pa.array(values, schema.field(name).type).take(taken)
        return pa.Table.from_arrays(
            [arrays.get(each.name, pa.nulls(len(rows), each.type)) for each in schema],
            schema=schema,
        )

    def _check_size(self, indices: Sequence[int]) -> None:
        sizes = [
            sum(len(part) for part in group if isinstance(part, str)) for group in self._groups
        ]
        if sum(sizes[group] * rows for group, rows in Counter(indices).items()) > self._most:
            raise Refused(413, "the records share too long a resource; send fewer at a time")


def _written(owner: Ownership) -> Group:
    claimants = dumps(list(owner.claimants)) if owner.claimants else None
    return (owner.app, owner.env, owner.component, owner.rung, claimants, owner.missing)
