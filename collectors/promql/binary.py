"""Operators between scalars and vectors, with the matching of series to each other.

Semantics: ``VectorBinop`` and its neighbours in Prometheus 3, ``promql/engine.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from collectors.promql.errors import PromqlError
from collectors.promql.native import scaled_by
from collectors.promql.operators import ARITHMETIC, calculate
from collectors.promql.values import (
    NAME,
    Floats,
    Labels,
    Mask,
    Matrix,
    Scalar,
    distinct,
    empty,
    labels_of,
    nameless,
    only,
    stack,
    without,
    written,
)
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """How series of two sides find each other.

    ``many`` names the side of which several series may match one of the other; ``include`` are
    labels that the result takes from the one side.
    """

    names: frozenset[str] = frozenset()
    on: bool = False
    many: str | None = None
    include: tuple[str, ...] = ()
    as_number: bool = False

    def key(self, labels: Labels) -> Labels:
        """Return the labels by which a series finds its match."""
        return only(labels, self.names) if self.on else without(labels, self.names | {NAME})

    def places(self, matrix: Matrix) -> dict[Labels, list[int]]:
        """Return the series of each match group."""
        found: dict[Labels, list[int]] = {}
        for place, labels in enumerate(matrix.labels):
            found.setdefault(self.key(labels), []).append(place)
        return found

    def result(self, operator: str, many: Labels, one: Labels) -> Labels:
        """Return the labels of a result."""
        labels = dict(many)
        if operator in ARITHMETIC or self.as_number:
            labels.pop(NAME, None)
        if self.many is None:
            kept = only if self.on else without
            labels = dict(kept(tuple(labels.items()), self.names))
        given = dict(one)
        labels.update({name: given.get(name, "") for name in self.include})
        if self.as_number:
            labels.pop(NAME, None)
        return labels_of(labels)


def scalars(operator: str, left: Scalar, right: Scalar) -> Scalar:
    """Calculate between two numbers; a comparison gives 1 or 0."""
    return Scalar(values=calculate(operator, left.values, right.values, as_number=True)[0])


def with_scalar(
    operator: str, matrix: Matrix, scalar: Scalar, *, swapped: bool, as_number: bool
) -> Matrix:
    """Calculate between a vector and a number, which is on the left when ``swapped``."""
    if matrix.histograms is not None and operator in {"*", "/"}:
        return _scaled(operator, matrix, scalar, swapped=swapped)
    matrix = matrix.floats()
    row = np.broadcast_to(scalar.values, matrix.values.shape)
    left, right = (row, matrix.values) if swapped else (matrix.values, row)
    values, kept = calculate(operator, left, right, as_number=as_number)
    is_filter = operator not in ARITHMETIC and not as_number
    return distinct(
        Matrix(
            labels=matrix.labels if is_filter else tuple(map(nameless, matrix.labels)),
            values=matrix.values if is_filter else values,
            present=matrix.present & kept,
        )
    )


def _scaled(operator: str, matrix: Matrix, scalar: Scalar, *, swapped: bool) -> Matrix:
    if swapped and operator == "/":
        return with_scalar(operator, matrix.floats(), scalar, swapped=True, as_number=False)
    assert matrix.histograms is not None, "the caller has looked"
    factor = scalar.values if operator == "*" else 1 / scalar.values
    plain = matrix.floats()
    values, _ = calculate(operator, matrix.values, scalar.values, as_number=False)
    held = matrix.present & ~plain.present
    histograms = scaled_by(matrix.histograms, held, factor)
    labels = tuple(map(nameless, matrix.labels))
    return distinct(
        Matrix(labels=labels, values=values, present=matrix.present, histograms=histograms)
    )


def sets(operator: str, left: Matrix, right: Matrix, matching: Matching) -> Matrix:
    """Keep series of the left by whether the right has their match; ``or`` adds the right's."""
    if operator == "or":
        return distinct(stack([left, _where(right, left, matching, has_match=False)], left.steps))
    return distinct(_where(left, right, matching, has_match=operator == "and"))


def _where(matrix: Matrix, other: Matrix, matching: Matching, *, has_match: bool) -> Matrix:
    """Return a matrix where the other one has, or has not, a match at the step."""
    there = {key: other.present[rows].any(axis=0) for key, rows in matching.places(other).items()}
    never = np.zeros(matrix.steps, bool)
    present = matrix.present.copy()
    for key, rows in matching.places(matrix).items():
        present[rows] &= there.get(key, never) == has_match
    return Matrix(
        labels=matrix.labels,
        values=matrix.values,
        present=present,
        histograms=matrix.histograms,
    )


def vectors(operator: str, left: Matrix, right: Matrix, matching: Matching) -> Matrix:
    """Calculate between series that match; raises `PromqlError` for an ambiguous match."""
    left, right = distinct(left), distinct(right)
    _refuse_histograms(operator, left, right)
    many, one = (right, left) if matching.many == "right" else (left, right)
    # Where a side is empty Prometheus does not look for doubles.
    both = left.present.any(axis=0) & right.present.any(axis=0)
    ones = matching.places(one)
    for key, rows in ones.items():
        if len(rows) > 1 and ((one.present[rows].sum(axis=0) > 1) & both).any():
            raise _duplicates(key, matching)
    groups = matching.places(many)
    if _is_plain(matching, groups, ones):
        return distinct(_aligned(operator, many, one, matching, (groups, ones)))
    pieces: list[Matrix] = []
    for key, rows in groups.items():
        found = list(_pairs(operator, (many.rows(rows), one.rows(ones.get(key, []))), matching))
        if matching.many is None and len(found) > 1:
            _check_single(found, key)
        pieces.extend(found)
    if not pieces:
        return empty(left.steps)
    return distinct(stack(pieces, left.steps))


_Groups = Mapping[Labels, Sequence[int]]


def _is_plain(matching: Matching, groups: _Groups, ones: _Groups) -> bool:
    """Whether each series has one partner at most, whatever the step."""
    single = matching.many is not None or all(len(rows) == 1 for rows in groups.values())
    return single and all(len(rows) == 1 for rows in ones.values())


def _aligned(
    operator: str, many: Matrix, one: Matrix, matching: Matching, sides: tuple[_Groups, _Groups]
) -> Matrix:
    """Calculate between series and their only partners, all at once."""
    groups, ones = sides
    pairs = [(row, ones[key][0]) for key, rows in groups.items() if key in ones for row in rows]
    mine, other = many.rows([row for row, _ in pairs]), one.rows([row for _, row in pairs])
    values, kept = _calculated(operator, mine.values, other.values, matching)
    labels = zip(mine.labels, other.labels, strict=True)
    return Matrix(
        labels=tuple(matching.result(operator, left, right) for left, right in labels),
        values=values,
        present=mine.present & other.present & kept,
    )


def _refuse_histograms(operator: str, left: Matrix, right: Matrix) -> None:
    if left.histograms is None and right.histograms is None:
        return
    raise PromqlError(
        f"{operator} between native histograms is not supported",
        hint="take histogram_count() or histogram_sum() of each side first",
    )


def _pairs(operator: str, sides: tuple[Matrix, Matrix], matching: Matching) -> Iterator[Matrix]:
    """Yield what each series of the many side gives with its partners in one match group."""
    many, one = sides
    for row in range(many.size):
        found: dict[Labels, tuple[Floats, Mask]] = {}
        for other in range(one.size):
            present = many.present[row] & one.present[other]
            if not present.any():
                continue
            values, kept = _calculated(operator, many.values[row], one.values[other], matching)
            labels = matching.result(operator, many.labels[row], one.labels[other])
            # At one step there is one partner; over time there may be many, in one result.
            before, there = found.get(labels, (values, np.zeros_like(present)))
            found[labels] = np.where(present, values, before), there | (present & kept)
        for labels, (values, present) in found.items():
            yield Matrix(labels=(labels,), values=values[np.newaxis], present=present[np.newaxis])


def _calculated(
    operator: str, many: Floats, one: Floats, matching: Matching
) -> tuple[Floats, Mask]:
    left, right = (one, many) if matching.many == "right" else (many, one)
    return calculate(operator, left, right, as_number=matching.as_number)


def _check_single(found: list[Matrix], key: Labels) -> None:
    if (sum(piece.present[0].astype(int) for piece in found) > 1).any():
        raise PromqlError(
            f"multiple matches for labels {written(key)}: "
            "many-to-one matching must be explicit (group_left/group_right)",
            hint="add group_left or group_right, or match on more labels",
        )


def _duplicates(key: Labels, matching: Matching) -> PromqlError:
    side = "left" if matching.many == "right" else "right"
    return PromqlError(
        f"found duplicate series for the match group {written(key)} on the {side} hand-side of "
        "the operation: many-to-many matching not allowed",
        hint="matching labels must be unique on one side",
    )
