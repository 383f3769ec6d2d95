"""The arithmetic and comparison operators on numbers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from collectors.promql.values import Floats, Mask

ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}
"""What gives a number."""

COMPARISONS: dict[str, Callable[[Floats, Floats], Mask]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
"""What tells two numbers apart."""

SETS = frozenset({"and", "or", "unless"})
"""What keeps or drops whole series."""


def calculate(
    operator: str, left: Floats, right: Floats, *, as_number: bool
) -> tuple[Floats, Mask]:
    """Return the values and where they are kept; a filter keeps the left value."""
    if operator in ARITHMETIC:
        values = ARITHMETIC[operator](left, right)
        return values, np.ones(values.shape, bool)
    holds = COMPARISONS[operator](left, right)
    if as_number:
        return holds.astype(float), np.ones(holds.shape, bool)
    return np.broadcast_to(left, holds.shape), holds
