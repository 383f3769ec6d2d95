"""How long and how much a store keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from collectors.signals import Signal
from collectors.store.manifest import Manifest, Segment
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """The most that is kept of a signal: ``age`` in nanoseconds, ``size`` in bytes on disk."""

    age: int | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """What is kept of each signal; one that is not named is kept for ever.

    Whole segments go. Of one app and day it goes once its last row is past the limit; what is not
    compacted yet, which is little, goes after that.
    """

    limits: Mapping[Signal, Limit] = field(default_factory=dict)


def expired(manifest: Manifest, policy: Retention, now_ns: int) -> list[Segment]:
    """The segments past their limits: those too old, then the oldest of what is too much."""
    found = []
    for signal, limit in policy.limits.items():
        newest_first = sorted(manifest.of(signal), key=lambda each: each.end, reverse=True)
        size = 0
        full = False
        for each in newest_first:
            size += each.bytes
            full = full or (limit.size is not None and size > limit.size)
            if full or (limit.age is not None and each.end < now_ns - limit.age):
                found.append(each)
    return found
