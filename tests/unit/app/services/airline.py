"""Two apps over shared infrastructure, whose telemetry came in as OTLP and was joined."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from app.access import Role, Scope
from app.services.world import World
from collectors.joining import Joiner
from collectors.receive import OtlpDecoder
from collectors.signals import Signal
from collectors.store import StoreWriter
from tests.stored_rows import NOON, SECOND
from tests.unit.app.services.installation import install

TIA = Scope(user="tia", role=Role.DEVELOPER, apps=frozenset({"ticketing"}))
"""Sees ticketing only."""

_APP = """\
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: {name}}}
spec:
  dependsOn: {needs}
  environments: [{{name: prod}}]
  components:
    - {{name: api, kind: service, service: {name}-api, dependsOn: [db]}}
    - name: db
      kind: database
      engine: postgresql
      address: pg-shared.internal:5432
      share: {{schema: {name}}}
    - {{name: front, kind: load_balancer, address: lb-shared.internal, share: {{backend: {name}}}}}
    - {{name: seats-cache, kind: database, engine: redis, address: "{name}-redis.internal:6379"}}
    - {{name: legacy, kind: host, hosts: [{name}-host-1]}}
  slos:
    - name: availability
      objective: 99
      window: 1d
      indicator: {{spans: {{service: {name}-api, bad: error}}}}
    - name: hits
      objective: 99
      window: 1d
      indicator:
        events:
          total: 'hits_total{{job="{name}"}}'
          bad: 'hits_total{{job="{name}",code="500"}}'
        scrapeInterval: 1m
"""

NEEDS = {"ticketing": "[cargo]", "cargo": "[]", "crew": "[ticketing]"}
APPS = {name: _APP.format(name=name, needs=needs) for name, needs in NEEDS.items()}

BALANCER = {"service.name": "haproxy", "server.address": "lb-shared.internal", "host.name": "lb-1"}
DATABASE = {"db.system.name": "postgresql", "server.address": "pg-shared.internal"}


def opened(folder: Path, **apps: str) -> World:
    """An installation of these apps (all, if none is named) with an empty store."""
    return install(folder, apps=apps or APPS)


def send(world: World, signal: Signal, *resources: Mapping[str, Any]) -> None:
    """Take in OTLP as the receiver does: decoded, joined and stored."""
    assert world.store is not None
    decoder = OtlpDecoder(Joiner(world.project.catalog))
    key = {
        Signal.LOGS: "resourceLogs",
        Signal.SPANS: "resourceSpans",
        Signal.METRICS: "resourceMetrics",
    }[signal]
    decoded = decoder.decode_object(signal, {key: list(resources)}, at=NOON)
    assert 0 == decoded.rejected, decoded.reason
    with StoreWriter(world.store) as writer:
        writer.append(signal, decoded.table)


def service(app: str, **more: object) -> dict[str, object]:
    """The resource of an app's own service."""
    return {"service.namespace": app, "service.name": f"{app}-api", **more}


def attributes(values: Mapping[str, object]) -> list[dict[str, object]]:
    """Attributes as OTLP writes them."""
    return [{"key": name, "value": {"stringValue": str(value)}} for name, value in values.items()]


def logs(resource: Mapping[str, object], *lines: tuple[float, str, Mapping[str, object]]) -> Any:
    """Log lines of one sender: seconds after noon, text, attributes."""
    records = [
        {
            "timeUnixNano": str(NOON + round(at * SECOND)),
            "body": {"stringValue": text},
            "severityNumber": 9,
            "attributes": attributes(said),
        }
        for at, text, said in lines
    ]
    return _of(resource, "scopeLogs", "logRecords", records)


def spans(resource: Mapping[str, object], *all_of: Mapping[str, Any]) -> Any:
    """Spans of one sender; see ``span``."""
    return _of(resource, "scopeSpans", "spans", all_of)


def span(
    trace: int,
    number: int,
    *,
    parent: int | None = None,
    at: float = 0,
    ms: float = 100,
    kind: int = 2,
    name: str = "GET /seats",
    failed: bool = False,
    **said: object,
) -> dict[str, Any]:
    """A span; ``kind`` is OTLP's (2 server, 3 client, 4 producer, 5 consumer)."""
    start = NOON + round(at * SECOND)
    found: dict[str, Any] = {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + round(ms * 1_000_000)),
        "status": {"code": 2 if failed else 0},
        "attributes": attributes({key.replace("__", "."): value for key, value in said.items()}),
    }
    if parent is not None:
        found["parentSpanId"] = f"{parent:016x}"
    return found


def metrics(
    resource: Mapping[str, object],
    name: str,
    *points: tuple[float, float, Mapping[str, object]],
) -> Any:
    """A counter of one sender: seconds after noon, value, attributes."""
    data = [
        {
            "timeUnixNano": str(NOON + round(at * SECOND)),
            "asDouble": value,
            "attributes": attributes(said),
        }
        for at, value, said in points
    ]
    metric = {
        "name": name,
        "sum": {"dataPoints": data, "aggregationTemporality": 2, "isMonotonic": True},
    }
    return _of(resource, "scopeMetrics", "metrics", [metric])


def _of(resource: Mapping[str, object], scopes: str, name: str, records: Iterable[object]) -> Any:
    return {
        "resource": {"attributes": attributes(resource)},
        scopes: [{"scope": {}, name: list(records)}],
    }
