"""The values inside an evaluation: matrices of series by steps, and scalars by step.

An instant vector at every step of a query is one matrix with a mask of what is present, so that
each operation runs over all steps at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from collectors.promql.errors import PromqlError
from collectors.promql.native import NativeHistogram
from slo.records import dataclass

Labels = tuple[tuple[str, str], ...]
"""Labels sorted by name, none of them empty."""

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Mask = NDArray[np.bool_]
Histograms = NDArray[np.object_]

NAME = "__name__"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The steps at which an expression is evaluated, in Unix milliseconds, ascending."""

    times: Times

    @property
    def size(self) -> int:
        """How many steps there are."""
        return len(self.times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A number at every step."""

    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Series by steps; a value counts only where it is ``present``.

    ``histograms`` has the same shape, or is ``None`` where no series has any; a cell that holds
    one has no other value.
    """

    labels: tuple[Labels, ...]
    values: Floats
    present: Mask
    histograms: Histograms | None = None

    @property
    def size(self) -> int:
        """How many series there are."""
        return len(self.labels)

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return int(self.values.shape[1])

    def floats(self) -> Matrix:
        """Return this matrix without the cells that hold histograms."""
        if self.histograms is None:
            return self
        plain = self.present & ~holding(self.histograms)
        return Matrix(labels=self.labels, values=self.values, present=plain)

    def rows(self, chosen: Sequence[int] | NDArray[np.intp]) -> Matrix:
        """Return some of the series, in the order asked for."""
        places = np.asarray(chosen, dtype=np.intp)
        if np.array_equal(places, np.arange(self.size)):
            return self
        return Matrix(
            labels=tuple(self.labels[place] for place in places),
            values=self.values[places],
            present=self.present[places],
            histograms=None if self.histograms is None else self.histograms[places],
        )

    def relabelled(self, labels: Iterable[Labels]) -> Matrix:
        """Return the same cells under other labels."""
        return Matrix(
            labels=tuple(labels),
            values=self.values,
            present=self.present,
            histograms=self.histograms,
        )


Value = Matrix | Scalar | str


def empty(steps: int) -> Matrix:
    """Return a matrix without series."""
    return Matrix(labels=(), values=np.zeros((0, steps)), present=np.zeros((0, steps), bool))


def holding(histograms: Histograms) -> Mask:
    """Tell where histograms stand."""
    found = (one is not None for one in histograms.flat)
    return np.fromiter(found, bool, histograms.size).reshape(histograms.shape)


def labels_of(labels: Mapping[str, str]) -> Labels:
    """Sort labels and leave out the empty ones, which are as good as absent."""
    return tuple(sorted((name, value) for name, value in labels.items() if value))


def without(labels: Labels, names: frozenset[str]) -> Labels:
    """Return labels without some."""
    return tuple(pair for pair in labels if pair[0] not in names)


def only(labels: Labels, names: frozenset[str]) -> Labels:
    """Return those of the labels that are asked for."""
    return tuple(pair for pair in labels if pair[0] in names)


def nameless(labels: Labels) -> Labels:
    """Return labels without the metric's name."""
    for place, (name, _) in enumerate(labels):
        # They are sorted: hardly any stand before the name.
        if name >= NAME:
            return labels[:place] + labels[place + 1 :] if name == NAME else labels
    return labels


def stack(pieces: Sequence[Matrix], steps: int) -> Matrix:
    """Put matrices below each other."""
    if not pieces:
        return empty(steps)
    held: Histograms | None = None
    if any(piece.histograms is not None for piece in pieces):
        held = np.concatenate([_histograms(piece) for piece in pieces])
    return Matrix(
        labels=tuple(one for piece in pieces for one in piece.labels),
        values=np.concatenate([piece.values for piece in pieces]),
        present=np.concatenate([piece.present for piece in pieces]),
        histograms=held,
    )


def _histograms(matrix: Matrix) -> Histograms:
    if matrix.histograms is not None:
        return matrix.histograms
    return np.full(matrix.values.shape, None, dtype=object)


def distinct(matrix: Matrix, *, overlap_only: bool = True) -> Matrix:
    """Drop series without any value and join those of the same labels.

    Raises `PromqlError` when two of them have a value at the same step; with ``overlap_only``
    false, also when they merely have the same labels.
    """
    alive = np.flatnonzero(matrix.present.any(axis=1))
    if len(alive) < matrix.size:
        matrix = matrix.rows(alive)
    places: dict[Labels, list[int]] = {}
    for place, labels in enumerate(matrix.labels):
        places.setdefault(labels, []).append(place)
    if len(places) == matrix.size:
        return matrix
    joined = matrix.rows([group[0] for group in places.values()])
    for target, group in enumerate(places.values()):
        for place in group[1:]:
            here = matrix.present[place]
            if not overlap_only or (joined.present[target] & here).any():
                raise PromqlError(
                    "vector cannot contain metrics with the same labelset: "
                    f"{written(joined.labels[target])}",
                    hint="the operation removes the label that told these series apart",
                )
            joined.values[target, here] = matrix.values[place, here]
            joined.present[target] |= here
            if joined.histograms is not None and matrix.histograms is not None:
                joined.histograms[target, here] = matrix.histograms[place, here]
    return joined


def written(labels: Labels) -> str:
    """Write labels for a message."""
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels)[:300] + "}"


def histogram_cells(matrix: Matrix) -> list[tuple[int, int, NativeHistogram]]:
    """List the cells that hold histograms, by row and step."""
    if matrix.histograms is None:
        return []
    rows, steps = np.nonzero(matrix.present & holding(matrix.histograms))
    return [
        (int(row), int(step), matrix.histograms[row, step])
        for row, step in zip(rows, steps, strict=True)
    ]
