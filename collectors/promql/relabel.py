"""Functions that change labels."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.promql.errors import PromqlError
from collectors.promql.matching import expanded, full_match
from collectors.promql.values import Labels, Matrix, distinct, labels_of


def label_replace(matrix: Matrix, target: str, template: str, source: str, pattern: str) -> Matrix:
    """Set a label from a template where the pattern matches the source label as a whole."""
    _check(target)
    matrix = distinct(matrix)
    given = [dict(labels).get(source, "") for labels in matrix.labels]
    texts = dict.fromkeys(given)
    hits = full_match(pattern, list(texts))
    matched = [text for text, hit in zip(texts, hits, strict=True) if hit]
    made = dict(zip(matched, expanded(pattern, template, matched), strict=True))
    changed = [
        _with(labels, target, made[value]) if value in made else labels
        for labels, value in zip(matrix.labels, given, strict=True)
    ]
    return distinct(matrix.relabelled(changed), overlap_only=False)


def label_join(matrix: Matrix, target: str, separator: str, sources: Sequence[str]) -> Matrix:
    """Set a label to the values of others, joined."""
    _check(target)
    matrix = distinct(matrix)
    changed = []
    for labels in matrix.labels:
        known = dict(labels)
        joined = separator.join(known.get(name, "") for name in sources)
        changed.append(_with(labels, target, joined))
    return distinct(matrix.relabelled(changed), overlap_only=False)


def _with(labels: Labels, name: str, value: str) -> Labels:
    return labels_of({**dict(labels), name: value})


def _check(name: str) -> None:
    if not name:
        raise PromqlError("the label to set has no name")
