"""rsyslog and syslog-ng: their syntax checks, and running ones.

with Rsyslog(rsyslog_bin, configure=lambda port, folder: TEXT) as daemon:
...write to a file that TEXT names under daemon.folder, or send to daemon.port...
"""

from pathlib import Path

from tests.servers.daemon import Daemon
from tests.servers.processes import Outcome, run_tool


class Rsyslog(Daemon):
    """A running rsyslogd; its configuration names a ``workDirectory`` where it keeps state."""

    name = "rsyslog"

    def program(self) -> list[str | Path]:
        """Return rsyslogd in the foreground."""
        self._ready_file.unlink(missing_ok=True)
        return [
            *(self.binaries / "rsyslogd", "-n"),
            *("-i", self._ready_file, "-f", self.config_file),
        ]

    @property
    def _ready_file(self) -> Path:
        return self.folder / "rsyslogd.pid"

    def _is_ready(self) -> bool:
        return self._ready_file.exists()


class SyslogNg(Daemon):
    """A running syslog-ng; a plain ``file()`` source must exist before, or waits a minute."""

    name = "syslog-ng"

    def program(self) -> list[str | Path]:
        """Return syslog-ng in the foreground, with its state in its own folder."""
        return [
            self.binaries / "syslog-ng",
            *("--foreground", "--no-caps", "--stderr"),
            f"--cfgfile={self.config_file}",
            f"--persist-file={self.folder / 'persist'}",
            f"--control={self.folder / 'control'}",
            f"--pidfile={self.folder / 'pid'}",
        ]

    def _is_ready(self) -> bool:
        return "syslog-ng starting up" in self.log()


def rsyslog_check(binaries: Path, config: Path) -> Outcome:
    """Check a configuration as ``rsyslogd -N1`` does."""
    return run_tool(binaries / "rsyslogd", "-N1", "-f", config)


def syslog_ng_check(binaries: Path, config: Path) -> Outcome:
    """Check a configuration as ``syslog-ng --syntax-only`` does."""
    return run_tool(binaries / "syslog-ng", "--syntax-only", "--no-caps", f"--cfgfile={config}")
