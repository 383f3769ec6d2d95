"""The OpenTelemetry Collector as a daemon, and its validation.

with Otelcol(otelcol.parent, configure=lambda port, folder: YAML) as collector:
...send to the port that YAML listens on, or write to a file that it reads...
"""

from pathlib import Path

from tests.servers.daemon import Daemon
from tests.servers.processes import Outcome, run_tool


class Otelcol(Daemon):
    """A running Collector; JSON is a configuration too."""

    name = "otelcol"

    def program(self) -> list[str | Path]:
        """Return the Collector with its one file."""
        return [self.binaries / "otelcol", f"--config=file:{self.config_file}"]

    def _is_ready(self) -> bool:
        return "Everything is ready." in self.log()


def otelcol_check(binaries: Path, config: Path) -> Outcome:
    """Check a configuration as ``otelcol validate`` does; an unset variable fails it."""
    return run_tool(binaries / "otelcol", "validate", f"--config=file:{config}")
