"""Portable expressions mean the same in whatever an engine is given."""

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.tagging.expressions import parsed, written
from collectors.tagging.shipping import LEVEL, PRIVATE_KEY, TIME
from slo.collecting import SECRETS

PATTERNS = [
    *(secret.pattern for secret in SECRETS),
    *(LEVEL, TIME, PRIVATE_KEY),
    *("^[{]", "^[[{]x", "a|b|", "(a|b)*c{2,3}", "(?:ab|c)+d?", "^[]a-]+$", r"[^\]\-x]{2}"),
    *(r"\d+\.\w", "[\"']", "x{2,}", r"\$\{", "[[:alpha:]_]+[[:space:]]", r"a\|b", "(?:a|b)c"),
]


def plain(pattern: str) -> str:
    """The expression as Python has it: classes by name are spelt out."""
    named = {"alpha": "A-Za-z", "space": r"\s"}
    return re.sub(r"\[:(\w+):\]", lambda match: named[match[1]], pattern)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=st.text("abcx AKIA09{}[]()$'\"\\.|-:=/@~\n\té", max_size=12))
def test_what_is_written_finds_what_the_pattern_finds(pattern: str, text: str) -> None:
    """In Python's engine, whose portable part is everyone's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        expected = re.search(
            plain(pattern).replace("$", r"\Z") if pattern.endswith("$") else plain(pattern),
            text,
            re.ASCII,
        )
    warnings.simplefilter("error")
    actual = re.search(written(pattern, start=r"\A", end=r"\Z"), text, re.ASCII)

    assert (expected and expected.span()) == (actual and actual.span())


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_written_has_nothing_that_a_configuration_expands(pattern: str) -> None:
    """No quotes, no variable, and no backslash before a backslash."""
    text = written(pattern, end=r"\z")

    assert not set(text) & set("'\"$`#&")
    assert "\\\\" not in text


def test_a_bracket_without_its_partner_is_refused() -> None:
    """Patterns are checked before they come here; this one slipped through."""
    with pytest.raises(ValueError, match="without its"):
        parsed("a)b")
