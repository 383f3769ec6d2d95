"""Which labels select an environment's clusters, as few sets of matchers as possible."""

from __future__ import annotations

from collections.abc import Sequence

from slo.model import Cluster
from slo.promql import Matcher

_SPECIAL = frozenset("\\.+*?()|[]{}^$")


def matcher_sets(
    clusters: Sequence[Cluster], source: str | None = None, default_source: str | None = None
) -> tuple[tuple[Matcher, ...], ...]:
    """One tuple of matchers per group of clusters; together they select every cluster once.

    Clusters that differ in the value of one label share a set with a pattern for it. With
    ``source``, clusters of other sources are left out.
    """
    held = [
        cluster
        for cluster in clusters
        if source is None or (cluster.source or default_source) in {source, None}
    ]
    distinct = list(dict.fromkeys(tuple(sorted(cluster.match.items())) for cluster in held))
    if not distinct:
        return ((),) if not clusters else ()
    merged = _merged(distinct)
    if merged is not None:
        return (merged,)
    return tuple(
        tuple(Matcher(name=name, value=value) for name, value in matches) for matches in distinct
    )


def source_of(cluster: Cluster, default_source: str | None) -> str | None:
    """The source that holds a cluster."""
    return cluster.source or default_source


def pattern(values: Sequence[str]) -> str:
    """A regular expression that matches exactly the given values."""
    return "|".join("".join(f"\\{c}" if c in _SPECIAL else c for c in value) for value in values)


def _merged(distinct: Sequence[tuple[tuple[str, str], ...]]) -> tuple[Matcher, ...] | None:
    """The one set that covers all, when they have the same labels and one of them varies."""
    names = [tuple(name for name, _ in matches) for matches in distinct]
    if len(set(names)) != 1:
        return None
    columns = list(
        zip(*(tuple(value for _, value in matches) for matches in distinct), strict=True)
    )
    if sum(len(set(column)) > 1 for column in columns) > 1:
        return None
    return tuple(
        Matcher(name=name, value=column[0])
        if len(set(column)) == 1
        else Matcher(name=name, op="=~", value=pattern(sorted(set(column))))
        for name, column in zip(names[0], columns, strict=True)
    )
