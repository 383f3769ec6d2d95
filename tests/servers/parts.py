"""Executables of the parts that most tests do without, each skipped by name where it is missing."""

from collections.abc import Callable
from pathlib import Path

import pytest

__all__ = ["chromium", "otelcol"]

OTELCOL_PART = "otelcol-0.159"
CHROMIUM_PART = "chromium"


@pytest.fixture(scope="session")
def otelcol(part: Callable[[str], Path]) -> Path:
    """The OpenTelemetry Collector with the components that Headroom configures."""
    return part(OTELCOL_PART) / "otelcol"


@pytest.fixture(scope="session")
def chromium(part: Callable[[str], Path]) -> Path:
    """A browser for Playwright's ``executable_path``; it runs headless and without a sandbox."""
    return part(CHROMIUM_PART) / "chromium"
