"""Elasticsearch and OpenSearch, one node each, and their REST API.

A node starts in 5 to 20 seconds, so a session has one of each and tests choose names of their own.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.servers.server import Server, ServerError

# A busy machine of two cores takes ten times as long as an idle one.
_START_TIMEOUT = 180


class SearchNode(Server):
    """One node on loopback with a folder of its own; ``settings`` are added to the node's."""

    def __init__(
        self,
        binaries: Path,
        *,
        settings: Mapping[str, str] | None = None,
        data: Path | None = None,
        timeout: float = _START_TIMEOUT,
    ) -> None:
        flags = [f"{key}={value}" for key, value in (settings or {}).items()]
        super().__init__(binaries, flags=flags, timeout=timeout)
        self.data = data or self.folder / "data"

    def command(self, port: int) -> list[str]:
        """Return the command that starts the node on a port."""
        return [
            str(self.binaries / self.name),
            f"http.port={port}",
            # A free one, as nobody asks for it.
            "transport.port=0",
            f"path.data={self.data}",
            f"path.logs={self.folder / 'logs'}",
            *self.flags,
        ]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request with a JSON body and return the answer's JSON."""
        data = None if body is None else json.dumps(body).encode()
        kind = None if body is None else "application/json"
        answer = self.request(path, data=data, content_type=kind, method=method)
        return json.loads(answer) if answer else None

    def bulk(self, target: str, documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Create documents in an index or data stream, visible at once; returns each one's fate."""
        lines = [line for each in documents for line in ('{"create":{}}', json.dumps(each))]
        answer = self.request(
            f"/{target}/_bulk?refresh=true",
            data="\n".join([*lines, ""]).encode(),
            content_type="application/x-ndjson",
        )
        return [item["create"] for item in json.loads(answer)["items"]]

    def documents(self, target: str, query: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Return the first thousand documents that a query finds, in no order."""
        self.call("POST", f"/{target}/_refresh")
        body = {"size": 1000, "query": query or {"match_all": {}}}
        found = self.call("POST", f"/{target}/_search", body)
        return [hit["_source"] for hit in found["hits"]["hits"]]

    def _is_ready(self) -> bool:
        try:
            health = self.call("GET", "/_cluster/health")
        except ServerError:
            return False
        return health["status"] in {"green", "yellow"}


class Elasticsearch(SearchNode):
    """The core of Elasticsearch: no ``GET /``, ingest, scripts, lifecycle, ES|QL or security."""

    name = "elasticsearch"


class Opensearch(SearchNode):
    """OpenSearch with ingest pipelines, scripts and reindex; no lifecycle or security."""

    name = "opensearch"
