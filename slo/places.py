"""Places inside a value: where a part of a scalar's text stands in its file."""

from slo._excerpt import split_lines
from slo.nodes import Scalar
from slo.problems import Span


def place_within(node: Scalar, start: int, end: int, text: str) -> Span:
    """Return the place of a scalar's characters from `start` up to, not including, `end`.

    `text` is the file. Where the file writes that line of the value in another way (escapes,
    folding) or more than once, the place is that of the whole scalar.
    """
    before = node.text[:start]
    line = split_lines(node.text)[len(split_lines(before)) - 1]
    offset = len(split_lines(before)[-1])
    length = min(max(end - start, 1), max(len(line) - offset, 1))
    hits = [] if not line.strip() else list(_hits(node.span, line, text))
    if len(hits) != 1:
        return node.span
    number, column = hits[0]
    return Span(
        file=node.span.file,
        line=number,
        column=column + offset,
        end_line=number,
        end_column=column + offset + length,
    )


def _hits(span: Span, wanted: str, text: str) -> list[tuple[int, int]]:
    """Return line and column of every occurrence of one line's text within a span."""
    lines = split_lines(text.removeprefix("\ufeff"))
    hits = []
    for number in range(span.line, min(span.end_line, len(lines)) + 1):
        line = lines[number - 1]
        first = span.column - 1 if number == span.line else 0
        last = span.end_column - 1 if number == span.end_line else len(line)
        found = line.find(wanted, first, last)
        while found >= 0:
            hits.append((number, found + 1))
            found = line.find(wanted, found + 1, last)
    return hits
