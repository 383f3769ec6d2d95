"""VictoriaMetrics as another server of the Prometheus API, and vmagent's check of scrape files."""

from pathlib import Path

from tests.servers.processes import Outcome, PrometheusApi, run_tool
from tests.servers.server import ServerError

# It answers a query of now with what it had this long ago, unless told otherwise.
_NO_DELAY = "-search.latencyOffset=0s"


class VictoriaMetrics(PrometheusApi):
    """A single node that keeps everything; remote write is at ``/api/v1/write``."""

    name = "victoria-metrics"

    def __init__(self, binaries: Path, *, flags: tuple[str, ...] = (), timeout: float = 30) -> None:
        super().__init__(binaries, flags=flags, timeout=timeout)

    def command(self, port: int) -> list[str]:
        """Return the command that starts the server on a port."""
        return [
            str(self.binaries / "victoria-metrics"),
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-storageDataPath={self.folder / 'data'}",
            "-retentionPeriod=100y",
            _NO_DELAY,
            *self.flags,
        ]

    def load(self, exposition: str) -> None:
        """Import samples in the text format, each with its time in milliseconds."""
        self.request("/api/v1/import/prometheus", data=exposition.encode())
        # Samples are searchable within a second of their own accord; a test does not wait.
        self.request("/internal/force_flush")

    def _is_ready(self) -> bool:
        try:
            return self.request("/health") == b"OK"
        except ServerError:
            return False


def vmagent_check(binaries: Path, config: Path) -> Outcome:
    """Check a file of scrape configurations as ``vmagent -dryRun`` does."""
    return run_tool(binaries / "vmagent", "-dryRun", f"-promscrape.config={config}")
