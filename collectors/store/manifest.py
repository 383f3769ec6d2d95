"""The manifest: which segments are live, and which commits they have absorbed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from collectors.signals import Signal
from collectors.store.errors import StoreMissing
from slo.errors import SourceUnavailable
from slo.records import dataclass

FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A compacted file. ``start`` and ``end`` are the times of its first and last row.

    ``day`` counts from 1970; a segment without one holds several apps and days. ``columns`` is the
    fingerprint of its schema, ``digest`` that of its content.
    """

    path: str
    signal: Signal
    apps: tuple[str | None, ...]
    day: int | None
    start: int
    end: int
    rows: int
    bytes: int
    columns: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a store consists of, besides the commits that come after ``absorbed``.

    ``gone`` are files that snapshots of others may still name, and since when they are not needed.
    """

    generation: int = 0
    absorbed: Mapping[Signal, int] = field(default_factory=dict)
    segments: tuple[Segment, ...] = ()
    gone: Mapping[str, int] = field(default_factory=dict)

    def up_to(self, signal: Signal) -> int:
        """The last commit of a signal that segments hold."""
        return self.absorbed.get(signal, 0)

    def of(self, signal: Signal) -> tuple[Segment, ...]:
        """The segments of a signal."""
        return tuple(each for each in self.segments if each.signal is signal)

    def encoded(self) -> bytes:
        """The manifest as it is written."""
        document = {
            "format": FORMAT,
            "generation": self.generation,
            "absorbed": {signal.value: number for signal, number in self.absorbed.items()},
            "segments": [_segment_json(each) for each in self.segments],
            "gone": dict(self.gone),
        }
        return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; raises ``StoreMissing`` or ``SourceUnavailable`` when there is none."""
    try:
        return decode(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise StoreMissing(str(path.parent)) from None
    except OSError as cause:
        raise SourceUnavailable(
            f"{path} cannot be read: {cause.strerror}", source="store"
        ) from cause
    except (ValueError, KeyError, TypeError) as cause:
        raise SourceUnavailable(
            f"{path} is not a manifest of a store that this version reads",
            source="store",
            hint="headroom store verify says what is damaged",
        ) from cause


def decode(content: bytes) -> Manifest:
    """Read a manifest's text; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    document = json.loads(content)
    if document["format"] != FORMAT:
        raise ValueError("format")
    return Manifest(
        generation=int(document["generation"]),
        absorbed={Signal(name): int(number) for name, number in document["absorbed"].items()},
        segments=tuple(_segment(each) for each in document["segments"]),
        gone={str(name): int(since) for name, since in document["gone"].items()},
    )


def _segment_json(segment: Segment) -> dict[str, Any]:
    return {
        "path": segment.path,
        "signal": segment.signal.value,
        "apps": list(segment.apps),
        "day": segment.day,
        "start": segment.start,
        "end": segment.end,
        "rows": segment.rows,
        "bytes": segment.bytes,
        "columns": segment.columns,
        "digest": segment.digest,
    }


def _segment(document: Mapping[str, Any]) -> Segment:
    return Segment(
        path=document["path"],
        signal=Signal(document["signal"]),
        apps=tuple(document["apps"]),
        day=document["day"],
        start=document["start"],
        end=document["end"],
        rows=document["rows"],
        bytes=document["bytes"],
        columns=document["columns"],
        digest=document["digest"],
    )
