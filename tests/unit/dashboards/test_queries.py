"""Dashboards ask for recorded series of their own app and of nothing else."""

import pytest

from dashboards.grafana import queries
from dashboards.grafana.overview import overview
from dashboards.grafana.queries import Scope
from slo import naming
from slo.model import App
from slo.units import Duration
from slo.windows import usable_pairs
from slo.workspace import Links
from tests.unit.dashboards import read
from tests.unit.dashboards.build import CATALOGUE, app, slo, ticketing

MIXED = app([slo("availability"), slo("latency"), slo("freshness", window="7d")])


def recorded(of: App) -> set[str]:
    """The names of all series that rules record, and of the alerts."""
    windows = {
        window
        for level in of.levels()
        for pair in usable_pairs(level, CATALOGUE).pairs
        for window in (pair.long, pair.short)
    }
    return {
        naming.TOTAL_RATE,
        naming.BAD_RATE,
        naming.PERIOD_RATIO,
        naming.OBJECTIVE,
        naming.ERROR_BUDGET,
        naming.PERIOD_BURN_RATE,
        naming.BUDGET_REMAINING,
        naming.PERIOD_COVERAGE,
        naming.TOTAL_PERIOD,
        naming.BAD_PERIOD,
        naming.REVISION_START,
        "ALERTS",
        *map(naming.error_ratio, windows),
    }


@pytest.mark.parametrize("of", [ticketing(), MIXED], ids=["two SLOs", "mixed windows"])
def test_every_selector_names_a_recorded_series_and_exactly_this_app(of: App) -> None:
    """No query reads raw counters, and none can meet another app's series."""
    made = overview(of, of.environments[0], CATALOGUE, Links())
    asked: set[str] = set()
    for title, query in read.queries(made):
        for name, matchers in read.selectors(query):
            asked.add(name)
            assert matchers["app"][1] == "ticketing", title
            assert matchers["env"][1] == "prod", title
            assert {matchers["app"][0], matchers["env"][0]} == {"MatchOp.Equal"}, title
    assert recorded(of) == asked


def test_panels_of_an_slo_select_it_by_name() -> None:
    """Only the table of all SLOs reads them together."""
    of = ticketing()
    made = overview(of, of.environments[0], CATALOGUE, Links())
    names = {
        matchers.get("slo", ("", ""))[1]
        for title, query in read.queries(made)
        if title != "Service level objectives"
        for _, matchers in read.selectors(query)
    }
    assert {"availability", "reachability"} == names


def test_nothing_is_filled_with_zero() -> None:
    """Missing data stays missing."""
    made = overview(MIXED, MIXED.environments[0], CATALOGUE, Links())
    assert [query for _, query in read.queries(made) if "vector(" in query] == []


def test_values_are_quoted() -> None:
    """A name that could end its string does not."""
    scope = Scope(app='a"b', env="prod", slos=("x",))
    assert scope.select("m") == 'm{app="a\\"b",env="prod",slo="x"}'


def test_a_slow_series_is_read_over_a_restart_and_a_fast_one_is_not() -> None:
    """What is recorded every five minutes would otherwise be gone between two evaluations."""
    scope = Scope(app="a", env="e", slos=("s",))
    assert (
        queries.error_ratio(scope, Duration.parse("1h"))
        == 'slo:error:ratio_rate1h{app="a",env="e",slo="s"}'
    )
    assert (
        queries.error_ratio(scope, Duration.parse("2h"))
        == 'last_over_time(slo:error:ratio_rate2h{app="a",env="e",slo="s"}[11m])'
    )


def test_slos_that_share_a_factor_are_judged_in_one_clause() -> None:
    """The state's query grows with the number of distinct pairs, not with the number of SLOs."""
    few, many = (app([slo(f"slo-{n}") for n in range(count)]) for count in (1, 30))
    scope = Scope(app="ticketing", env="prod")
    assert queries.state(scope, few.levels(), CATALOGUE) == queries.state(
        scope, many.levels(), CATALOGUE
    )


def test_pairs_of_other_slos_do_not_judge_an_slo() -> None:
    """A clause that holds for some SLOs names them."""
    scope = Scope(app="ticketing", env="prod")
    query = queries.state(scope, MIXED.levels(), CATALOGUE)
    named = {matchers["slo"] for _, matchers in read.selectors(query) if "slo" in matchers}
    assert {
        ("MatchOp.Re", "availability|latency"),
        ("MatchOp.Equal", "freshness"),
    } == named


def test_an_slo_without_usable_pairs_is_never_burning() -> None:
    """There is no clause for it, and the query still parses."""
    level = app([slo("a")]).levels()[0]
    silent = type(CATALOGUE)(pairs=())
    query = queries.state(Scope.of(level.key), [level], silent)
    assert {naming.BUDGET_REMAINING} == {name for name, _ in read.selectors(query)}
