"""The stage of the main path, once for each version of Prometheus, and fixtures of parts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import PROMETHEUS_PARTS
from tests.servers.parts import (
    alloy_syntax_bin,
    chromium,
    elasticsearch,
    filebeat_bin,
    opensearch,
    otelcol,
    prometheus_operator_crds,
    rsyslog_bin,
    search_node,
    syslog_ng_bin,
    thanos_bin,
    victoria_metrics_bin,
    vrl_bin,
)
from tests.servers.stage import Stage, set_up

__all__ = [
    "alloy_syntax_bin",
    "audit",
    "chromium",
    "elasticsearch",
    "filebeat_bin",
    "opensearch",
    "otelcol",
    "prometheus_operator_crds",
    "rsyslog_bin",
    "search_node",
    "stage",
    "syslog_ng_bin",
    "thanos_bin",
    "victoria_metrics_bin",
    "vrl_bin",
]

# Nodes that take seconds to start: one worker plays all of their tests.
_NODES = {"elasticsearch", "opensearch", "search_node"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a search node on one worker, so that it is started once."""
    for item in items:
        used = _NODES.intersection(getattr(item, "fixturenames", ()))
        if used:
            item.add_marker(pytest.mark.servers)
        if used and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("search-nodes"))


def _param(name: str) -> object:
    # One worker sets a stage up and plays all of it.
    return pytest.param(name, marks=pytest.mark.xdist_group(f"stage-{name}"))


@pytest.fixture(scope="session", params=[_param(name) for name in PROMETHEUS_PARTS])
def stage(
    request: pytest.FixtureRequest,
    part: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """A running server with the histories of all applications, and their workspace."""
    stage = set_up(part(request.param), tmp_path_factory.mktemp("stage"))
    with stage.server:
        yield stage


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    """The audit log of one test."""
    return tmp_path / "audit.ndjson"
