"""The word that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

_LONGEST = 100


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word closest to a misspelt one, or None if none is close.

    Case, hyphens and underscores do not count: `slower_than` is `slowerThan`.
    """
    if len(word) > _LONGEST:
        return None
    folded = {_fold(name): name for name in known}
    close = get_close_matches(_fold(word), folded, n=1, cutoff=0.7)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean "…"?` to follow a message, or nothing."""
    found = suggest(word, known)
    return "" if found is None else f'; did you mean "{found}"?'


def _fold(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")
