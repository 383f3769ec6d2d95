"""The table of figures: what a ratio looks like, when a target is met, and its JSON."""

import json
import math

import pytest

from bench.model import Row
from bench.table import as_json, quotient, relative_error, shown, table
from bench.validate_scaling import growth


def row(value: float | None, target: float | None = None, **more: str) -> Row:
    """A row of a benchmark called `speed`."""
    return Row(bench="speed", what="how fast", value=value, target=target, **more)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.0016, "", "1/625"),
        (1 / 1500, "", "1/1,500"),
        (0.1, "", "0.10"),
        (1.5, "", "1.50"),
        (0.0, "", "0.00"),
        (-1.69, "", "-1.69"),
        (0.0333, "%", "0.0333 %"),
        (30.0, "s", "30 s"),
        (math.nan, "%", "nan"),
        (None, "", "-"),
    ],
)
def test_a_small_ratio_is_shown_as_a_fraction_of_one(
    value: float | None, unit: str, expected: str
) -> None:
    """Anything with a unit, and any ratio from a tenth on, is a plain number."""
    assert expected == shown(value, unit)


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (1 / 400, 1 / 400, True),
        (0.01, 1 / 400, False),
        (math.nan, 1.2, False),
        (None, 1.2, None),
        (0.01, None, None),
    ],
)
def test_a_target_is_met_at_the_target_and_below(
    value: float | None, target: float | None, *, expected: bool | None
) -> None:
    """What is no number misses its target; what was not measured does neither."""
    assert expected is row(value, target).met


def test_a_ratio_is_of_the_medians() -> None:
    """One slow run of either changes nothing."""
    assert 0.5 == quotient([1.0, 1.0, 9.0], [2.0, 2.0, 0.1])


def test_an_error_is_relative_to_the_truth_whichever_its_sign() -> None:
    """Ten too many and ten too few are the same error."""
    assert 0.1 == pytest.approx(relative_error(110, 100))
    assert 0.1 == pytest.approx(relative_error(90, 100))


def test_the_table_lines_up_and_says_what_was_missed() -> None:
    """A row that was skipped has its reason in the place of figures."""
    rows = [
        row(0.0016, 1 / 400, figures="1 / 625 samples"),
        row(2.0, 1.5, figures="6 s / 3 s"),
        row(None, figures="skipped: sloth-0.16: not in the cache"),
    ]

    lines = table(rows).splitlines()

    assert "benchmark  measured  value  target            figures" == lines[0]
    assert "speed      how fast  1/625  <= 1/400  met     1 / 625 samples" == lines[1]
    assert "speed      how fast  2.00   <= 1.50   MISSED  6 s / 3 s" == lines[2]
    assert "speed      how fast  -                        skipped: sloth-0.16:" == lines[3][:66]


def test_json_holds_numbers_and_never_nan() -> None:
    """What is no number is null, and still missed."""
    document = json.loads(as_json([row(math.nan, 1.2), row(0.5, unit="s")], {"python": "3"}))

    first, second = document["rows"]
    assert "headroom/bench/v1" == document["schema"]
    assert {"python": "3"} == document["about"]
    assert (None, False, "ratio") == (first["value"], first["met"], first["unit"])
    assert (0.5, None, "s") == (second["value"], second["met"], second["unit"])


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        # A constant and the same for each application.
        ({1: 5.1, 10: 6.0, 100: 15.0, 1000: 105.0}, 1.0),
        # Each application costs twice as much from the hundredth on.
        ({1: 0.0, 10: 9.0, 100: 99.0, 1000: 2 * 999.0}, 2.0),
    ],
)
def test_growth_in_line_with_the_input_is_one(figures: dict[int, float], expected: float) -> None:
    """What one application costs is taken off first."""
    assert expected == pytest.approx(growth(figures))


def test_growth_that_noise_hides_is_no_number() -> None:
    """A larger input that took less time says nothing."""
    assert math.isnan(growth({1: 1.0, 10: 0.9, 100: 2.0, 1000: 20.0}))
