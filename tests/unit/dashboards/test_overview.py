"""The overview says what it should, in Grafana's own model, and stays the same."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.overview import files, overview, render
from slo.model import App
from slo.workspace import Links
from tests.unit.dashboards.build import CATALOGUE, app, logs, slo, ticketing
from tests.unit.dashboards.read import boxes, panels, queries

LINKS = Links(console="https://headroom.example.com/")

MANY = app([slo(f"slo-{number}") for number in range(6)])


def board(of: App, links: Links = LINKS) -> dict[str, Any]:
    """The overview of the only environment."""
    return overview(of, of.environments[0], CATALOGUE, links)


def test_the_file_of_an_app_with_two_slos_is_the_golden_one(
    golden: Callable[[str, str], None],
) -> None:
    """What users deploy is kept in the repository and reviewed there."""
    made = files(ticketing(), CATALOGUE, LINKS)
    assert list(made) == ["grafana/prod/ticketing/overview.json"]
    for path, text in made.items():
        golden(f"overview/{path}", text)


def test_the_same_app_gives_the_same_bytes() -> None:
    """Two builds cannot be told apart, and end with one newline."""
    first, second = render(board(ticketing())), render(board(ticketing()))
    assert first == second
    assert first.endswith("}\n")


def test_grafanas_types_load_it_and_write_it_back_unchanged() -> None:
    """Nothing in the file is unknown to the types of the Grafana SDK."""
    register_default_plugins()
    for made in (board(ticketing()), board(MANY)):
        loaded = Dashboard.from_json(json.loads(render(made)))
        assert made == json.loads(json.dumps(loaded, cls=JSONEncoder))


def test_identity_comes_from_the_names_alone() -> None:
    """Title, uid and tags say which app, environment and team it belongs to."""
    made = board(ticketing())
    assert made["title"] == "Ticketing · prod"
    assert made["uid"] == "headroom-ticketing-prod-overview"
    assert made["tags"] == ["app:ticketing", "headroom", "team:bookings"]
    assert made["time"] == {"from": "now-7d", "to": "now"}
    assert made["refresh"] == "1m"
    assert "id" not in made


def test_it_works_with_any_prometheus_data_source() -> None:
    """The data source is a variable, and everything that asks uses it."""
    made = board(ticketing())
    (variable,) = made["templating"]["list"]
    assert (
        variable["type"],
        variable["name"],
        variable["query"],
    ) == ("datasource", "datasource", "prometheus")
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    for panel in panels(made):
        assert chosen == panel["datasource"]
        assert all(chosen == target["datasource"] for target in panel["targets"])


@pytest.mark.parametrize(
    ("console", "expected"),
    [
        ("https://h.example.com/", "https://h.example.com/?app=ticketing&env=prod"),
        ("https://h.example.com/?x=1", "https://h.example.com/?x=1&app=ticketing&env=prod"),
    ],
)
def test_links_lead_to_the_app_in_the_console_and_to_its_runbook(
    console: str, expected: str
) -> None:
    """The console's link carries the app and the environment."""
    made = board(ticketing(), Links(console=console))
    assert [
        ("Console", expected),
        ("Runbook", "https://runbooks.example.com/ticketing"),
    ] == [(link["title"], link["url"]) for link in made["links"]]


def test_without_a_console_and_a_runbook_there_are_no_links() -> None:
    """A link that leads nowhere is worse than none."""
    assert "links" not in board(app([slo("availability")]), Links())


@pytest.mark.parametrize("of", [ticketing(), MANY], ids=["two SLOs", "many SLOs"])
def test_panels_fill_24_columns_and_never_overlap(of: App) -> None:
    """Every panel lies inside the grid, and no cell of the grid belongs to two."""
    made = board(of)
    for where, places in boxes(made):
        for place in places:
            assert place["x"] >= 0, where
            assert place["x"] + place["w"] <= 24, where
        for one, other in combinations(places, 2):
            assert not overlap(one, other), f"{where}: {one} and {other}"
        by_line: dict[int, int] = {}
        for place in places:
            by_line[place["y"]] = by_line.get(place["y"], 0) + place["w"]
        assert set(by_line.values()) == {24}, where


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two places share a cell."""
    apart_x = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart_y = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not (apart_x or apart_y)


@pytest.mark.parametrize("of", [ticketing(), MANY], ids=["two SLOs", "many SLOs"])
def test_every_panel_has_a_unit_a_formula_and_a_text_for_missing_data(of: App) -> None:
    """A number without a unit, or an empty chart without a word, explains nothing."""
    for panel in panels(board(of)):
        defaults = panel["fieldConfig"]["defaults"]
        assert panel["title"]
        assert panel["description"]
        assert defaults["unit"], panel["title"]
        assert defaults["noValue"].startswith("no "), panel["title"]


def test_panels_are_numbered_once() -> None:
    """Grafana needs each number to be unique on a board."""
    made = board(MANY)
    numbers = [panel["id"] for panel in (*made["panels"], *panels(made))]
    rows_and_panels = {panel["id"] for panel in made["panels"]} | {p["id"] for p in panels(made)}
    assert len(set(numbers)) == len(rows_and_panels)
    assert len(rows_and_panels) == 6 * 9 + 1 + 6


def test_rows_of_many_slos_start_closed() -> None:
    """A closed row asks nothing of Prometheus until it is opened."""
    rows = [panel for panel in board(MANY)["panels"] if panel["type"] == "row"]
    assert [row["collapsed"] for row in rows] == [True] * 6
    assert [low["gridPos"]["y"] - up["gridPos"]["y"] for up, low in pairwise(rows)] == [1] * 5
    open_rows = [panel for panel in board(ticketing())["panels"] if panel["type"] == "row"]
    assert [row["collapsed"] for row in open_rows] == [False] * 2


def test_an_slo_over_logs_says_where_its_budget_is_instead_of_drawing_nothing() -> None:
    """Prometheus has no series of it, so no query asks for them."""
    made = board(app([slo("bookings", measure=logs())]))
    assert queries(made) == []
    (panel,) = panels(made)
    assert "Prometheus holds no series" in panel["options"]["content"]


def test_an_environment_without_slos_has_no_overview() -> None:
    """There is nothing to look at yet."""
    assert files(app([]), CATALOGUE, LINKS) == {}


def test_the_objective_is_shown_with_all_its_digits() -> None:
    """99.95 % never becomes 100 %."""
    made = board(app([slo("availability", "99.95"), slo("latency", "99")]))
    overrides = {
        override["matcher"]["options"]: {p["id"]: p["value"] for p in override["properties"]}
        for override in panels(made)[0]["fieldConfig"]["overrides"]
    }
    assert overrides["Objective"]["decimals"] == 2
    assert overrides["Objective"]["unit"] == "percentunit"


def test_no_budget_left_is_red_and_little_is_orange() -> None:
    """Zero itself is red."""
    (figure,) = [p for p in panels(board(app([slo("a")]))) if p["title"] == "Budget remaining"]
    steps = figure["fieldConfig"]["defaults"]["thresholds"]["steps"]

    def color(value: float) -> str:
        return str([s["color"] for s in steps if s["value"] is None or s["value"] <= value][-1])

    assert [color(value) for value in (-0.5, 0, 0.0001, 0.2499, 0.25, 1)] == [
        "red",
        "red",
        "orange",
        "orange",
        "green",
        "green",
    ]


def test_factors_of_the_usable_pairs_are_lines_on_the_burn_chart() -> None:
    """A week's budget has other factors than a month's, and pairs it cannot use have no line."""
    charts = [p for p in panels(board(ticketing())) if p["title"] == "Burn rates"]
    lines = [
        [(s["value"], s["color"]) for s in p["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        for p in charts
    ]
    assert lines == [
        [(None, "green"), (1, "orange"), (3, "orange"), (6, "red"), (14.4, "red")],
        [(None, "green"), (1, "orange"), (1.4, "red"), (3.36, "red")],
    ]


@pytest.mark.parametrize("name", ["a", "a" * 40])
def test_uids_are_stable_and_short_enough_for_grafana(name: str) -> None:
    """Grafana takes 40 characters; the uid depends on the names alone."""
    one = app([slo("availability")])
    other = app([slo("other"), slo("availability", "99.5", "7d")])
    boards = [board(replace(of, name=name)) for of in (one, other)]
    uids = {made["uid"] for made in boards}
    assert len(uids) == 1
    assert all(len(uid) <= 40 for uid in uids)
