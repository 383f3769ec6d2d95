"""``headroom status`` for people and for programs."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from app.reports.figures import amount, percent, span, spark, times
from app.reports.status_json import status_json
from app.reports.status_text import status_markdown, status_text
from slo.evaluate import Evaluation, evaluate
from slo.ports import Counts, NoData, NoDataReason, Reading
from slo.units import Duration
from tests import builders

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = Duration.parse("1h")


def evaluation(
    period: Counts | NoData, *, hour: Counts | None = None, partial: tuple[str, ...] = ()
) -> Evaluation:
    level = builders.level()
    windows = {} if hour is None else {HOUR: hour}
    reading = Reading(
        key=level.key,
        at=AT,
        period=period,
        windows=windows,
        mode="recorded",
        partial=partial,
    )
    return evaluate(level, reading, builders.CATALOGUE)


def counts(total: int, bad: int) -> Counts:
    return Counts(total=Fraction(total), bad=Fraction(bad))


LOST = NoData(reason=NoDataReason.LOST, detail="ended 2h ago")


def test_a_row_shows_budget_burn_and_how_long_it_lasts() -> None:
    """Half the budget is gone, and at twice the allowed rate the other half lasts a week."""
    one = evaluation(counts(100_000, 50), hour=counts(1000, 2))

    text = status_text([one], AT, burn_down={one.key: [Fraction(1), Fraction(1, 2)]})

    assert "  availability      99.9 %    ok             50.0 %    2.00x  7d 12h  █▅" in text


def test_missing_data_is_a_dash_and_a_reason_and_never_a_number() -> None:
    """No data, no numbers: neither zero nor a full budget."""
    text = status_text([evaluation(LOST)], AT, burn_down={})

    row, remark = text.splitlines()[2:4]
    assert ["availability", "99.9", "%", "?", "no", "data", "-", "-", "-"] == row.split()
    assert "    no data (lost): ended 2h ago" == remark


def test_a_partial_answer_names_who_is_missing() -> None:
    text = status_text(
        [evaluation(counts(10, 0), partial=("eu (prometheus/eu)",))], AT, burn_down={}
    )

    assert "    partial: without eu (prometheus/eu)" in text


def test_every_line_of_the_table_fits_80_columns() -> None:
    """Long names are cut; the burn-down still has its place."""
    slo = builders.slo(name="a-very-long-name-of-an-objective")
    level = builders.level(slo)
    reading = Reading(key=level.key, at=AT, period=counts(10**9, 10**8), windows={}, mode="raw")
    one = evaluate(level, reading, builders.CATALOGUE)

    text = status_text([one], AT, burn_down={one.key: [Fraction(1, 2)] * 10})

    assert 80 >= max(map(len, text.splitlines()))


def test_absent_numbers_are_null_in_json() -> None:
    """A program must not have to tell 0 from nothing by guessing."""
    data = status_json([evaluation(LOST)], AT)

    assert "headroom/status/v1" == data["schema"]
    assert "2026-11-21T12:00:00Z" == data["evaluatedAt"]
    slos = data["slos"]
    assert isinstance(slos, list)
    absent = {key for key, value in slos[0].items() if value is None}
    assert {"total", "bad", "errorRatio", "budgetRemaining", "timeToExhaustionSeconds"} <= absent
    assert {"reason": "lost", "detail": "ended 2h ago"} == slos[0]["noData"]


def test_markdown_escapes_what_a_source_says() -> None:
    """Warnings come from servers; they are text, not markup."""
    one = evaluation(counts(10, 0))
    warned = replace(one, reading=replace(one.reading, warnings=("<img src=x> [a](b)",)))

    assert "\\<img src=x\\> \\[a\\](b)" in status_markdown([warned], AT)


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, "-"),
        (Fraction(0), "0.0 %"),
        (Fraction(1, 10**6), "<0.1 %"),
        (Fraction(999_999, 10**6), ">99.9 %"),
        (Fraction(1), "100.0 %"),
        (Fraction(-5, 2), "-250.0 %"),
    ],
)
def test_a_share_never_rounds_to_nothing_or_to_all(share: Fraction | None, shown: str) -> None:
    assert shown == percent(share)


def test_figures_for_people() -> None:
    """Three digits of a rate, separators in amounts, two units of time."""
    assert ["-", "0.02x", "14.4x", "1000x"] == [
        times(None),
        times(Fraction(2, 100)),
        times(Fraction(144, 10)),
        times(Fraction(1000)),
    ]
    assert ["1,234,567", "1.5", "-"] == [
        amount(Fraction(1234567)),
        amount(Fraction(3, 2)),
        amount(None),
    ]
    assert ["1d 1h", "2h 5m", "3m", "7s"] == [
        span(Fraction(90_000)),
        span(Fraction(7500)),
        span(Fraction(190)),
        span(Fraction(7)),
    ]
    assert "█ ▁" == spark([Fraction(1), None, Fraction(-3)])
