"""When the console's first useful picture stands in Chromium, once `headroom serve` answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as BrowserError

from bench.model import Bench, FailedError, Result, Row, Run, binaries
from bench.processes import Command, headroom, measure
from bench.serving import Headroom
from tests.servers.parts import CHROMIUM_PART

_AIM = 2.0
_PATIENCE = 60_000
_WORKSPACE = Path(__file__).parent.parent / "examples" / "airline"

# What somebody came for: the table of apps, or the page's cards, drawn with data.
_FLEET = ".st-key-fleet-table canvas"


def run(bench: Run) -> Result:
    """Open the fleet in a new browser profile: first of all after a start, and again."""
    chromium = binaries(CHROMIUM_PART) / "chromium"
    store = bench.folder / "store"
    days = "1" if bench.quick else "2"
    bench.tell(f"filling a store with the demo's last {days} days")
    measure(Command(arguments=[*headroom("demo"), "--once", "--days", days, "--store", store]))
    return Result(rows=pictures(bench, chromium, store))


def pictures(bench: Run, chromium: Path, store: Path) -> list[Row]:
    """Measure over a filled store, with a new server for each first look."""
    cold, warm = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        for turn in range(1 if bench.quick else 5):
            bench.tell(f"round {turn + 1}")
            with Headroom("--store", str(store), workspace=_WORKSPACE) as server:
                cold.append(_seconds(browser, server.url))
                warm += [_seconds(browser, server.url) for _ in range(3)]
        browser.close()
    return [
        _row("the first visitor after the start", cold, _AIM),
        _row("a new visitor later", warm, _AIM),
    ]


def _seconds(browser: Browser, url: str) -> float:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    try:
        page = context.new_page()
        began = time.perf_counter()
        page.goto(url, wait_until="commit", timeout=_PATIENCE)
        page.wait_for_selector(_FLEET, state="visible", timeout=_PATIENCE)
        return time.perf_counter() - began
    except BrowserError as error:
        raise FailedError(f"no picture: {error.message.splitlines()[0]}") from error
    finally:
        context.close()


def _row(what: str, seconds: Sequence[float], target: float) -> Row:
    figures = ", ".join(f"{each:.2f}" for each in seconds)
    return Row(
        bench="first_picture",
        what=f"the fleet's table in Chromium, {what}",
        value=median(seconds),
        target=target,
        unit="s",
        figures=f"{figures} s",
    )


BENCH = Bench(
    name="first_picture",
    about="seconds from opening the console to the fleet's table, in Chromium",
    run=run,
)
