"""A collector's configuration as the ways that records take through it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """One way from a source to an output.

    ``tags`` are the static attributes with their values that a record has at its end; ``lifted``
    are the concepts whose values are taken out of the record itself.
    """

    source: str
    tags: Mapping[str, str]
    lifted: frozenset[str]
    output: str
