"""The small parts of PromQL's text: strings, names, durations, matchers."""

from typing import cast

import pytest

from slo.promql import (
    Matcher,
    MatchOp,
    duration_ms,
    format_duration,
    is_label_name,
    is_metric_name,
    quote,
)


def test_a_string_is_quoted_so_that_nothing_in_it_can_end_it_or_mislead() -> None:
    """Control, zero-width and direction characters are escaped; other text stays readable."""
    assert quote('a"b\\c\nd') == r'"a\"b\\c\nd"'
    assert quote("\0\x1b\u202e\u200b") == r'"\u0000\u001b\u202e\u200b"'
    assert quote("é😀 {{7*7}}") == '"é😀 {{7*7}}"'


def test_a_lone_surrogate_cannot_be_quoted() -> None:
    """No UTF-8 text can hold it."""
    with pytest.raises(ValueError, match="surrogate"):
        quote("\ud800")


@pytest.mark.parametrize(
    ("name", "op", "value"),
    [("", "=", "x"), ("a", "==", "x"), ("a", "=", "\udfff"), ("\ud800", "=", "x")],
)
def test_a_matcher_that_cannot_be_written_is_refused(name: str, op: str, value: str) -> None:
    """It is refused when it is made, not when it is written."""
    with pytest.raises(ValueError, match=r"matcher|operator|surrogate"):
        Matcher(name=name, op=cast("MatchOp", op), value=value)


def test_a_matcher_is_written_with_its_name_quoted_where_needed() -> None:
    """A hostile label name cannot break out either."""
    assert str(Matcher(name="env", op="!~", value="a|b")) == 'env!~"a|b"'
    assert str(Matcher(name='a.b"} or vector(1)', value="c")) == '"a.b\\"} or vector(1)"="c"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("1y1w1d1h1m1s1ms", 32_230_861_001),
        ("300", 300_000),
        ("0.5", 500),
        ("0s", 0),
        ("0", 0),
        ("0.0005", None),
        ("30m1h", None),
        ("1d1d", None),
        ("1h30", None),
        ("5M", None),
        ("-5m", None),
        ("", None),
        (" 5m", None),
        ("5m\n", None),
        ("\u0665m", None),
        ("292y", 292 * 365 * 86_400_000),
        ("293y", None),
        ("9" * 5000 + "s", None),
        ("9" * 5000, None),
        ("1e999999", None),
        ("1e-999999", None),
    ],
)
def test_a_duration_is_read_as_prometheus_reads_it(text: str, expected: int | None) -> None:
    """Anything else is no duration."""
    assert expected == duration_ms(text)


@pytest.mark.parametrize("text", ["0s", "5ms", "1m30s", "1h", "28d", "400d1h1m1s1ms"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    """Weeks and years become days, which everyone can compare."""
    assert text == format_duration(duration_ms(text) or 0)


def test_names_of_the_classic_set_are_told_from_others() -> None:
    """A colon belongs to metric names only."""
    assert [is_metric_name(name) for name in ("a:b", "_x1", "1x", "a.b", "a\n")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [is_label_name(name) for name in ("a:b", "_x1", "1x", "é", "")] == [
        False,
        True,
        False,
        False,
        False,
    ]
