"""Freeze windows: days in their own zone, times of day, and clocks that are set."""

from datetime import UTC, datetime, timedelta

import pytest

from slo.gate.decide import decide
from slo.gate.decision import exit_code
from slo.gate.numbers import instant
from slo.gate.policy import GatePolicy
from slo.gate.rules.freeze_window import FreezeWindowRule
from tests.unit.slo.gate.world import document, facts, load, loaded

MOMENT = timedelta(microseconds=1)

EDGES = """
# The last day is frozen too, to its end in its own zone.
2026-12-20  2027-01-03  Europe/Rome  2026-12-19T23:00:00Z  2027-01-03T23:00:00Z
2026-12-20  2026-12-20  UTC  2026-12-20T00:00:00Z  2026-12-21T00:00:00Z
2026-12-20  2026-12-20  Asia/Kathmandu  2026-12-19T18:15:00Z  2026-12-20T18:15:00Z
# A day of 23 hours and one of 25.
2026-03-29  2026-03-29  Europe/Rome  2026-03-28T23:00:00Z  2026-03-29T22:00:00Z
2026-10-25  2026-10-25  Europe/Rome  2026-10-24T22:00:00Z  2026-10-25T23:00:00Z
# A midnight that does not exist: clocks went from 00:00 to 01:00.
2024-04-26  2024-04-26  Africa/Cairo  2024-04-25T22:00:00Z  2024-04-26T21:00:00Z
# A midnight that comes twice: clocks went from 01:00 back to 00:00.
2026-11-01  2026-11-01  America/Havana  2026-11-01T04:00:00Z  2026-11-02T05:00:00Z
# Times of day: hours that are skipped or come twice belong to the freeze.
2026-12-20T18:00  2026-12-21T06:30:15  Europe/Rome  2026-12-20T17:00:00Z  2026-12-21T05:30:15Z
2026-10-25T02:30  2026-10-25T02:30  Europe/Rome  2026-10-25T00:30:00Z  2026-10-25T01:30:00Z
2026-03-29T02:30  2026-03-29T04:00  Europe/Rome  2026-03-29T00:30:00Z  2026-03-29T02:00:00Z
2026-12-20T18:00Z  2026-12-20T21:00+02:00  Europe/Rome  2026-12-20T18:00:00Z  2026-12-20T19:00:00Z
"""
"""From, to, zone, the first frozen instant and the first free one."""

WRONG = """
policy/contradiction  from: 2026-12-20, to: 2026-12-19, timezone: UTC
policy/unknown-timezone  from: 2026-12-20, to: 2026-12-21, timezone: Europe/Rom
policy/unknown-timezone  from: 2026-12-20, to: 2026-12-21, timezone: Europe
policy/unknown-timezone  from: 2026-12-20, to: 2026-12-21, timezone: localtime
spec/bad-text  from: 2026-12-20, to: 2026-12-21, timezone: ../../etc/passwd
spec/missing-key  from: 2026-12-20, to: 2026-12-21
spec/bad-date  from: 2026-02-30, to: 2026-12-21, timezone: UTC
spec/bad-date  from: 2026-12-20T25:00, to: 2026-12-21, timezone: UTC
spec/bad-date  from: 2026-12-20, to: 9999-12-31, timezone: UTC
spec/bad-text  from: 20 December, to: 2026-12-21, timezone: UTC
spec/unknown-key  from: 2026-12-20, to: 2026-12-21, timezone: UTC, rrule: FREQ=WEEKLY
"""


def rows(table: str) -> list[list[str]]:
    """Return a table's rows; columns stand two blanks apart."""
    lines = [line for line in table.splitlines() if line and not line.startswith("#")]
    return [line.split("  ") for line in lines]


def frozen(start: str, end: str, zone: str, *more: str) -> GatePolicy:
    """Return a policy with these windows."""
    windows = [f"{{from: {start}, to: {end}, timezone: {zone}, reason: holidays}}", *more]
    return loaded(f"  rules: [{{id: f, type: freeze_window, windows: [{', '.join(windows)}]}}]\n")


def code(policy: GatePolicy, at: datetime) -> int:
    """Return the exit code at an instant."""
    return exit_code(decide(facts(at=at), policy))


def edges(policy: GatePolicy) -> list[str]:
    """Return the first instant of the first window and the first one after it."""
    rule = policy.rules[0]
    assert isinstance(rule, FreezeWindowRule)
    return [instant(at) for at in (rule.freezes[0].start, rule.freezes[0].end)]


@pytest.mark.parametrize("row", rows(EDGES))
def test_a_window_has_the_right_edges(row: list[str]) -> None:
    start, end, zone, *expected = row
    policy = frozen(start, end, zone)
    assert expected == edges(policy)
    first, after = map(datetime.fromisoformat, expected)
    assert [0, 10, 10, 0] == [
        code(policy, at) for at in (first - MOMENT, first, after - MOMENT, after)
    ]


def test_a_freeze_says_why_and_until_when() -> None:
    policy = frozen("2026-11-20", "2026-11-30", "Europe/Rome")
    decision = decide(facts(), policy)
    assert "frozen from 2026-11-20 to 2026-11-30 (Europe/Rome): holidays" in decision.summary
    assert "the freeze ends at 2026-11-30T23:00:00Z" == decision.counterfactual[0].change.text


def test_windows_that_touch_are_one_freeze() -> None:
    more = "{from: 2026-12-01, to: 2026-12-02, timezone: UTC}"
    decision = decide(facts(), frozen("2026-11-20", "2026-11-30", "UTC", more))
    assert {"end": "2026-12-03T00:00:00Z"} == decision.counterfactual[0].change.data


def test_an_answer_does_not_outlive_the_beginning_of_a_freeze() -> None:
    policy = frozen("2026-11-24", "2026-11-25", "UTC")
    at = datetime(2026, 11, 23, 23, 50, tzinfo=UTC)
    assert datetime(2026, 11, 24, tzinfo=UTC) == decide(facts(at=at), policy).expires_at


@pytest.mark.parametrize("row", rows(WRONG))
def test_a_window_that_makes_no_sense_is_a_problem(row: list[str]) -> None:
    expected, window = row
    rules = f"  rules: [{{id: f, type: freeze_window, windows: [{{{window}}}]}}]\n"
    policies, problems = load(document(rules))
    assert ((), [expected]) == (policies, [problem.id for problem in problems])


def test_a_zone_that_is_nearly_right_is_suggested() -> None:
    rules = "{id: f, type: freeze_window, windows: [{from: 2026-12-20, to: 2026-12-21, "
    _, problems = load(document(f"  rules: [{rules}timezone: Europe/Rom}}]}}]\n"))
    assert 'did you mean "Europe/Rome"?' in problems[0].message
