"""Frames as files and as tables: CSV that no spreadsheet runs, times that people read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from slo.printable import printable

if TYPE_CHECKING:
    import pandas as pd

TIMES = (
    "time",
    "end",
    "first",
    "last",
    "first_seen",
    "last_seen",
    "metrics_at",
    "logs_at",
    "traces_at",
)
"""Columns that hold Unix nanoseconds."""

_RUNS = ("=", "+", "-", "@", "\t", "\r")


def escaped(cell: object) -> object:
    """A cell that a spreadsheet takes for text: what it could take for a formula gets a quote."""
    if isinstance(cell, str):
        return f"'{cell}" if cell.lstrip(" ").startswith(_RUNS) else cell
    if isinstance(cell, list | tuple | dict):
        return escaped(json.dumps(cell, ensure_ascii=False, default=str))
    return cell


def csv(frame: pd.DataFrame) -> bytes:
    """The frame as CSV with a header, times in RFC 3339, and no cell that a spreadsheet runs."""
    shown = with_times(frame)
    for name in shown.columns:
        if shown[name].dtype == object or str(shown[name].dtype).startswith(("str", "string")):
            shown[name] = shown[name].astype(object).map(escaped, na_action="ignore")
    shown.columns = [str(escaped(str(name))) for name in shown.columns]
    text: str = shown.to_csv(
        index=False, lineterminator="\r\n", date_format="%Y-%m-%dT%H:%M:%S.%fZ"
    )
    return text.encode()


def with_times(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with instants in the place of nanoseconds."""
    import pandas as pd  # noqa: PLC0415 - loaded with the first frame

    shown = frame.copy()
    for name in TIMES:
        if name in shown.columns and not pd.api.types.is_datetime64_any_dtype(shown[name]):
            numbers = pd.to_numeric(shown[name], errors="coerce").astype("Int64")
            shown[name] = pd.to_datetime(numbers, unit="ns", utc=True)
    return shown


def one_line(text: object) -> object:
    """Untrusted text for a table's cell: on one line, nothing invisible; missing stays missing."""
    return printable(text) if isinstance(text, str) else text


def cleaned(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """The frame with instants, and with untrusted columns made fit for a table."""
    shown = with_times(frame)
    for name in columns:
        if name in shown.columns:
            shown[name] = shown[name].astype(object).map(one_line, na_action="ignore")
    return shown
