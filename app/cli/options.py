"""What flags of several commands have in common."""

import argparse
from collections.abc import Callable
from typing import TypeVar

from slo.units import UnitError

_T = TypeVar("_T")


def reading(parse: Callable[[str], _T]) -> Callable[[str], _T]:
    """Return a `type=` for a flag whose text a function of `slo.units` reads.

    The function's own message and hint reach the user.
    """

    def read(text: str) -> _T:
        try:
            return parse(text)
        except UnitError as cause:
            hint = "" if cause.hint is None else f" ({cause.hint})"
            raise argparse.ArgumentTypeError(f'"{text}": {cause}{hint}') from cause

    return read
