"""The stage of the main path, once for each version of Prometheus, and fixtures of parts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import PROMETHEUS_PARTS
from tests.servers.parts import chromium, otelcol
from tests.servers.stage import Stage, set_up

__all__ = ["audit", "chromium", "otelcol", "stage"]


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
