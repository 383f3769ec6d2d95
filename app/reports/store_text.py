"""The contents of a store as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_HEAD = ("SIGNAL", "RECORDS", "BYTES", "SEGMENTS", "OLDEST", "NEWEST")
_RIGHT = frozenset({"RECORDS", "BYTES", "SEGMENTS"})


def stats_text(stats: Mapping[str, Any]) -> str:
    """A line for each signal, and one for files that were set aside."""
    rows = [_HEAD]
    rows += [
        (
            signal,
            f"{each['records']:,}",
            f"{each['bytes']:,}",
            f"{each['segments']:,}",
            each["oldest"] or "-",
            each["newest"] or "-",
        )
        for signal, each in stats["signals"].items()
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    if aside := stats["quarantined"]:
        files = "file was" if aside == 1 else "files were"
        lines.append(f"{aside} {files} set aside: see the folder quarantine")
    return "".join(f"{line}\n" for line in lines)


def _cells(row: tuple[str, ...], widths: list[int]) -> list[str]:
    return [
        cell.rjust(width) if name in _RIGHT else cell.ljust(width)
        for name, cell, width in zip(_HEAD, row, widths, strict=True)
    ]
