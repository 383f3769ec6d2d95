"""Which groups of four bytes occur in texts: a small bitmap that tells where a word cannot be.

A text that holds a word holds all of the word's groups of four bytes, whatever the case, since both
are lowered first. Bitmaps have one hash (a Bloom filter with k = 1), so that a large one is folded
to a small one of the same texts. They are as large as the number of distinct groups asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from slo.logquery import And, Expression, Or, Words

Bitmap = NDArray[np.uint8]
Hashes = NDArray[np.uint32]

LENGTH = 4
"""The number of bytes in a group; shorter words are not looked for."""

_GOLDEN = np.uint32(0x9E3779B1)  # Knuth's multiplicative hashing: the upper bits are the best ones
_LARGEST = 20  # as a power of two, in bits
_SMALLEST = 10
_FULL = 1 / 8
_USELESS = 1 / 2
_AT_ONCE = 1 << 14  # what stays in the processor's cache


def bitmap(texts: pa.ChunkedArray[pa.StringScalar]) -> Bitmap:
    """The bitmap of texts; an empty one when they hold too much to tell anything."""
    contents = [_bytes(pc.utf8_lower(chunk)) for chunk in texts.chunks]
    # At most one bit for two bytes of text, however many different groups there are.
    size = min(max(sum(map(len, contents)).bit_length() - 1, _SMALLEST), _LARGEST)
    table = np.zeros(1 << size, dtype=np.bool_)
    for content in contents:
        # Groups across the ends of two texts are few, and only add to what may be there.
        for hashes in _hashes(content):
            for first in range(0, len(hashes), _AT_ONCE):
                place = hashes[first : first + _AT_ONCE] >> np.uint32(32 - size)
                table[place.astype(np.intp)] = True
    return _folded(table)


def may_meet(query: Expression) -> Callable[[Bitmap], bool] | None:
    """Whether the texts of a bitmap may hold one that meets a query.

    None when a bitmap can tell nothing of it: of short words, of ``not``, of fields.
    """
    match query:
        case Words(text=text):
            return _may_hold(text.split("*"))
        case And(parts=parts):
            telling = [one for part in parts if (one := may_meet(part)) is not None]
            return (lambda found: all(one(found) for one in telling)) if telling else None
        case Or(parts=parts):
            each = [may_meet(part) for part in parts]
            known = [one for one in each if one is not None]
            whole = bool(known) and len(known) == len(each)
            return (lambda found: any(one(found) for one in known)) if whole else None
        case _:
            return None


def _may_hold(words: Iterable[str]) -> Callable[[Bitmap], bool] | None:
    try:
        lowered = pc.utf8_lower(pa.array(list(words), pa.string()))
    except UnicodeError:
        return None
    pieces = [np.frombuffer(str(word).encode(), np.uint8) for word in lowered.to_pylist()]
    hashes = np.unique(np.concatenate([part for each in pieces for part in _hashes(each)]))
    if not len(hashes):
        return None

    def holds(found: Bitmap) -> bool:
        if not len(found):
            return True
        place = hashes >> np.uint32(32 - (len(found) * 8).bit_length() + 1)
        return bool((found[place >> 3] >> (place & 7).astype(np.uint8) & 1).all())

    return holds


def _bytes(texts: pa.Array[pa.StringScalar]) -> NDArray[np.uint8]:
    _, offsets, values = (_numbers(each) for each in texts.buffers())
    if not len(texts):
        return np.empty(0, np.uint8)
    ends = offsets.view(np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return values[ends[0] : ends[-1]]


def _numbers(buffer: pa.Buffer | None) -> NDArray[np.uint8]:
    return np.frombuffer(b"" if buffer is None else memoryview(buffer), np.uint8)


def _hashes(content: NDArray[np.uint8]) -> Iterable[Hashes]:
    """The hashes of all groups of bytes: those from the first byte, then from the second, ..."""
    for first in range(LENGTH):
        count = max(0, len(content) - first) // LENGTH
        groups = np.frombuffer(content, "<u4", count=count, offset=first) if count else _NONE
        yield groups * _GOLDEN


_NONE: Hashes = np.empty(0, np.uint32)


def _folded(table: NDArray[np.bool_]) -> Bitmap:
    """As small as it may be without being too full."""
    if np.count_nonzero(table) > len(table) * _USELESS:
        return np.empty(0, np.uint8)
    while len(table) > 1 << _SMALLEST:
        half = table.view(np.uint16) != 0
        if np.count_nonzero(half) > len(half) * _FULL:
            break
        table = half
    return np.packbits(table, bitorder="little")
