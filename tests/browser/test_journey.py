"""A reader who follows the README finds which deploy broke ticketing, and why, in a few clicks.

A real server over a day of the airline, a real browser. Screenshots are left in the folder that
``HEADROOM_SCREENSHOTS`` names.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.demo import World, places
from app.demo.filling import fill_store
from app.project import open_project
from tests.cli.served import Served, served

# One server and one browser for all of them.
pytestmark = pytest.mark.xdist_group("browser")

PATIENCE_MS = 60_000
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
ROUTE, VERSION = "/bookings/{id}/confirm", "2.15.0"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The airline's console, with a day of history up to now."""
    folder = tmp_path_factory.mktemp("journey")
    workspace = str(places.workspace())
    catalog = open_project([], environment={}, workspace=workspace).catalog
    world = World(seed=7, now_ns=time.time_ns(), days=1, scale=1.0)
    print(f"seed {world.seed}")
    store = folder / "store"
    fill_store(world, catalog, store, lambda: None)
    arguments = ("--workspace", workspace, "--store", str(store))
    with served(folder, *arguments, console=True) as running:
        yield running


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Chromium without a window."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        yield running
        running.close()


@dataclass
class Visit:
    """A page, the clicks made on it, and what its console complained of."""

    page: Page
    clicks: int = 0
    complaints: list[str] = field(default_factory=list)

    def click(self, role: str, name: str) -> None:
        """Click the first thing of that role whose name holds a text."""
        found = self.page.get_by_role(role, name=name).first  # type: ignore[arg-type]  # a role
        expect(found).to_be_visible(timeout=PATIENCE_MS)
        found.click()
        self.clicks += 1

    def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)


def visit(browser: Browser, size: str = "wide", scheme: str = "light") -> Visit:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,  # type: ignore[arg-type]  # light or dark
    )
    made = Visit(page=context.new_page())
    made.page.on(
        "console",
        lambda message: made.complaints.append(message.text) if message.type == "error" else None,
    )
    made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
    return made


def keep(made: Visit, name: str) -> None:
    """Leave a picture where it was asked for."""
    folder = os.environ.get("HEADROOM_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        made.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_reader_finds_the_deploy_that_broke_ticketing(server: Served, browser: Browser) -> None:
    """Fleet, ticketing, Why, an example trace with its logs, the deploy: at most eight clicks."""
    made = visit(browser)
    made.page.goto(server.url)
    made.click("link", "ticketing")
    made.click("tab", "Why")
    made.shows(f"{ROUTE} · {VERSION}")
    made.shows("fare_family")
    keep(made, "why")
    address = made.page.url
    made.click("button", "An example trace")
    made.shows(f"POST {ROUTE}")
    keep(made, "trace")
    made.page.goto(address)
    made.click("button", "Its log records")
    made.shows("Records over time")
    cell = made.page.locator(".st-key-logs-table td", has_text="fare_family").first
    expect(cell).to_be_attached(timeout=PATIENCE_MS)
    keep(made, "logs")
    made.click("tab", "Deploys")
    made.shows(VERSION)
    made.shows("worse")
    keep(made, "deploys")
    assert made.clicks <= 8
    assert [] == made.complaints


def test_a_pasted_address_shows_the_same(server: Served, browser: Browser) -> None:
    """The address holds the app, the tab and what was chosen."""
    first = visit(browser)
    first.page.goto(f"{server.url}/app?app=ticketing&env=prod&slo=availability&tab=why")
    first.shows(f"{ROUTE} · {VERSION}")
    second = visit(browser)
    second.page.goto(first.page.url)
    second.shows(f"{ROUTE} · {VERSION}")
    assert [] == first.complaints + second.complaints


def test_what_was_clicked_is_in_the_address(server: Served, browser: Browser) -> None:
    """A log record, opened by a click on its row, is open in another window too."""
    first = visit(browser)
    first.page.goto(f"{server.url}/app?app=ticketing&env=prod&tab=logs&level=error&range=1d")
    table = first.page.locator(".st-key-logs-table canvas").first
    expect(table).to_be_visible(timeout=PATIENCE_MS)
    # A canvas lies below what takes its clicks.
    table.click(position={"x": 15, "y": 52}, force=True)
    record = first.page.locator(".st-key-log-record code").first
    expect(record).to_be_visible(timeout=PATIENCE_MS)
    expect(first.page).to_have_url(re.compile("record="), timeout=PATIENCE_MS)
    second = visit(browser)
    second.page.goto(first.page.url)
    same = second.page.locator(".st-key-log-record code").first
    expect(same).to_have_text(record.inner_text(), timeout=PATIENCE_MS)
    keep(second, "record")
    assert [] == first.complaints + second.complaints


def test_the_first_visit_of_a_server_may_be_a_pasted_address(
    tmp_path: Path, browser: Browser
) -> None:
    """The very first page that a process draws is the one that was asked for, without complaint."""
    workspace = str(places.workspace())
    arguments = ("--workspace", workspace, "--store", str(tmp_path / "store"))
    for path, text in (
        ("/app?app=ticketing&env=prod", "May I ship?"),
        ("/catalogue", "The files have no problem."),
        ("/map", "Service map"),
    ):
        with served(tmp_path, *arguments, console=True) as fresh:
            made = visit(browser)
            made.page.goto(fresh.url + path)
            made.shows(text)
            assert [] == made.complaints, path


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "ticketing"),
        ("/app?app=ticketing&env=prod", "availability"),
        ("/app?app=ticketing&env=prod&tab=metrics", "Components"),
        ("/app?app=ticketing&env=prod&tab=why", "Who spends the budget"),
        ("/app?app=ticketing&env=prod&tab=traces", "Durations"),
        ("/app?app=ticketing&env=prod&tab=logs", "Patterns"),
        ("/app?app=ticketing&env=prod&tab=deploys", "Deploys"),
        ("/unattributed", "What belongs to no app"),
        ("/map", "Service map"),
        ("/catalogue", "The files have no problem."),
    ],
)
def test_every_page_is_readable(
    server: Served, browser: Browser, path: str, text: str, size: str, scheme: str
) -> None:
    """At both widths and in both themes nothing is wider than the window, nothing complains."""
    made = visit(browser, size, scheme)
    made.page.goto(server.url + path)
    made.shows(text)
    # Panels are skeletons until their answers come.
    expect(made.page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE_MS)
    keep(made, f"{path.strip('/').replace('?', '-').replace('&', '-') or 'fleet'}-{size}-{scheme}")
    wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not made.page.evaluate(wider)
    assert [] == made.complaints
