"""The table of figures, as text and as JSON."""

import json
import math
from collections.abc import Mapping, Sequence
from statistics import median

from bench.model import Row

_SMALL = 0.1
_HEADINGS = ("benchmark", "measured", "value", "target", "", "figures")
_GAP = "  "


def quotient(ours: Sequence[float], peers: Sequence[float]) -> float:
    """The median of ours divided by the median of a peer's."""
    return median(ours) / median(peers)


def relative_error(found: float, true: float) -> float:
    """How far a number is from the true one, as a share of the true one."""
    return abs(found - true) / true


def shown(value: float | None, unit: str = "") -> str:
    """A figure for people: small ratios as a fraction of one."""
    if value is None:
        return "-"
    if math.isnan(value) or math.isinf(value):
        return str(value)
    if unit:
        return f"{value:.3g} {unit}"
    if 0 < value < _SMALL:
        return f"1/{1 / value:,.0f}"
    return f"{value:.2f}"


def table(rows: Sequence[Row]) -> str:
    """All rows below each other, the raw figures last."""
    cells = [_HEADINGS, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(_HEADINGS) - 1)]
    lines = [
        _GAP.join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]])
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)


def as_json(rows: Sequence[Row], about: Mapping[str, str]) -> str:
    """The rows and what they were measured with, as a JSON document."""
    document = {
        "schema": "headroom/bench/v1",
        "about": dict(about),
        "rows": [
            {
                "bench": row.bench,
                "what": row.what,
                # JSON has no NaN.
                "value": row.value if row.value is None or math.isfinite(row.value) else None,
                "unit": row.unit or "ratio",
                "target": row.target,
                "met": row.met,
                "figures": row.figures,
            }
            for row in rows
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    verdict = {True: "met", False: "MISSED", None: ""}[row.met]
    target = "" if row.target is None else f"<= {shown(row.target, row.unit)}"
    return (row.bench, row.what, shown(row.value, row.unit), target, verdict, row.figures)
