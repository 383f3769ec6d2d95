"""Suggestions for words that are not known."""

import pytest

from slo.suggest import suggest


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("objectve", "objective"),
        ("OBJECTIVE", "objective"),
        ("slower_than", "slowerThan"),
        ("slower-than", "slowerThan"),
        ("colour", None),
        ("o" * 10_000, None),
    ],
)
def test_suggestions(word: str, expected: str | None) -> None:
    """A near word is found whatever its case and hyphens; a far one is not guessed."""
    assert expected == suggest(word, ["name", "objective", "slowerThan"])
