"""Durations, percentages and instants."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.units import Duration, UnitError, parse_percent, parse_time


@pytest.mark.parametrize(
    ("text", "milliseconds", "canonical"),
    [
        ("30d", 2_592_000_000, "30d"),
        ("1h30m", 5_400_000, "1h30m"),
        ("90m", 5_400_000, "1h30m"),
        ("300ms", 300, "300ms"),
        ("1s500ms", 1500, "1s500ms"),
        ("4w", 2_419_200_000, "28d"),
        ("1y2w3d4h5m6s7ms", 33_019_506_007, "382d4h5m6s7ms"),
        ("0030s", 30_000, "30s"),
    ],
)
def test_duration_is_read_as_prometheus_does(text: str, milliseconds: int, canonical: str) -> None:
    """Every unit of Prometheus is read, and there is one way to write the result."""
    duration = Duration.parse(text)
    assert milliseconds == duration.milliseconds
    assert canonical == duration.text == duration.promql == str(duration)
    assert timedelta(milliseconds=milliseconds) == duration.timedelta
    assert Decimal(milliseconds) / 1000 == duration.seconds


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", None),
        ("30", 'add a unit: "30s" for seconds, "30m" for minutes'),
        ("-5m", "a duration cannot be negative"),
        ("1.5h", "write whole numbers and smaller units: 1h30m, not 1.5h"),
        ("30D", 'did you mean "30d"?'),
        ("30 days", 'did you mean "30d"?'),
        ("5 min", 'did you mean "5m"?'),
        ("10 milliseconds", 'did you mean "10ms"?'),
        ("30m1h", "write each unit once, the larger before the smaller: 1h30m"),
        ("1m1m", "write each unit once, the larger before the smaller: 1h30m"),
        ("P30D", None),
        ("5m\n", None),
        ("٣d", None),
        ("soon", None),
    ],
)
def test_bad_duration_says_what_to_write(text: str, hint: str | None) -> None:
    """What Prometheus would refuse is refused, with a hint where the meaning is clear."""
    with pytest.raises(UnitError) as caught:
        Duration.parse(text)
    assert hint == caught.value.hint


@pytest.mark.parametrize("text", ["293y", "9" * 16 + "y", "9" * 5000 + "ms"])
def test_endless_duration_is_refused(text: str) -> None:
    """Nothing longer than Prometheus can hold is read, however many digits it has."""
    with pytest.raises(UnitError):
        Duration.parse(text)


def test_zero_only_where_asked() -> None:
    """A duration of zero needs permission."""
    with pytest.raises(UnitError, match="longer than zero"):
        Duration.parse("0m")
    assert "0s" == Duration.parse("0m", allow_zero=True).text


@pytest.mark.parametrize("milliseconds", [-1, 2**63])
def test_impossible_duration_is_a_mistake(milliseconds: int) -> None:
    """Neither code nor text makes a duration that Prometheus cannot hold."""
    with pytest.raises(ValueError, match="no duration"):
        Duration(milliseconds=milliseconds)


def test_durations_compare_and_add_up() -> None:
    """Durations built from parts equal those read from text."""
    assert Duration.parse("1d2h3m4s") == Duration.of(days=1, hours=2, minutes=3, seconds=4)
    assert Duration.parse("59m") < Duration.parse("1h")


@given(st.integers(min_value=1, max_value=(2**63 - 1) // 1_000_000))
def test_text_of_a_duration_reads_back(milliseconds: int) -> None:
    """The canonical text of any duration is that duration."""
    duration = Duration(milliseconds=milliseconds)
    assert duration == Duration.parse(duration.text)


@pytest.mark.parametrize("text", ["99.9", "99.90", "99", "1", "95.5000000000", "99.9999999999"])
def test_percent_keeps_its_digits(text: str) -> None:
    """An objective is exact and is written back as it was read."""
    assert text == str(parse_percent(text))


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("100", "error budget is zero", "choose an objective below 100, such as 99.9"),
        ("100.0", "error budget is zero", "choose an objective below 100, such as 99.9"),
        ("0", "between 0 and 100", None),
        ("-99.9", "between 0 and 100", None),
        ("101", "between 0 and 100", None),
        ("0.999", "below 1 percent", "objective is in percent; did you mean 99.9?"),
        (".9995", "below 1 percent", "objective is in percent; did you mean 99.95?"),
        ("99,9", "a percentage", "use a point: 99.9"),
        ("99.9%", "a percentage", "leave out the percent sign: 99.9"),
        ("99.99999999999", "plain digits", None),
        ("099.9", "plain digits", None),
        ("+99.9", "plain digits", None),
        ("99.9\n", "a percentage", None),
        ("NaN", "a percentage", None),
        (".inf", "a percentage", None),
        ("1e999", "a percentage", None),
        ("9" * 5000, "a percentage", None),
        ("٩٩", "a percentage", None),
        ("", "a percentage", None),
    ],
)
def test_bad_percent_is_explained(text: str, message: str, hint: str | None) -> None:
    """Ratios, zero budgets, other notations and numbers without end are refused with a reason."""
    with pytest.raises(UnitError, match=message) as caught:
        parse_percent(text)
    assert hint is None or hint == caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T04:10:00Z", datetime(2026, 11, 23, 4, 10, tzinfo=UTC)),
        ("2026-11-23t04:10:00.5z", datetime(2026, 11, 23, 4, 10, 0, 500_000, tzinfo=UTC)),
        ("2026-11-23 05:10:00+01:00", datetime(2026, 11, 23, 4, 10, tzinfo=UTC)),
        ("2026-11-23T04:10:00.123456789Z", datetime(2026, 11, 23, 4, 10, 0, 123_456, tzinfo=UTC)),
        ("0", datetime(1970, 1, 1, tzinfo=UTC)),
        ("1795407000", datetime(2026, 11, 23, 4, 10, tzinfo=UTC)),
        ("1795407000.25", datetime(2026, 11, 23, 4, 10, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_time_is_read_in_utc(text: str, expected: datetime) -> None:
    """RFC 3339 with any zone and Unix seconds give an instant in UTC."""
    assert expected == parse_time(text)
    assert UTC is parse_time(text).tzinfo


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("2026-11-23T04:10:00", "RFC 3339", "add a zone, such as Z for UTC"),
        ("2026-11-23", "RFC 3339", "add a zone, such as Z for UTC"),
        ("2026-02-30T00:00:00Z", "no such time", None),
        ("2026-11-23T24:10:00Z", "no such time", None),
        ("2026-11-23T04:10:00+99:00", "no such time", None),
        ("0001-01-01T00:00:00+10:00", "no such time", None),
        ("9999-12-31T23:59:59Z", "between the years", None),
        ("1795407000000", "Unix time", "this looks like milliseconds; did you mean 1795407000?"),
        (
            "1795407000000000000",
            "Unix time",
            "this looks like nanoseconds; did you mean 1795407000?",
        ),
        ("9" * 20, "Unix time", None),
        ("now", "RFC 3339", None),
        ("NaN", "RFC 3339", None),
        ("-5", "RFC 3339", None),
        ("", "RFC 3339", None),
    ],
)
def test_bad_time_is_explained(text: str, message: str, hint: str | None) -> None:
    """Times without a zone, out of range or in other units are refused with a reason."""
    with pytest.raises(UnitError, match=message) as caught:
        parse_time(text)
    assert hint is None or hint == caught.value.hint
