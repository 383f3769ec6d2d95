"""One number of requests, told in every way: by a program's log, by OTLP and by counters.

``Requests`` says what is true; a ``Place`` has the workspace whose SLOs ask for it.
"""

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from tests.cli.installed import headroom
from tests.servers.elastic import Opensearch, SearchNode
from tests.servers.elastic_publishing import substituted
from tests.servers.loopback import Asked, Loopback, Reply

COUNT = 6_000
BAD = 162
"""Of the requests, and how many of them fail: every thirty-seventh."""

_FAILS = 37
_AT_ONCE = 500
_WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {{name: journey}}
spec:
  apps: [apps]
  defaults: {{scrapeInterval: 1s}}
  sources:
    store: {{path: store}}
    prometheus: {{main: {{url: "{prometheus}"}}}}
    elasticsearch: {{here: {{url: "{node}", flavor: {flavor}, timeout: 60s}}}}
  serve:
    counters: {{interval: 1s, lag: 5m}}
    forward: {{elasticsearch: here}}
  collectors: {{destination: {destination}}}
"""
_LOGS = {"query": "event.action: book", "bad": "level: error"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request to book: when it came, and whether it failed."""

    number: int
    at: int

    @property
    def failed(self) -> bool:
        """Whether it is one of the bad ones."""
        return self.number % _FAILS == _FAILS - 1

    @property
    def trace(self) -> str:
        """The identifier of its trace."""
        return f"{self.number + 1:032x}"

    @property
    def said(self) -> Mapping[str, str]:
        """What a log record says of it, beside message and level."""
        return {"event.action": "book", "seat": str(self.number)}

    def line(self) -> str:
        """A line of JSON, as a program logs it."""
        stamp = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(self.at // 10**9))}"
        return json.dumps(
            {
                "time": f"{stamp}.{self.at % 10**9:09}Z",
                "level": "ERROR" if self.failed else "INFO",
                "message": f"request {self.number}",
                "trace_id": self.trace,
                **self.said,
            }
        )


def arriving() -> Iterator[list[Request]]:
    """All requests, some hundreds at a time, each of which come now."""
    for first in range(0, COUNT, _AT_ONCE):
        now = time.time_ns()
        yield [
            Request(number=number, at=now + number)
            for number in range(first, min(first + _AT_ONCE, COUNT))
        ]


def told(service: str, of: Sequence[Request]) -> Iterator[tuple[str, dict[str, Any]]]:
    """OTLP requests, by signal, of a service that does not say whose it is."""
    resource = {"attributes": _attributes({"service.name": service})}
    logs = [
        {
            "timeUnixNano": str(each.at),
            "severityNumber": 17 if each.failed else 9,
            "body": {"stringValue": f"request {each.number}"},
            "traceId": each.trace,
            "attributes": _attributes(each.said),
        }
        for each in of
    ]
    spans = [
        {
            "traceId": each.trace,
            "spanId": each.trace[16:],
            "name": "POST /bookings",
            "kind": 2,
            "startTimeUnixNano": str(each.at),
            "endTimeUnixNano": str(each.at + 5_000_000),
            "status": {"code": 2} if each.failed else {},
        }
        for each in of
    ]
    yield "logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": logs}]}]}
    yield "traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}


def counted(service: str, good: int, bad: int, *, since: int) -> dict[str, Any]:
    """OTLP of the service's counter, as the SDK exports it."""
    points = [
        {
            "startTimeUnixNano": str(since),
            "timeUnixNano": str(time.time_ns()),
            "asInt": str(count),
            "attributes": _attributes({"outcome": outcome}),
        }
        for outcome, count in (("success", good), ("failure", bad))
    ]
    metric = {
        "name": "booking.requests",
        "sum": {"isMonotonic": True, "aggregationTemporality": 2, "dataPoints": points},
    }
    resource = {"attributes": _attributes({"service.name": service})}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}


@dataclass
class Counter:
    """The counter of the service, as it is scraped; both outcomes are there from the start."""

    good: int = 0
    bad: int = 0
    since: int = field(default_factory=time.time_ns)

    def add(self, of: Sequence[Request]) -> None:
        """Count requests."""
        failed = sum(each.failed for each in of)
        self.bad += failed
        self.good += len(of) - failed

    def page(self) -> Loopback:
        """A page of metrics for Prometheus."""
        return Loopback([self._reply])

    def _reply(self, _: Asked) -> Reply:
        lines = [
            "# TYPE booking_requests_total counter",
            f'booking_requests_total{{outcome="success"}} {self.good}',
            f'booking_requests_total{{outcome="failure"}} {self.bad}',
            "",
        ]
        kind = {"Content-Type": "text/plain; version=0.0.4"}
        return Reply(body="\n".join(lines).encode(), headers=kind)


class Place:
    """A workspace of two applications that no other test has, and what is made of it.

    ``told`` tells everything by OTLP, and has a counter where it has a page of metrics;
    ``filed`` logs to a file and by syslog.
    """

    def __init__(self, folder: Path, node: SearchNode, *, page: str | None = None) -> None:
        own = uuid.uuid4().hex[:8]
        self.told, self.filed = f"told{own}", f"filed{own}"
        self.folder = folder
        self.node = node
        self.log = folder / "gate.log"
        (folder / "apps").mkdir()
        metrics = {} if page is None else {"metrics": [page]}
        for app, components, slos in (
            (self.told, {"name": "api", **metrics}, self._of_told(counted=page is not None)),
            (
                self.filed,
                {"name": "gate", "logs": [{"path": str(self.log)}, {"syslog": f"{self.filed}-in"}]},
                _twice("lines", {"logs": _LOGS}),
            ),
        ):
            text = self._app(app, components, slos)
            (folder / "apps" / f"{app}.yaml").write_text(yaml.safe_dump(text))
        self.know()

    def know(self, prometheus: str = "http://127.0.0.1:9", destination: str = "otlp") -> None:
        """Write the workspace file: where its Prometheus is, and where collectors send."""
        flavor = "opensearch" if isinstance(self.node, Opensearch) else "elasticsearch"
        known = {"prometheus": prometheus, "node": self.node.url, "flavor": flavor}
        text = _WORKSPACE.format(destination=destination, **known)
        (self.folder / "headroom.yaml").write_text(text)

    @property
    def service(self) -> str:
        """The name under which the service sends."""
        return f"{self.told}-api"

    def generate(self, *collectors: str) -> Path:
        """Make the collectors' files; returns the folder that has one for each of them."""
        self.run("generate", "--only", "collectors", "--collector", ",".join(collectors))
        return self.folder / "generated" / "collectors"

    def publish(self) -> None:
        """Put the templates of both applications into the node."""
        self.run("generate", "--only", "elastic")
        if not isinstance(self.node, Opensearch):
            substituted(self.folder)
        self.run("publish", "elastic", "--skip-unsupported")

    def run(self, *argv: str) -> str:
        """Run the program, which succeeds; returns what it prints."""
        ending = headroom(*argv, cwd=self.folder)
        assert 0 == ending.code, ending.stdout + ending.stderr
        return ending.stdout

    def numbers(self, at: float, app: str) -> dict[tuple[str, str], tuple[int | None, int | None]]:
        """All and bad events by kind and source, as `headroom status` tells them."""
        asked = ("status", "--app", app, "--format", "json", "--at", f"{at:.3f}")
        found = json.loads(self.run(*asked))["slos"]
        assert [] == [each for each in found if each["partial"]]
        return {tuple(each["slo"].split("-", 1)): (each["total"], each["bad"]) for each in found}

    def _of_told(self, *, counted: bool) -> list[dict[str, Any]]:
        name = "booking_requests_total"
        events = {"total": name, "bad": f'{name}{{outcome="failure"}}'}
        sources = {"prometheus": "prometheus/main", "store": "store"} if counted else {}
        return [
            *(
                _slo(f"events-{each}", {"source": source, "events": events})
                for each, source in sources.items()
            ),
            *_twice("logs", {"logs": _LOGS}),
            *_twice("spans", {"spans": {"service": self.service, "bad": "error"}}),
        ]

    def _app(
        self, name: str, component: Mapping[str, Any], slos: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        own = {"kind": "service", "service": f"{name}-{component['name']}", **component}
        return {
            "apiVersion": "headroom/v1",
            "kind": "App",
            "metadata": {"name": name, "team": "crew"},
            "spec": {
                "environments": [{"name": "prod", "match": {"app": name, "env": "prod"}}],
                "components": [own],
                "slos": list(slos),
            },
        }


def _twice(name: str, indicator: Mapping[str, Any]) -> list[dict[str, Any]]:
    """An SLO over the store, and the same over the cluster."""
    return [
        _slo(f"{name}-store", indicator),
        _slo(f"{name}-cluster", {"source": "elasticsearch/here", **indicator}),
    ]


def _slo(name: str, indicator: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "objective": 99, "window": "1d", "indicator": dict(indicator)}


def _attributes(said: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]


def post(url: str, value: object) -> None:
    """Post JSON, which is taken."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(url, json=value, timeout=30)
        assert 200 == answer.status_code, answer.text
