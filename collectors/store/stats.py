"""How much is in a store."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.signals import Signal
from collectors.store.fresh import Fresh
from collectors.store.layout import Layout
from collectors.store.manifest import Segment
from collectors.store.snapshot import Snapshot
from collectors.store.times import rfc3339
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalStats:
    """What is stored of a signal, the write-ahead part included; times in Unix nanoseconds."""

    records: int
    bytes: int
    oldest: int | None
    newest: int | None
    segments: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStats:
    """What is stored, and how many files were set aside."""

    signals: Mapping[Signal, SignalStats]
    quarantined: int

    def as_json(self) -> dict[str, object]:
        """The figures with times in RFC 3339."""
        return {
            "signals": {
                signal.value: {
                    "records": each.records,
                    "bytes": each.bytes,
                    "oldest": None if each.oldest is None else rfc3339(each.oldest),
                    "newest": None if each.newest is None else rfc3339(each.newest),
                    "segments": each.segments,
                }
                for signal, each in self.signals.items()
            },
            "quarantined": self.quarantined,
        }


def stats(snapshot: Snapshot) -> StoreStats:
    """Count what a snapshot holds, every row once."""
    quarantine = Layout(root=snapshot.root).quarantine
    aside = sum(path.is_file() for path in quarantine.iterdir()) if quarantine.is_dir() else 0
    signals = {signal: _signal_stats(snapshot, signal) for signal in Signal}
    return StoreStats(signals=signals, quarantined=aside + len(snapshot.unreadable))


def _signal_stats(snapshot: Snapshot, signal: Signal) -> SignalStats:
    fresh_rows = snapshot.count_fresh(signal)
    files = snapshot.files(signal)
    every: tuple[Segment | Fresh, ...] = (*files.segments, *files.fresh)
    return SignalStats(
        records=sum(each.rows for each in files.segments) + fresh_rows,
        bytes=sum(each.bytes for each in every),
        oldest=min((each.start for each in every), default=None),
        newest=max((each.end for each in every), default=None),
        segments=len(files.segments),
    )
