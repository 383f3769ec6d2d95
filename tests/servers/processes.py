"""Real servers as processes of a test, and the command-line tools that come with them.

Each server is a context manager: a free loopback port, a temporary folder, a wait for readiness
whose failure shows the log's tail, and a stop by process id. Configuration is written as JSON,
which YAML readers accept.
"""

import json
import subprocess
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.server import LOG_TAIL, Server, ServerError, wait_until

__all__ = [
    "Alertmanager",
    "Outcome",
    "Prometheus",
    "PrometheusApi",
    "Series",
    "Server",
    "ServerError",
    "amtool",
    "create_blocks",
    "promtool",
    "promtool_check_rules",
    "promtool_test_rules",
    "run_tool",
    "wait_until",
]

# Older and newer than the blocks that any test loads.
_KEEP_ALL = "--storage.tsdb.retention.time=100y"
# Equal durations turn compaction off: it would rewrite loaded blocks while tests read them.
_NO_COMPACTION = ("--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h")
# An alert that fires before the Alertmanager is discovered is lost until it is sent again.
_SEND_AGAIN_SOON = "--rules.alert.resend-delay=1s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer; times are Unix seconds, histograms are as the server sent them."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]
    histograms: tuple[tuple[float, Mapping[str, Any]], ...] = ()

    @property
    def value(self) -> float:
        """The last point's value."""
        return self.points[-1][1]


class PrometheusApi(Server):
    """A server that answers queries as a Prometheus does, under ``/api/v1``."""

    def api(self, path: str, **parameters: str | float) -> Any:
        """Return ``data`` of an API call such as ``api("rules")``, under ``/api/v1``."""
        form = urllib.parse.urlencode(parameters)
        if path in {"query", "query_range"}:
            answer = self.request(f"/api/v1/{path}", data=form.encode())
        else:
            answer = self.request(f"/api/v1/{path}?{form}")
        return json.loads(answer)["data"]

    def query(self, expression: str, at: float | None = None) -> list[Series]:
        """Evaluate an expression at a time (now if absent); a scalar is a series without labels."""
        when = {} if at is None else {"time": repr(at)}
        return _series(self.api("query", query=expression, **when))

    def query_range(
        self, expression: str, *, start: float, end: float, step: float
    ) -> list[Series]:
        """Evaluate an expression over a range of times, all in seconds."""
        return _series(
            self.api(
                "query_range", query=expression, start=repr(start), end=repr(end), step=repr(step)
            )
        )

    def number(self, expression: str, at: float | None = None) -> float | None:
        """Return an expression's only value, None for an empty answer."""
        answer = self.query(expression, at)
        assert len(answer) <= 1, f"{len(answer)} series answer {expression}"
        return answer[0].value if answer else None

    def own_metric(self, name: str) -> float | None:
        """Sum the server's own metric over its labels, None if this version has no such metric."""
        lines = self.request("/metrics").decode().splitlines()
        values = [
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith((f"{name} ", f"{name}{{"))
        ]
        return sum(values) if values else None


class Prometheus(PrometheusApi):
    """A Prometheus; reload, remote write and an endless retention are on.

    ``data`` is a folder of blocks (see ``create_blocks``), used in place; ``config`` holds
    further top-level keys of the configuration.
    """

    name = "prometheus"

    def __init__(
        self,
        binaries: Path,
        *,
        rules: Sequence[Path | str] = (),
        scrape_configs: Sequence[Mapping[str, Any]] = (),
        alertmanagers: Sequence[str] = (),
        interval: str = "15s",
        config: Mapping[str, Any] | None = None,
        data: Path | None = None,
        flags: Sequence[str] = (),
        timeout: float = 30,
    ) -> None:
        super().__init__(binaries, flags=flags, timeout=timeout)
        self.data = data or self.folder / "data"
        targets = [urllib.parse.urlsplit(url).netloc for url in alertmanagers]
        self.config: dict[str, Any] = {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [str(Path(rule).absolute()) for rule in rules],
            "scrape_configs": list(scrape_configs),
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": targets}]}]},
            **(config or {}),
        }
        self.write_config(self.config)

    def command(self, port: int) -> list[str]:
        """Return the command that starts the server on a port."""
        return [
            str(self.binaries / "prometheus"),
            f"--config.file={self.config_file}",
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-lifecycle",
            "--web.enable-remote-write-receiver",
            _KEEP_ALL,
            *_NO_COMPACTION,
            _SEND_AGAIN_SOON,
            *self.flags,
        ]


class Alertmanager(Server):
    """An Alertmanager without clustering; ``config`` is its configuration as text or keys."""

    name = "alertmanager"

    def __init__(
        self,
        binaries: Path,
        *,
        config: Mapping[str, Any] | str,
        flags: Sequence[str] = (),
        timeout: float = 30,
    ) -> None:
        super().__init__(binaries, flags=flags, timeout=timeout)
        self.write_config(config)

    def command(self, port: int) -> list[str]:
        """Return the command that starts the server on a port."""
        return [
            str(self.binaries / "alertmanager"),
            f"--config.file={self.config_file}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            *self.flags,
        ]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that it holds, as API version 2 gives them."""
        answer: list[dict[str, Any]] = json.loads(self.request("/api/v2/alerts"))
        return answer

    def send(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Post alerts as a Prometheus would, each with ``labels`` at least."""
        body = json.dumps(list(alerts)).encode()
        self.request("/api/v2/alerts", data=body, content_type="application/json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a command-line tool ended, and all that it printed."""

    code: int
    output: str

    @property
    def ok(self) -> bool:
        """Whether the tool is content."""
        return self.code == 0


def promtool(binaries: Path, *arguments: str | Path) -> Outcome:
    """Run promtool with any arguments."""
    return run_tool(binaries / "promtool", *arguments)


def promtool_check_rules(binaries: Path, paths: Sequence[Path]) -> Outcome:
    """Check rule files."""
    return promtool(binaries, "check", "rules", *paths)


def promtool_test_rules(binaries: Path, *files: Path) -> Outcome:
    """Run unit tests of rules; paths inside a file are relative to that file."""
    return promtool(binaries, "test", "rules", *files)


def amtool(binaries: Path, *arguments: str | Path) -> Outcome:
    """Run amtool with any arguments, such as ``check-config FILE``."""
    return run_tool(binaries / "amtool", *arguments)


def create_blocks(
    binaries: Path, openmetrics: Path, data: Path, *, longest_block: str = "1500h"
) -> None:
    """Load an OpenMetrics text (with times, ending in ``# EOF``) into a folder as blocks.

    ``longest_block`` is in hours, as promtool reads the whole text again for every block.
    """
    outcome = promtool(
        binaries,
        *("tsdb", "create-blocks-from", "--quiet", f"--max-block-duration={longest_block}"),
        *("openmetrics", openmetrics, data),
    )
    if not outcome.ok:
        raise ServerError(f"promtool cannot load {openmetrics}: {outcome.output[-LOG_TAIL:]}")


def run_tool(*command: str | Path) -> Outcome:
    """Run a command-line tool to its end, without input."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Outcome(code=done.returncode, output=done.stdout.decode(errors="replace"))


def _series(data: Mapping[str, Any]) -> list[Series]:
    if data["resultType"] in {"scalar", "string"}:
        return [Series(labels={}, points=(_point(data["result"]),))]
    return [
        Series(
            labels=each["metric"],
            points=tuple(map(_point, each.get("values", _only(each, "value")))),
            histograms=tuple(
                (float(at), histogram)
                for at, histogram in each.get("histograms", _only(each, "histogram"))
            ),
        )
        for each in data["result"]
    ]


def _only(series: Mapping[str, Any], key: str) -> list[Any]:
    return [series[key]] if key in series else []


def _point(pair: Sequence[Any]) -> tuple[float, float]:
    return float(pair[0]), float(pair[1])
