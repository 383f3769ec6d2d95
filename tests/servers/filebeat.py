"""Filebeat: its check of a configuration, and a running one."""

from pathlib import Path

from tests.servers.daemon import Daemon
from tests.servers.processes import Outcome, run_tool

# Tests write configurations as whoever runs them, not as the owner that Filebeat asks for.
_ANYONE_S = "--strict.perms=false"


class Filebeat(Daemon):
    """A running Filebeat; JSON is a configuration too."""

    name = "filebeat"

    def program(self) -> list[str | Path]:
        """Return Filebeat with its state in its own folder and its log on stderr."""
        return [
            *(self.binaries / "filebeat", "-e", _ANYONE_S),
            *("-c", self.config_file, "--path.home", self.folder / "state"),
        ]

    def _is_ready(self) -> bool:
        return "Loading and starting Inputs completed" in self.log()


def filebeat_check(binaries: Path, config: Path, state: Path) -> Outcome:
    """Check a configuration as ``filebeat test config`` does; ``state`` is a folder it may use."""
    return run_tool(
        *(binaries / "filebeat", "test", "config", _ANYONE_S),
        *("-c", config, "--path.home", state),
    )
