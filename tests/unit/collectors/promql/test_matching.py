"""Whether labels match."""

import time

import pytest

from collectors.promql import Matcher, PromqlError, matches, matching


@pytest.mark.parametrize(
    ("matcher", "expected"),
    [
        (Matcher(name="job", op="=", value="api"), True),
        (Matcher(name="job", op="!=", value="api"), False),
        (Matcher(name="job", op="=~", value="a.*"), True),
        (Matcher(name="job", op="=~", value="ap"), False),
        (Matcher(name="job", op="=~", value="x|api"), True),
        (Matcher(name="job", op="!~", value="ap."), False),
        (Matcher(name="none", op="=", value=""), True),
        (Matcher(name="none", op="!=", value=""), False),
        (Matcher(name="none", op="=~", value=".*"), True),
        (Matcher(name="none", op="=~", value=".+"), False),
        (Matcher(name="text", op="=~", value="one.two"), True),
        (Matcher(name="text", op="=~", value="(?i)ONE\\ntwo"), True),
        (Matcher(name="text", op="=~", value="one"), False),
    ],
)
def test_a_matcher_holds_as_in_prometheus(matcher: Matcher, *, expected: bool) -> None:
    """Regexes match whole values, an absent label is empty, and a dot matches a line break."""
    labels = {"job": "api", "text": "one\ntwo"}
    assert matches(matcher, labels) is expected


def test_many_values_are_matched_at_once() -> None:
    """One answer for each value, in their order."""
    found = matching(Matcher(name="code", op="!~", value="5.."), ["200", "500", "", "5000"])
    assert [True, False, True, True] == found.tolist()


def test_a_regex_that_would_explode_elsewhere_takes_linear_time() -> None:
    """RE2 has no backtracking."""
    begin = time.monotonic()
    assert not matches(Matcher(name="a", op="=~", value="(a+)+b"), {"a": "a" * 5000})
    assert time.monotonic() - begin < 1


@pytest.mark.parametrize("pattern", ["(a", "(?=a)", "a{2000}", "a)(b", "\\1"])
def test_a_regex_that_prometheus_refuses_is_refused(pattern: str) -> None:
    """The message names the regex."""
    with pytest.raises(PromqlError, match="cannot be used"):
        matches(Matcher(name="a", op="=~", value=pattern), {"a": "a"})
