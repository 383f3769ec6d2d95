"""What the loader says of each mistake: the data under `cases/`, one text for each."""

import pytest

from slo.problem_ids import PROBLEM_IDS
from slo.problems import Severity, has_errors
from tests.unit.slo.loader.reading import Case, app_text, cases, load, problems_of, told

ALL = cases()

# Each needs more than one text; the tests beside this one have them.
ELSEWHERE = {"spec/duplicate-app", "spec/missing-file"}


@pytest.mark.parametrize("case", ALL, ids=lambda case: f"{case.kind}: {case.name}")
def test_mistake_is_named_with_its_place(case: Case) -> None:
    """Every problem of a text is told, with line, column and what to do about it."""
    assert case.problems == told(problems_of(case))


@pytest.mark.parametrize("case", cases("App"), ids=lambda case: case.name)
def test_app_with_an_error_is_not_in_the_catalog(case: Case) -> None:
    """An app is loaded whole or not at all; warnings and notes leave it in."""
    loaded = load(case.text)
    expected = case.text.count("kind: App") if not has_errors(loaded.problems) else 0
    assert expected == len(loaded.catalog.apps)


def test_every_problem_of_the_loader_has_a_case() -> None:
    """No id of the loader goes untested."""
    told_ids = {problem.id for case in ALL for problem in problems_of(case)}
    own = {each for each in PROBLEM_IDS if each.startswith(("query/", "spec/"))}
    own -= {"spec/bad-date", "spec/control-character"}  # of shapes that have tests of their own
    assert own - ELSEWHERE <= told_ids


def test_all_problems_come_at_once() -> None:
    """A file with many mistakes is mended in one go."""
    text = app_text(
        "contact: {}\n"
        "environments: [{name: Prod, source: eu}]\n"
        "slos:\n"
        "  - name: a\n"
        "    objective: 0.99\n"
        "    window: 7m\n"
        "    indicator: {events: {total: 'sum(', bad: 'rate(x[5m])'}}\n"
        "  - {name: a, objective: 99, indicator: {latency: {histogram: x_sum, threshold: 1}}}\n"
    )
    problems = load(text).problems
    assert [
        ("5:3", "spec/unknown-key"),
        ("6:25", "spec/bad-text"),
        ("6:39", "spec/bad-text"),
        ("9:18", "spec/bad-objective"),
        ("10:15", "spec/bad-window"),
        ("11:39", "query/syntax"),
        ("11:48", "query/no-window"),
        ("12:14", "spec/duplicate-item"),
        ("12:65", "query/histogram"),
        ("12:83", "spec/bad-duration"),
    ] == [(_place(problem.span), problem.id) for problem in problems]
    assert all(problem.severity is Severity.ERROR for problem in problems)


def _place(span: object) -> str:
    return f"{getattr(span, 'line', 0)}:{getattr(span, 'column', 0)}"
