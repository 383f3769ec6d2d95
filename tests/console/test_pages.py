"""Every page in every state: data, no data, something missing, a source down, and not allowed."""

import pytest
from streamlit.testing.v1 import AppTest

from app.access import Role, Scope
from app.services.world import World
from tests.console.stage import (
    APP,
    CATALOGUE,
    FLEET,
    HOSTILE,
    MAP,
    TRACE,
    UNATTRIBUTED,
    nobody,
    said,
    shown,
    visited,
)

TABS = ("overview", "why", "metrics", "traces", "logs", "deploys")
PAGES = (FLEET, UNATTRIBUTED, MAP, CATALOGUE)
CARGO_ONLY = Scope(user="tia", role=Role.DEVELOPER, apps=frozenset({"cargo"}))


def tab(world: World, name: str, **more: str) -> AppTest:
    return shown(world, APP, {"app": "ticketing", "tab": name, "range": "2d", **more})


def unbroken(test: AppTest) -> str:
    """What a page says; no panel of it is broken."""
    text = said(test)
    assert not test.exception, test.exception
    assert "This panel is broken" not in text
    return text


@pytest.mark.parametrize("page", PAGES)
def test_a_page_with_data_answers(full: World, page: str) -> None:
    """Each page draws its panels, and none says that it has nothing."""
    text = unbroken(shown(full, page, {"range": "2d"}))

    assert "Could not be read" not in text


@pytest.mark.parametrize("name", TABS)
def test_a_tab_with_data_answers(full: World, name: str) -> None:
    """Each tab of the App page draws its panels."""
    text = unbroken(tab(full, name))

    assert "Could not be read" not in text
    assert "ticketing" in text


@pytest.mark.parametrize("name", TABS)
def test_a_tab_without_data_says_so_and_shows_no_zero(empty: World, name: str) -> None:
    """What was never recorded is no data, whatever the tab."""
    assert "No data" in unbroken(tab(empty, name))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_an_empty_workspace_is_drawn(bare: World, page: str) -> None:
    """Nothing is declared yet, and no page breaks over it."""
    unbroken(shown(bare, page))


def test_an_app_page_without_apps_says_so(bare: World) -> None:
    """There is no first app to show."""
    assert "No app is in this workspace" in unbroken(shown(bare, APP))


@pytest.mark.parametrize("name", TABS)
def test_a_tab_whose_source_is_down_says_why(down: World, name: str) -> None:
    """A panel that nobody can answer names its reason, and the page stands."""
    text = unbroken(shown(down, APP, {"app": "loyalty", "tab": name}))

    assert any(
        each in text
        for each in ("no source of this workspace holds", "127.0.0.1:9", "cannot be reached")
    ), text


def test_a_panel_says_which_source_could_answer(down: World) -> None:
    """Logs are asked of a workspace that has metrics only."""
    text = unbroken(shown(down, APP, {"app": "loyalty", "tab": "logs"}))

    assert "add sources.store.path or sources.elasticsearch to headroom.yaml; Prometheus" in text
    assert "holds metrics only" in text


def test_a_fleet_with_a_source_down_is_partial(partial: World) -> None:
    """Apps whose source answers are shown; what is missing is named."""
    text = unbroken(shown(partial, FLEET, {"range": "2d"}))

    assert "Partial: something did not answer" in text
    assert "◐" in text


@pytest.mark.parametrize("name", TABS)
def test_a_forbidden_app_shows_nothing_of_it(full: World, name: str) -> None:
    """The address of another team's app is refused, on every tab."""
    test = shown(full, APP, {"app": "ticketing", "tab": name}, scope=CARGO_ONLY)
    text = unbroken(test)

    assert "You may not see this." in text
    assert 'tia may not see app "ticketing"' in text
    assert "Airline ticketing" not in text


def test_a_fleet_shows_only_what_the_visitor_may_see(full: World) -> None:
    """Rows of other teams' apps are not there, nor are their names."""
    test = shown(full, FLEET, scope=CARGO_ONLY)
    unbroken(test)

    assert ["cargo", "cargo"] == list(test.dataframe[0].value["app"])


def test_what_belongs_to_nobody_is_for_those_who_see_everything(full: World) -> None:
    """It could be anybody's."""
    text = unbroken(shown(full, UNATTRIBUTED, scope=CARGO_ONLY))

    assert "You may not see this." in text


@pytest.mark.parametrize("page", [*PAGES, APP])
def test_who_has_no_role_sees_no_page(full: World, page: str) -> None:
    """Not even the frame, which would name apps."""
    test = visited(full, page, {}, nobody)
    text = unbroken(test)

    assert "eve has no role here" in text
    assert [] == list(test.selectbox)


def test_an_alerts_link_opens_its_slo(full: World) -> None:
    """Alerts lead to ``{console}/app?app=A&env=E&slo=S``."""
    text = unbroken(shown(full, APP, {"app": "ticketing", "env": "prod", "slo": "availability"}))

    assert "Burn-down of **availability**" in text
    assert "May I ship?" in text
    assert "✕ deny" in text
    assert "No, do not ship" in text


def test_an_unknown_app_is_answered_with_the_one_that_was_meant(full: World) -> None:
    """A mistyped address helps itself."""
    assert 'did you mean "ticketing"' in unbroken(shown(full, APP, {"app": "tiketing"}))


def test_nonsense_in_an_address_is_left_out_and_told(full: World) -> None:
    """The rest of the address is shown as it says."""
    text = unbroken(tab(full, "deploys", range="banana"))

    assert "A part of this address makes no sense" in text
    assert "a duration is a number with a unit" in text


def test_the_open_badge_is_there_while_nobody_is_asked(full: World) -> None:
    """Who looks is told that anybody could."""
    assert "open" in said(shown(full, FLEET))
    assert "tia, developer" in said(shown(full, FLEET, scope=CARGO_ONLY))


def test_choosing_an_app_goes_into_the_address(full: World) -> None:
    """A pasted address shows the same picture."""
    test = tab(full, "logs", q="seat")
    test.selectbox(key="frame-app").select("cargo").run()

    assert {"app": "cargo", "tab": "logs", "range": "2d"} == dict(test.query_params)


def test_a_query_that_cannot_be_read_shows_where(full: World) -> None:
    """A caret stands under the mistake, and nothing is asked."""
    test = tab(full, "logs", q="status: (500")
    unbroken(test)

    assert "This query cannot be read." in said(test)
    assert any("            ^" in code.value for code in test.code)
    assert [] == list(test.dataframe)


def test_a_search_shows_what_fits(full: World) -> None:
    """The text of the address is what is searched for."""
    test = tab(full, "logs", q="seat")
    unbroken(test)

    assert ["seat 12A was taken"] == list(test.dataframe[0].value["body"])


def test_a_hostile_log_line_is_never_markup(full: World) -> None:
    """It stands in tables and as text only, wherever it is shown."""
    for name, more in (("logs", {}), ("traces", {"trace": TRACE})):
        test = tab(full, name, **more)
        unbroken(test)
        marked = [
            str(getattr(each, "value", ""))
            for kind in ("markdown", "caption", "error", "info", "warning", "header", "subheader")
            for each in test.get(kind)
        ]
        assert not [text for text in marked if "evil.example" in text]
        assert any(HOSTILE in str(frame.value.to_numpy().tolist()) for frame in test.dataframe)


def test_a_trace_in_the_address_is_opened_with_its_logs(full: World) -> None:
    """Also from a range that does not hold it."""
    test = tab(full, "traces", trace=TRACE, range="1h")
    text = unbroken(test)

    assert "2 spans, 2 failed, 2 log records" in text
    assert TRACE in text


def test_why_adds_up_and_names_the_cause(full: World) -> None:
    """Shares of the rows and what is left over are all of the bad events."""
    test = tab(full, "why", slo="availability")
    text = unbroken(test)

    assert "everything else:" in text
    assert "An example trace" in [button.label for button in test.button]


def test_a_deploy_says_what_changed_and_how_sure_that_is(full: World) -> None:
    """Before and after with sample sizes."""
    text = unbroken(tab(full, "deploys"))

    assert "api 1.1" in text
    assert "(n = " in text


def test_only_the_open_tab_asks(full: World) -> None:
    """Metrics are not read while logs are looked at."""
    text = unbroken(tab(full, "logs"))

    assert "Patterns" in text
    assert "Broken down by" not in text
    assert "May I ship?" not in text
