"""Files of lines cut into batches; memory stays bounded whatever a file holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from slo.records import dataclass

LINES = 5_000
BYTES = 4 * 2**20
"""A batch is full with that many lines or bytes, whichever comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Lines with their ends; ``first`` is the number of the first, counted from 1.

    ``read`` is how many bytes of the file they were, those of cut lines included.
    """

    first: int
    lines: tuple[bytes, ...]
    read: int


def batches(
    file: BinaryIO, longest: int, *, most: int = LINES, largest: int = BYTES
) -> Iterator[Batch]:
    """Cut a file into batches of so many lines or bytes.

    Of a line longer than ``longest`` bytes only that many and one more are kept.
    """
    first, lines, read, size = 1, list[bytes](), 0, 0
    for line, length in _lines(file, longest):
        lines.append(line)
        read += length
        size += len(line)
        if len(lines) >= most or size >= largest:
            yield Batch(first=first, lines=tuple(lines), read=read)
            first, lines, read, size = first + len(lines), [], 0, 0
    if lines:
        yield Batch(first=first, lines=tuple(lines), read=read)


def _lines(file: BinaryIO, longest: int) -> Iterator[tuple[bytes, int]]:
    while line := file.readline(longest + 1):
        length = len(line)
        ended = line.endswith(b"\n") or length <= longest
        while not ended:
            rest = file.readline(longest + 1)
            length += len(rest)
            ended = not rest or rest.endswith(b"\n")
        yield line, length
