"""Numbers, times and states as the console writes them."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.console import words
from app.services.results import Estimate, Forecast, Outlook
from slo.evaluate import State
from slo.gate.findings import Effect

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAN = float("nan")
SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("expected", "share"),
    [
        ("0.0 %", 0),
        ("<0.1 %", Fraction(1, 10**6)),
        (">99.9 %", 0.99999),
        ("100.0 %", 1.0),
        ("-210.5 %", Fraction(-2105, 1000)),
        ("no data", None),
        ("no data", NAN),
    ],
)
def test_a_share_is_a_percentage_that_never_rounds_to_all_or_nothing(
    expected: str, share: float | None
) -> None:
    """Zero is said of zero alone, and missing data is no number."""
    assert expected == words.percent(share)


@pytest.mark.parametrize(
    "say",
    [
        words.percent,
        words.percent_exact,
        words.points,
        words.times,
        words.amount,
        words.per_second,
        words.lasting,
        words.duration,
        words.difference,
        words.size,
        words.instant,
    ],
)
def test_no_data_is_never_a_number(say: object) -> None:
    """Whatever is asked for, and however its absence is written."""
    assert callable(say)
    assert ["no data"] * 3 == [say(None), say(NAN), say(float("inf"))]


@given(st.integers(1, 10**13))
def test_a_duration_has_a_unit(nanoseconds: int) -> None:
    """And three digits at most where there is one."""
    text = words.duration(nanoseconds)

    assert text.rstrip()[-1] in "smhd"
    assert "e+" not in text


@pytest.mark.parametrize(
    ("expected", "nanoseconds"),
    [
        ("0 ns", 0),
        ("512 ns", 512),
        ("1.5 µs", 1500),
        ("166 ms", 166_000_000),
        ("1.02 s", 1_020_000_000),
        ("2m", 120 * SECOND),
    ],
)
def test_a_duration_is_in_the_unit_that_suits_it(expected: str, nanoseconds: int) -> None:
    """From nanoseconds to days."""
    assert expected == words.duration(nanoseconds)


def test_a_burn_rate_is_a_multiple() -> None:
    """One spends the budget in one period."""
    assert ["14.4x", "0.12x", "no data"] == [words.times(x) for x in (14.4, 0.12, None)]


def test_bytes_have_binary_units() -> None:
    """Whole bytes have no decimals."""
    assert ["0 B", "1023 B", "1.0 KiB", "2.5 GiB", "4096.0 PiB"] == [
        words.size(x) for x in (0, 1023, 1024, 2.5 * 2**30, 4 * 2**60)
    ]


def test_rates_keep_their_small_numbers() -> None:
    """A request an hour is not zero a second."""
    assert ["0/s", "0.017/s", "6.1/s", "1,234/s"] == [
        words.per_second(x) for x in (0, 1 / 60, 6.1, 1234)
    ]


def test_money_without_a_price_table_is_no_price() -> None:
    """Nor is it free."""
    assert "no price table" == words.money(NAN, None)
    assert "no data" == words.money(NAN, "EUR")
    assert "0.13 EUR" == words.money(Fraction(13, 100), "EUR")


def test_an_age_is_said_of_the_past_and_of_the_future() -> None:
    """Seconds ahead are the clocks' difference."""
    moments = (0, -90, -3700, 5, 7200)
    assert ["just now", "1m ago", "1h 1m ago", "just now", "in 2h 0m"] == [
        words.age(NOW + timedelta(seconds=seconds), NOW) for seconds in moments
    ]


def test_an_instant_is_in_utc_to_the_second() -> None:
    """Nanoseconds and datetimes alike."""
    nanoseconds = int(NOW.timestamp()) * SECOND + 999_999_999

    assert "2026-11-23 12:00:00 UTC" == words.instant(nanoseconds) == words.instant(NOW)


@pytest.mark.parametrize(
    ("expected", "severity"),
    [("unknown", None), ("unknown", 0), ("trace", 1), ("info", 12), ("error", 17), ("fatal", 24)],
)
def test_a_level_is_four_severities(expected: str, severity: int | None) -> None:
    """As OpenTelemetry numbers them."""
    assert expected == words.level(severity)


def test_every_state_and_decision_has_a_sign_a_word_and_a_colour() -> None:
    """Colour is never the only carrier."""
    assert set(State) == set(words.STATES)
    assert set(Effect) == set(words.DECISIONS) == set(words.HEADLINES)
    assert {*State, *Effect} == set(words.COLOURS)
    signs = [text.split()[0] for text in words.STATES.values()]
    assert len(State) == len(set(signs))


@pytest.mark.parametrize(
    ("expected", "forecast"),
    [
        ("The budget is gone.", Forecast(outlook=Outlook.EXHAUSTED, at=NOW)),
        (
            "No forecast: fewer than three hours of events.",
            Forecast(outlook=Outlook.UNKNOWN, note="fewer than three hours of events"),
        ),
        (
            "The budget is not expected to run out before 2026-12-23 12:00:00 UTC.",
            Forecast(outlook=Outlook.STABLE, horizon=NOW + timedelta(days=30)),
        ),
        (
            "The budget is not expected to run out, though it could be in 2d 0h.",
            Forecast(outlook=Outlook.STABLE, earliest=NOW + timedelta(days=2)),
        ),
        (
            "As things go, the budget is gone in 6h 0m (80 % likely: in 5h 0m to never).",
            Forecast(
                outlook=Outlook.EXHAUSTING,
                at=NOW + timedelta(hours=6),
                earliest=NOW + timedelta(hours=5),
            ),
        ),
    ],
)
def test_a_forecast_is_a_sentence_with_its_interval(expected: str, forecast: Forecast) -> None:
    """What is not known is not made up."""
    assert expected == words.sentence(forecast, NOW)


def test_a_comparison_says_its_sample_sizes_and_its_interval() -> None:
    """A difference without them would say too much."""
    one = Estimate(
        before=0.0, after=0.0868, before_count=297, after_count=334, low=0.048, high=0.135
    )

    expected = "0.00 % → 8.68 % (n = 297 and 334)\nchange +4.80 pp to +13.50 pp"
    assert expected == words.compared(one, durations=False)


def test_a_comparison_without_events_is_no_data() -> None:
    """The sizes are still said."""
    one = Estimate(before=None, after=1e6, before_count=0, after_count=3, low=None, high=None)

    assert "no data (n = 0 and 3)" == words.compared(one, durations=True)


@given(st.text())
def test_untrusted_text_is_printable(text: str) -> None:
    """Line feeds stay; nothing else may steer."""
    assert all(line.isprintable() for line in words.plain(text).split("\n"))


@pytest.mark.parametrize(
    "text", ["![x](http://e/x.png)", "**b** _i_ `c`", ":red[x] $x^2$", "<b>&amp;", "# h", "| a |"]
)
def test_untrusted_text_in_a_caption_means_nothing(text: str) -> None:
    """Every mark of Markdown is escaped."""
    shown = words.unmarked(text)

    for place, character in enumerate(shown):
        if character in "*_`[]()<>$#|!:&":
            assert "\\" == shown[place - 1]


def test_bullets_say_each_thing_once() -> None:
    """Two rules may find the same."""
    assert "• a\n• b" == words.bullets(["a", "b", "a"])


def test_a_record_is_described_by_what_it_has() -> None:
    """JSON is unfolded, times and durations are read, what is absent is left out."""
    row = {
        "time": int(NOW.timestamp()) * SECOND,
        "duration": 2_000_000,
        "peer": None,
        "p99": NAN,
        "status": "error",
        "attributes": '{"a":"1"}',
        "links": "[]",
        "events": "no json",
    }

    assert words.described(row) == (
        "time  2026-11-23 12:00:00 UTC\nduration  2 ms\nstatus  error\n"
        'attributes  \n{\n  "a": "1"\n}\nevents  no json'
    )
