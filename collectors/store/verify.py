"""Looking for damage in a store, while others may write to it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from collectors.signals import Signal
from collectors.store import fresh, textindex
from collectors.store.damage import is_whole
from collectors.store.fresh import UnreadableError
from collectors.store.layout import Layout
from collectors.store.manifest import Manifest, Segment, read_manifest


def verify(path: Path) -> list[str]:
    """Problems of a store's files, a sentence each; none is an empty list.

    Reads every file. What a killed writer leaves behind (temporary files, segments that no
    manifest names) is normal. Raises ``StoreMissing`` where there is no store, and
    ``SourceUnavailable`` for a manifest that cannot be read.
    """
    layout = Layout(root=path.absolute())
    manifest = read_manifest(layout.manifest)
    problems = [
        f"{each.path} {problem}"
        for each in manifest.segments
        if (problem := _segment_problem(layout, each)) is not None
    ]
    for signal in Signal:
        problems += _fresh_problems(layout, signal, manifest)
    if not problems:
        return []
    # A file that was replaced meanwhile is no problem.
    now = read_manifest(layout.manifest)
    listed = {each.path for each in now.segments}
    return [each for each in problems if _is_current(each.split(" ", 1)[0], listed, now, layout)]


def repairable(path: Path) -> list[str]:
    """What is damaged and costs only time, a sentence each: compacting makes it anew.

    Raises as `verify` does.
    """
    layout = Layout(root=path.absolute())
    found = textindex.damaged(layout, read_manifest(layout.manifest))
    return [f"{layout.relative(each)} is not as it was written" for each in found]


def _segment_problem(layout: Layout, segment: Segment) -> str | None:
    path = layout.root / segment.path
    if not path.exists():
        return "is missing"
    if not is_whole(path, segment):
        return "is not as it was written"
    try:
        rows = pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowException, ValueError):
        return "does not parse"
    return None if rows == segment.rows else f"has {rows} rows, not {segment.rows}"


def _fresh_problems(layout: Layout, signal: Signal, manifest: Manifest) -> list[str]:
    problems = []
    folder = layout.fresh(signal)
    for name in fresh.names(folder, after=manifest.up_to(signal)):
        shown = layout.relative(folder / name)
        try:
            if not fresh.is_intact(folder / name):
                problems.append(f"{shown} is not as it was written")
            else:
                fresh.read_footer(folder / name)
        except UnreadableError:
            problems.append(f"{shown} does not parse")
        except FileNotFoundError:
            continue
        except OSError as cause:
            problems.append(f"{shown} cannot be read: {cause.strerror}")
    return problems


def _is_current(name: str, listed: set[str], manifest: Manifest, layout: Layout) -> bool:
    if name.startswith("segments/"):
        return name in listed
    number = fresh.number_of(Path(name).name) or 0
    signal = Signal(Path(name).parent.name)
    return number > manifest.up_to(signal) and (layout.root / name).exists()
