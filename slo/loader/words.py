"""Names in messages: a few of many."""

from collections.abc import Collection

_SHOWN = 8


def listed(names: Collection[str]) -> str:
    """Return the names for a sentence, the first few of them when there are many."""
    shown = list(names)[:_SHOWN]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
