"""Thanos: a sidecar beside each Prometheus, and a querier over the sidecars."""

import json
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.servers.processes import Prometheus, PrometheusApi
from tests.servers.server import Server, free_port


class ThanosSidecar(Server):
    """A sidecar; its Prometheus needs external labels, by which Thanos tells sources apart."""

    name = "thanos-sidecar"

    def __init__(self, binaries: Path, *, prometheus: Prometheus, timeout: float = 60) -> None:
        super().__init__(binaries, flags=(), timeout=timeout)
        self.prometheus = prometheus
        self.grpc = ""

    def command(self, port: int) -> list[str]:
        """Return the command that starts the sidecar on a port."""
        self.grpc = f"127.0.0.1:{free_port()}"
        return [
            *(str(self.binaries / "thanos"), "sidecar"),
            f"--prometheus.url={self.prometheus.url}",
            f"--tsdb.path={self.prometheus.data}",
            f"--http-address=127.0.0.1:{port}",
            f"--grpc-address={self.grpc}",
        ]


class ThanosQuery(PrometheusApi):
    """A querier over sidecars or rulers by their gRPC addresses; it answers partially by itself."""

    name = "thanos-query"

    def __init__(
        self,
        binaries: Path,
        *,
        endpoints: Sequence[str],
        flags: Sequence[str] = (),
        timeout: float = 60,
    ) -> None:
        super().__init__(binaries, flags=flags, timeout=timeout)
        self.endpoints = tuple(endpoints)

    def command(self, port: int) -> list[str]:
        """Return the command that starts the querier on a port."""
        return [
            *(str(self.binaries / "thanos"), "query"),
            *(f"--endpoint={endpoint}" for endpoint in self.endpoints),
            f"--http-address=127.0.0.1:{port}",
            f"--grpc-address=127.0.0.1:{free_port()}",
            "--store.response-timeout=5s",
            *self.flags,
        ]

    def stores(self) -> int:
        """Count the sources that answer now."""
        listed = self.api("stores")
        return sum(not store["lastError"] for kind in listed.values() for store in kind)

    def whole_answer(self, expression: str) -> dict[str, Any]:
        """Evaluate an expression and return all of the answer, also its warnings."""
        form = urllib.parse.urlencode({"query": expression})
        answer: dict[str, Any] = json.loads(self.request("/api/v1/query", data=form.encode()))
        return answer
