"""Fixtures that all tests share: golden files, real servers by version, hypothesis profiles."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.servers.processes import Alertmanager, Prometheus
from tests.servers.provision.cache import Missing, find

GOLDEN = Path("tests", "golden")
PROMETHEUS_PARTS = ("prometheus-2.42", "prometheus-3.11")
ALERTMANAGER_PART = "alertmanager-0.25"
NEWEST_ALERTMANAGER_PART = "alertmanager-0.31"

_SERVER_FIXTURES = {
    "part",
    "prometheus_bin",
    "newest_prometheus_bin",
    "alertmanager_bin",
    "newest_alertmanager_bin",
}
_WROTE = "golden file written"

# A failure in CI must be the same failure at home; at home each run looks elsewhere.
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("home", deadline=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "home")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update-golden."""
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write golden files from what the tests produce; refused when CI is set",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to write golden files where nobody would review them."""
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError("--update-golden is refused: CI is set")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses a real server."""
    for item in items:
        if _SERVER_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.servers)


@pytest.fixture(autouse=True)
def main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the main module back that Streamlit puts a page's script in the place of.

    A process that is spawned afterwards would run that script first, and end.
    """
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the golden files that were written, also those that parallel workers wrote."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == _WROTE:
                terminalreporter.write_line(f"{_WROTE}: {value}")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text to the file of that name under tests/golden: ``golden(name, text)``."""

    def compare(name: str, actual: str) -> None:
        path = request.config.rootpath / GOLDEN / name
        expected = path.read_text(encoding="utf-8") if path.exists() else None
        if actual != expected and request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, encoding="utf-8")
            request.node.user_properties.append((_WROTE, str(GOLDEN / name)))
            return
        assert expected is not None, f"no {GOLDEN / name}; if the output is right: --update-golden"
        assert expected == actual, f"differs from {GOLDEN / name}; if it should: --update-golden"

    return compare


@pytest.fixture(scope="session")
def part() -> Callable[[str], Path]:
    """Give the folder of a part's executables by the part's name, or skip by that name."""

    def folder(name: str) -> Path:
        found = find(name)
        if isinstance(found, Path):
            return found
        return _missing(found)

    return folder


def _missing(missing: Missing) -> Path:
    if os.environ.get("HEADROOM_REQUIRE_SERVERS") == "1":
        pytest.fail(f"HEADROOM_REQUIRE_SERVERS=1, but {missing}", pytrace=False)
    pytest.skip(str(missing))


@pytest.fixture(scope="session", params=PROMETHEUS_PARTS)
def prometheus_bin(request: pytest.FixtureRequest, part: Callable[[str], Path]) -> Path:
    """The folder of prometheus and promtool, once for each supported version."""
    return part(request.param)


@pytest.fixture(scope="session")
def newest_prometheus_bin(part: Callable[[str], Path]) -> Path:
    """The folder of prometheus and promtool in the newest version alone."""
    return part(PROMETHEUS_PARTS[-1])


@pytest.fixture(scope="session")
def alertmanager_bin(part: Callable[[str], Path]) -> Path:
    """The folder of alertmanager and amtool."""
    return part(ALERTMANAGER_PART)


@pytest.fixture(scope="session")
def newest_alertmanager_bin(part: Callable[[str], Path]) -> Path:
    """The folder of today's alertmanager and amtool."""
    return part(NEWEST_ALERTMANAGER_PART)


@pytest.fixture
def start_prometheus(prometheus_bin: Path) -> Iterator[Callable[..., Prometheus]]:
    """Start servers of each version with ``Prometheus``'s arguments; they stop with the test."""
    with ExitStack() as stack:

        def start(**arguments: Any) -> Prometheus:
            return stack.enter_context(Prometheus(prometheus_bin, **arguments))

        yield start


@pytest.fixture
def start_alertmanager(alertmanager_bin: Path) -> Iterator[Callable[..., Alertmanager]]:
    """Start servers with ``Alertmanager``'s arguments; they stop with the test."""
    with ExitStack() as stack:

        def start(**arguments: Any) -> Alertmanager:
            return stack.enter_context(Alertmanager(alertmanager_bin, **arguments))

        yield start
