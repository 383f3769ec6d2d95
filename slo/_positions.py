"""Places in a text: from the index of a character to its line and column."""

import re
from bisect import bisect_right

from slo.problems import Span

_BREAK = re.compile(r"\r\n|\r|\n")


class Positions:
    """The lines of one file.

    The parser counts U+0085 and U+2028 as line breaks and editors do not; only its character
    indexes are used.
    """

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._length = len(text)
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]

    def span(self, start: int, end: int) -> Span:
        """Return the place of the characters from an index up to, not including, another."""
        start = min(max(start, 0), self._length)
        end = min(max(end, start), self._length)
        line, column = self._position(start)
        end_line, end_column = self._position(end)
        return Span(
            file=self._file, line=line, column=column, end_line=end_line, end_column=end_column
        )

    def _position(self, index: int) -> tuple[int, int]:
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1
