"""Label regexes are judged by RE2's syntax, without running or compiling them."""

import time

import pytest

from slo.promql import regex_problem
from slo.promql.regex import matches_empty


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "5..",
        "(a+)+$",
        "a|b|",
        "[[]",
        "[]a]",
        "[a-z-]",
        "[^]]",
        "[[:alpha:]_]",
        "[a&&b]",
        r"\Qa.b(\E",
        r"\pL\p{Greek}\P{^Lu}",
        r"\x41\x{10FFFF}\012",
        "(?i)a(?:b)(?P<n>c)(?s-i:d)",
        "a{1,1000}",
        "x{,3}",
        "{",
        "}",
        "a??b*?c+?",
        r"\bé\B\z",
        "\\.\\-\\_",
    ],
)
def test_what_re2_takes_is_no_problem(pattern: str) -> None:
    """Including patterns that other engines refuse or take forever over."""
    assert regex_problem(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (r"(a)\1", "backreference"),
        (r"(?P<n>a)(?P=n)", "backreference"),
        (r"(?<n>a)", "named without P"),
        ("(?=a)", "lookaround"),
        ("(?!a)", "lookaround"),
        ("(?<=a)", "lookaround"),
        ("(?<!a)", "lookaround"),
        ("(?>a)", "atomic"),
        ("(?x)a", "unknown kind of group"),
        ("a++", "repetition"),
        ("a**", "repetition"),
        ("*a", "nothing stands before"),
        ("a|+", "nothing stands before"),
        ("a{1001}", "1000"),
        ("(a{100}){100}", "1000"),
        ("a{3,2}", "downwards"),
        ("a{99999999999999999999}", "1000"),
        ("(a", "never closed"),
        ("a)", "no opening"),
        ("[a", "never closed"),
        ("[z-a]", "downwards"),
        ("a\\", "backslash"),
        (r"\h", r"\h"),
        (r"\C", r"\C"),
        ("[[:foo:]]", "[:…:]"),
        (r"\x{110000}", r"\x"),
        (r"[\b]", r"\b"),
        ("(" * 300 + ")" * 300, "nested"),
    ],
)
def test_what_re2_refuses_is_named(pattern: str, message: str) -> None:
    """The message says which construct it is."""
    assert message in (regex_problem(pattern) or "")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", True),
        (".*", True),
        (".+", False),
        ("a|", True),
        ("(a|b?)c*", True),
        ("(a|b)c*", False),
        ("a{0,3}", True),
        ("a{2,3}", False),
        ("(a?){5}", True),
        ("^$", True),
        (r"\b", False),
        ("(?i)", True),
        (r"\Q\E", True),
    ],
)
def test_it_is_known_whether_a_pattern_matches_nothing(pattern: str, expected: bool) -> None:  # noqa: FBT001 -- a parametrised value
    """A selector whose every matcher matches an empty value is refused by Prometheus."""
    assert expected == matches_empty(pattern)


@pytest.mark.parametrize("piece", ["(a+)+$", "\\pL{9}", "[", "(?i)", "\\Q", "[:", "\\p{"])
def test_a_long_pattern_takes_bounded_time(piece: str) -> None:
    """Time grows with the length of the pattern only."""
    started = time.monotonic()
    regex_problem(piece * (20_000 // len(piece)))
    assert time.monotonic() - started < 2
