"""Recording rules of a service level: the base pair, the ledger, and what is derived from them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from alerts.prometheus.recorded import Recorded
from alerts.prometheus.rules import Recording
from slo import naming
from slo.ledger import Expressions, Part
from slo.model import ServiceLevel
from slo.numerals import decimal_text
from slo.units import Duration
from slo.windows import LEDGER_SLOT


def fast_pair(level: ServiceLevel, counts: Expressions) -> tuple[Recording, ...]:
    """Events and bad events per second, for windows of at most an hour."""
    return _pair(
        level, naming.TOTAL_RATE, naming.BAD_RATE, counts.part, counts.total_rate, counts.part_rate
    )


def ledger(level: ServiceLevel, counts: Expressions) -> tuple[Recording, ...]:
    """Events and bad events of each slot, the heartbeat, and slots without their bad half."""
    recorded = Recorded(key=level.key)
    slot = LEDGER_SLOT
    # This slot's own sample: the one before it is a slot older.
    fresh = Duration(milliseconds=slot.milliseconds - 60_000)
    unpaired = (
        f"last_over_time({recorded.series(naming.TOTAL_INCREASE)}[{fresh}])"
        f" unless last_over_time({recorded.series(naming.BAD_INCREASE)}[{fresh}])"
    )
    return (
        *_pair(
            level,
            naming.TOTAL_INCREASE,
            naming.BAD_INCREASE,
            counts.part,
            counts.total_increase,
            counts.part_increase,
        ),
        _record(level, naming.LEDGER_SLOT, "vector(1)"),
        _record(level, naming.UNPAIRED, f"sum({unpaired})"),
    )


def short_ratios(recorded: Recorded, windows: Sequence[Duration]) -> tuple[Recording, ...]:
    """The share of bad events in windows that the fast pair covers."""
    return tuple(
        _derived(
            recorded,
            naming.error_ratio(window),
            _ratio(
                recorded.mean(naming.BAD_RATE, window), recorded.mean(naming.TOTAL_RATE, window)
            ),
        )
        for window in windows
    )


def long_ratios(recorded: Recorded, windows: Sequence[Duration]) -> tuple[Recording, ...]:
    """The share of bad events in windows that the ledger covers."""
    return tuple(
        _derived(
            recorded,
            naming.error_ratio(window),
            _ratio(recorded.total(naming.BAD_INCREASE, window), _paired_total(recorded, window)),
        )
        for window in windows
    )


def period(level: ServiceLevel, recorded: Recorded) -> tuple[Recording, ...]:
    """Events, error ratio, burn, remaining budget and coverage of the SLO's own window."""
    window = level.slo.window
    budget = decimal_text(level.slo.objective.error_budget)
    expected = Fraction(window.milliseconds, LEDGER_SLOT.milliseconds)
    slots = f"{recorded.slots(naming.LEDGER_SLOT, window)} - {_unpaired_slots(recorded, window)}"
    return (
        _derived(recorded, naming.TOTAL_PERIOD, _paired_total(recorded, window)),
        _derived(recorded, naming.BAD_PERIOD, recorded.total(naming.BAD_INCREASE, window)),
        _derived(
            recorded,
            naming.PERIOD_RATIO,
            _ratio(recorded.series(naming.BAD_PERIOD), recorded.series(naming.TOTAL_PERIOD)),
        ),
        _derived(
            recorded, naming.PERIOD_BURN_RATE, f"{recorded.series(naming.PERIOD_RATIO)} / {budget}"
        ),
        _derived(
            recorded,
            naming.BUDGET_REMAINING,
            f"1 - {recorded.series(naming.PERIOD_RATIO)} / {budget}",
        ),
        _derived(
            recorded,
            naming.PERIOD_COVERAGE,
            f"clamp_max(({slots}) / {decimal_text(expected)}, 1)",
        ),
    )


def proven(level: ServiceLevel, counts: Expressions) -> tuple[Recording, ...]:
    """Whether the bad selector has ever matched a series; remembered while rules run."""
    if counts.part is not Part.BAD or counts.part_series is None or level.slo.indicator.proven:
        return ()
    seen = Recorded(key=level.key).series(naming.PROVEN)
    expr = f"max(last_over_time({seen}[1d])) or 0 * {counts.part_series} + 1"
    return (_record(level, naming.PROVEN, expr),)


def constants(level: ServiceLevel) -> tuple[Recording, ...]:
    """The objective, the error budget, and what describes the SLO to people."""
    slo = level.slo
    revision = naming.revision(level)
    started = Recorded(key=level.key).series(naming.REVISION_START, revision=revision)
    info = {
        **slo.labels,
        naming.TEAM: level.app.team,
        "objective": slo.objective.text,
        "window": str(slo.window),
        "revision": revision,
    }
    return (
        _record(level, naming.OBJECTIVE, f"vector({decimal_text(slo.objective.ratio)})"),
        _record(level, naming.ERROR_BUDGET, f"vector({decimal_text(slo.objective.error_budget)})"),
        _record(level, naming.INFO, "vector(1)", **{**level.app.labels, **info}),
        _record(
            level,
            naming.REVISION_START,
            f"min(last_over_time({started}[1d])) or vector(time())",
            revision=revision,
        ),
    )


def _pair(
    level: ServiceLevel, total_name: str, bad_name: str, part: Part, total: str, counted: str
) -> tuple[Recording, Recording]:
    # The sum takes the labels off again: with them, both sides of `or` would be there at once.
    recorded = f"sum({Recorded(key=level.key).series(total_name)})"
    zero = f"0 * {recorded}"
    known = f"{counted} or {zero}"
    bad = known if part is Part.BAD else f"{recorded} - ({known})"
    return _record(level, total_name, total), _record(level, bad_name, bad)


def _ratio(bad: str, total: str) -> str:
    # No events make no ratio: the comparison removes the sample and NaN never arises.
    return f"clamp({bad} / ({total} > 0), 0, 1)"


def _paired_total(recorded: Recorded, window: Duration) -> str:
    """Events of the slots whose bad half is known too; the others would dilute the ratio."""
    lost = f"{recorded.total(naming.UNPAIRED, window)} or {_nothing(recorded)}"
    return f"{recorded.total(naming.TOTAL_INCREASE, window)} - ({lost})"


def _unpaired_slots(recorded: Recorded, window: Duration) -> str:
    return f"({recorded.lost_slots(naming.UNPAIRED, window)} or {_nothing(recorded)})"


def _nothing(recorded: Recorded) -> str:
    return f"0 * {recorded.now(naming.LEDGER_SLOT)}"


def _record(level: ServiceLevel, name: str, expr: str, **labels: str) -> Recording:
    return Recording(record=name, expr=expr, labels={**labels, **naming.identity(level.key)})


def _derived(recorded: Recorded, name: str, expr: str) -> Recording:
    return Recording(record=name, expr=expr, labels=naming.identity(recorded.key))
