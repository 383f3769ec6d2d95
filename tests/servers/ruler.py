"""A rule store on loopback that keeps the documented contract of the rulers of Mimir and Cortex.

Rules are kept by tenant, namespace and group. Storing answers 202, 400 with a reason for a group
that is wrong, 401 without a tenant; an empty list and a group that is not there answer 404.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import yaml

from slo.promql import QueryProblem, parse_query

MOST_RULES = 20
PATHS = {"mimir": "/prometheus/config/v1/rules", "cortex": "/api/v1/rules"}


@dataclass
class Ruler:
    """The state of a ruler; what it loads is what was stored ``loads_after`` seconds ago."""

    flavor: str = "mimir"
    url: str = ""
    loads_after: float = 0
    unhealthy: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    busy: int = 0
    stored: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    changed_at: float = 0
    requests: list[tuple[str, str]] = field(default_factory=list)
    credentials: set[str | None] = field(default_factory=set)

    def groups(self, tenant: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Return a tenant's groups by namespace and name."""
        return {key[1:]: group for key, group in self.stored.items() if key[0] == tenant}

    def store(self, tenant: str, namespace: str, body: bytes) -> tuple[int, str]:
        """Store a group, or say why not."""
        try:
            group = yaml.safe_load(body)
            name, rules = group["name"], group["rules"]
        except (yaml.YAMLError, KeyError, TypeError):
            return 400, "unable to decoded rule group"
        for rule in rules:
            if isinstance(parse_query(rule["expr"]), QueryProblem):
                return 400, f"could not parse expression: {rule['expr']}"
        if len(rules) > MOST_RULES or name in self.refused:
            return 400, f"per-user rules per rule group limit (limit: {MOST_RULES} actual: 99)"
        self.stored[tenant, namespace, name] = group
        self.changed_at = time.monotonic()
        return 202, '{"status":"success"}'

    def remove(self, tenant: str, namespace: str, name: str) -> tuple[int, str]:
        """Remove a group, or say that there is none."""
        if self.stored.pop((tenant, namespace, name), None) is None:
            return 404, "group does not exist"
        self.changed_at = time.monotonic()
        return 202, '{"status":"success"}'

    def listed(self, tenant: str) -> tuple[int, str]:
        """Return all groups as YAML, durations in the server's own notation."""
        found: dict[str, list[dict[str, Any]]] = {}
        for (namespace, _), group in self.groups(tenant).items():
            interval = {"interval": "1m30s"} if group.get("interval") == "90s" else {}
            found.setdefault(namespace, []).append({**group, **interval})
        return (200, yaml.safe_dump(found)) if found else (404, "no rule groups found")

    def loaded(self, tenant: str) -> str:
        """Return what is evaluated, in the shape of the Prometheus API."""
        late = time.monotonic() - self.changed_at < self.loads_after
        groups = [
            {
                "name": name,
                "file": namespace,
                "interval": 1,
                "rules": [self._rule(name, rule) for rule in group["rules"]],
            }
            for (namespace, name), group in ({} if late else self.groups(tenant)).items()
        ]
        return json.dumps({"status": "success", "data": {"groups": groups}})

    def _rule(self, group: str, rule: dict[str, Any]) -> dict[str, Any]:
        bad = group in self.unhealthy
        return {
            "name": rule.get("record") or rule["alert"],
            "type": "recording" if "record" in rule else "alerting",
            "health": "err" if bad else "ok",
            "lastError": "many-to-many matching not allowed" if bad else "",
        }


class _Handler(BaseHTTPRequestHandler):
    ruler: Ruler

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.ruler.requests.append((self.command, self.path))
        self.ruler.credentials.add(self.headers.get("Authorization"))
        status, text = self._status_and_text(body)
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _status_and_text(self, body: bytes) -> tuple[int, str]:
        ruler, tenant = self.ruler, self.headers.get("X-Scope-OrgID")
        if not tenant:
            return 401, "no org id"
        if self.command != "GET" and ruler.busy:
            ruler.busy -= 1
            return 429, "too many requests"
        if self.path == "/prometheus/api/v1/rules":
            return 200, ruler.loaded(tenant)
        return self._stored(tenant, body)

    def _stored(self, tenant: str, body: bytes) -> tuple[int, str]:
        root = PATHS[self.ruler.flavor]
        if not self.path.startswith(root):
            return 404, "404 page not found"
        parts = [unquote(part) for part in self.path.removeprefix(root).split("/")[1:]]
        match self.command, parts:
            case "GET", []:
                return self.ruler.listed(tenant)
            case "POST", [namespace]:
                return self.ruler.store(tenant, namespace, body)
            case "DELETE", [namespace, name]:
                return self.ruler.remove(tenant, namespace, name)
        return 405, "method not allowed"


@contextmanager
def serving(ruler: Ruler) -> Iterator[Ruler]:
    """Serve a ruler on loopback for the block."""
    handler = type("Handler", (_Handler,), {"ruler": ruler})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    ruler.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield ruler
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
