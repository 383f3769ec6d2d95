"""Expressions that every collector understands alike, and their POSIX form."""

import re
import subprocess

import pytest

from slo.collecting import SECRETS
from slo.portable_regex import escaped, to_posix, unportable
from slo.promql import regex_problem


@pytest.mark.parametrize(
    ("pattern", "construct"),
    [
        (r"\bword", r"\b"),
        (r"a+?", "+?"),
        (r"a{2}+", "{2}+"),
        (r"(?i)x", "(?i"),
        (r"(?P<name>x)", "(?P<name>x"),
        (r"\pL", r"\p"),
        (r"[a&&b]", "&&"),
        (r"[[:^alpha:]]", "[:^alpha:]"),
        (r"[\pL]", r"\p"),
    ],
)
def test_what_engines_disagree_on_is_named(pattern: str, construct: str) -> None:
    """So that a message can show it."""
    assert construct == unportable(pattern)


@pytest.mark.parametrize(
    ("pattern", "posix"),
    [
        (r"^\d{4}-", "^[0-9]{4}-"),
        (r"^[^\s]", "^[^[:space:]]"),
        (r"(?:a|b)\w", "(a|b)[[:alnum:]_]"),
        (r"[\d\]\-a-z]+", "[]0-9a-z-]+"),
        (r"x\.y\[", r"x\.y\["),
        (r"^(\{|\d{4}-)", r"^(\{|[0-9]{4}-)"),
        ("[]a]", "[]a]"),
        ("[^]a]", "[^]a]"),
        (r"a\tb", "a\tb"),
    ],
)
def test_shorthands_become_classes(pattern: str, posix: str) -> None:
    """POSIX has no backslash shorthands, and in its classes a backslash is itself."""
    assert unportable(pattern) is None
    assert posix == to_posix(pattern)


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (r"^\d{4}-\d{2}", "2026-11-21 started"),
        (r"^[^\s]", "first"),
        (r"^(\{|\d{4}-)", '{"a": 1}'),
        (r"[\]\-x]{2}", "a]-b"),
    ],
)
def test_the_posix_form_matches_the_same_lines(pattern: str, line: str) -> None:
    """A real POSIX engine, that of grep, agrees with ours."""
    for text in (line, f" {line[::-1]}", "  at com.example.Main"):
        ours = re.search(pattern, text) is not None
        found = subprocess.run(
            ["grep", "-E", "-e", to_posix(pattern)],
            input=text,
            text=True,
            check=False,
            capture_output=True,
        )
        assert ours == (found.returncode == 0), text


def test_escaped_text_matches_itself_only() -> None:
    """Whatever the text holds."""
    text = r"a.b*c+d?(e)[f]{1}|^$\x/y"
    assert re.fullmatch(escaped(text), text)
    assert not re.fullmatch(escaped("a.b"), "axb")
    assert regex_problem(escaped(text)) is None
    assert unportable(escaped(text)) is None


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.name)
def test_built_in_secrets_are_portable(secret: object) -> None:
    """Every collector is given the same patterns."""
    pattern = secret.pattern  # type: ignore[attr-defined]  # parametrized
    assert regex_problem(pattern) is None
    assert unportable(pattern) is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bearer-token", "Authorization: Bearer abc.def-123"),
        ("json-web-token", "eyJhbGciOi.eyJzdWIiOi.SflKxwRJ"),
        ("aws-access-key", "AKIAIOSFODNN7EXAMPLE"),
        ("password", '"password": "hunter2"'),
        ("password", "api_key=abc123"),
        ("url-password", "postgres://user:pw@db/x"),
        ("payment-card", "4111 1111 1111 1111"),
        ("payment-card", "371449635398431"),
        ("private-key", "-----BEGIN RSA PRIVATE KEY-----"),
    ],
)
def test_built_in_secrets_find_what_they_name(name: str, text: str) -> None:
    """And not an ordinary sentence."""
    pattern = next(each.pattern for each in SECRETS if each.name == name)
    assert re.search(pattern, text)
    assert not re.search(pattern, "booking 2026-11-21 12:30 took 417 ms, order 81234567")
