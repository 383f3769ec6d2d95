"""One line of a file cut around a place, with carets below it."""

import re
from unicodedata import combining, east_asian_width

from slo.printable import printable_character

_SECRET = re.compile(
    r"(?i)((?:password|passwd|secret|token|(?:api|application|access|routing)[-_]?key"
    r"|access[-_]?(?:key[-_]?)?id|authorization|apiurl)"
    r"[\"']?\s*:\s+)"
    r"(\"[^\"]*\"|'[^']*'|[^,}#\n]+)"
)
_LONGEST_KEY = 256
_BREAK = re.compile(r"\r\n|\r|\n")


def split_lines(text: str) -> list[str]:
    """Return the lines of a file as editors count them: ended by LF, CRLF or CR alone."""
    return _BREAK.split(text)


def excerpt(line: str, column: int, end_column: int | None, width: int) -> tuple[str, str]:
    """Return the printable line and the carets that underline part of it.

    Columns count from 1; without an end the line is underlined to its last character. What does
    not fit into `width` columns is cut away on both sides of the place and replaced by `…`. A value
    behind a key that names a secret is starred: excerpts end up in logs.
    """
    start = min(max(column - 1, 0), len(line))
    end = len(line.rstrip()) if end_column is None else min(end_column - 1, len(line))
    # No character is cut that could be shown; only pieces near the place are worth escaping.
    first, last = max(0, start - width), min(len(line), start + width)
    cells = [printable_character(character) for character in _starred(line, first, last)]
    left, right = _window(cells, start - first, width, more=(first > 0, last < len(line)))
    lead = "…" if first + left > 0 else ""
    tail = "…" if first + right < len(line) else ""
    shown = lead + "".join(cells[left:right]) + tail
    before = _width(lead) + sum(map(_width, cells[left : start - first]))
    carets = sum(map(_width, cells[start - first : min(end - first, right)]))
    return shown, " " * before + "^" * max(1, carets)


def _starred(line: str, first: int, last: int) -> str:
    """Part of a line without its secrets; the key may stand before the part, but not far."""
    begin = max(0, first - _LONGEST_KEY)
    starred = _SECRET.sub(lambda found: found[1] + "*" * len(found[2]), line[begin:last])
    return starred[first - begin :]


def _window(
    cells: list[str], start: int, width: int, *, more: tuple[bool, bool]
) -> tuple[int, int]:
    """Return which cells to show: all if they fit, else a third of the width before the place."""
    widths = [_width(cell) for cell in cells]
    if sum(widths) <= width and not any(more):
        return 0, len(cells)
    left, room = start, width // 3
    while left > 0 and room >= widths[left - 1]:
        left -= 1
        room -= widths[left]
    right, room = left, width - 2
    while right < len(cells) and room >= widths[right]:
        room -= widths[right]
        right += 1
    while left > 0 and room >= widths[left - 1]:
        left -= 1
        room -= widths[left]
    return left, right


def _width(cell: str) -> int:
    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1
        for character in cell
    )
