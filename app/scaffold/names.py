"""Names of apps out of whatever stands in a label."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable

LONGEST = 40
_OTHER = re.compile(r"[^a-z0-9]+")


def sanitized(text: str, fallback: str = "app") -> str:
    """Return the name nearest to a text: lowercase letters, digits and hyphens, at most 40."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _OTHER.sub("-", plain.lower()).strip("-")[:LONGEST].strip("-") or fallback


def unused(candidates: Iterable[str], used: Collection[str]) -> str:
    """Return the first candidate that is free, or the last one with the first free number."""
    names = [sanitized(each) for each in candidates]
    for name in names:
        if name not in used:
            return name
    number = 2
    while (name := f"{names[-1][: LONGEST - len(str(number)) - 1]}-{number}") in used:
        number += 1
    return name
