"""Which sources a service level is read from, and what to call them."""

from __future__ import annotations

from slo.clusters import source_of
from slo.model import ServiceLevel


def sources_of(level: ServiceLevel, default: str | None) -> tuple[str, ...]:
    """Return the references of all sources that hold a part of a service level, each once.

    An indicator that names its own source has no other.
    """
    own = level.slo.indicator.source
    if own is not None:
        return (own,)
    found = [source_of(cluster, default) for cluster in level.environment.clusters] or [default]
    return tuple(dict.fromkeys(each for each in found if each is not None))


def place(level: ServiceLevel, source: str, default: str | None) -> str:
    """Name the clusters that a source holds, such as ``eu (prometheus/eu)``."""
    names = [c.name for c in level.environment.clusters if source_of(c, default) == source]
    return f"{', '.join(names)} ({source})" if names else source
