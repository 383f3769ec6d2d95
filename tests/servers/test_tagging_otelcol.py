"""What is generated for the OpenTelemetry Collector, in the real Collector."""

import json
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from collectors.signals import Signal
from collectors.tagging import otelcol as generator
from collectors.tagging import sumo
from collectors.tagging.model import Plan
from slo.collecting import MASK, Collecting, Destination, Secret
from slo.loader.catalog import load_catalog
from slo.loader.documents import SourceFile
from slo.loader.windows import built_in_defaults
from slo.model import Catalog
from tests.servers.collector import (
    Ports,
    free_ports,
    known_components,
    running,
    trimmed,
    validate,
    variables,
)
from tests.servers.processes import wait_until
from tests.servers.receiving import Receiving
from tests.unit.collectors.tagging.examples import airline, plan_of

NOT_TO_BE_HAD = {"journald", "elasticsearch", "opensearch", "basicauth", "sumologic"}
"""Components that the Collector of these tests cannot be built with."""

TRACE = "0123456789ABCDEF0123456789abcdef"
SPAN = "0123456789abcdef"
HOSTILE = """o'"$HOME" ${env:PATH} {{x}} %s \\\\ EXPR(1+1) é"""


@pytest.fixture(scope="module")
def known(otelcol: Path) -> set[str]:
    """The types of components that the Collector has."""
    return known_components(otelcol)


@pytest.mark.parametrize("destination", list(Destination))
def test_every_generated_file_is_valid(
    otelcol: Path, known: set[str], tmp_path: Path, destination: Destination
) -> None:
    """For every destination; what this Collector lacks is left out, and is known to be lacking."""
    plan = airline(Collecting(destination=destination))
    made = {"otelcol": generator.files(plan), "sumo": sumo.files(plan)}
    lacking = set()
    for collector, files in made.items():
        for name in ("agent.yaml", "agent-kubernetes.yaml", "gateway.yaml"):
            if name not in files:
                continue
            config, left_out = trimmed(files[name], known)
            lacking |= left_out
            path = tmp_path / f"{collector}-{name}"
            path.write_text(json.dumps(config))
            environment = {"NODE_NAME": "node-1", "HEADROOM_STATE": str(tmp_path)}
            assert "" == validate(otelcol, path, environment), f"{collector}/{name}"

    assert lacking <= NOT_TO_BE_HAD


def test_a_wrong_file_is_refused(otelcol: Path, known: set[str], tmp_path: Path) -> None:
    """So that the test above can fail."""
    text = generator.files(airline())["agent.yaml"].replace("flatten(", "flatter(")
    config, _ = trimmed(text, known)
    (tmp_path / "agent.yaml").write_text(json.dumps(config))

    said = validate(otelcol, tmp_path / "agent.yaml", {"HEADROOM_STATE": str(tmp_path)})

    assert "flatter" in said


@dataclass(frozen=True, kw_only=True)
class World:
    """An agent between the files of a folder and a receiver."""

    folder: Path
    catalog: Catalog
    plan: Plan
    ports: Ports

    def row(self, receiver: Receiving, body: str, signal: Signal = Signal.LOGS) -> dict[str, Any]:
        """Wait for the only record whose message begins like this."""

        def found() -> list[dict[str, Any]]:
            return [row for row in receiver.rows(signal) if (row["body"] or "").startswith(body)]

        wait_until(lambda: bool(found()), timeout=30, what=f"a record that begins with {body!r}")
        (row,) = found()
        return row

    def post(self, signal: str, content: Mapping[str, Any]) -> None:
        """Send OTLP as JSON."""
        with requests.Session() as session:
            session.trust_env = False
            url = f"http://127.0.0.1:{self.ports.http}/v1/{signal}"
            session.post(url, json=content, timeout=10).raise_for_status()


def app_file(folder: Path) -> str:
    """An application whose files are in a folder; its team is named as badly as can be."""
    team = json.dumps(HOSTILE)
    return f"""
apiVersion: headroom/v1
kind: App
metadata: {{name: ticketing, team: {team}, labels: {{tier: "1"}}}}
spec:
  environments: [{{name: prod}}]
  components:
    - name: api
      kind: service
      service: ticketing-api
      logs: [{{path: {folder}/api.log, traceId: ctx.trace, time: when}}]
    - name: web
      kind: service
      service: web
      kubernetes: {{namespace: shop, workload: deployment/web}}
      logs: [{{kubernetes: true, format: plain, multiline: "^[0-9]"}}]
    - name: batch
      kind: host
      logs:
        - {{path: {folder}/batch.log, format: plain, multiline: "^[0-9]{{4}}-"}}
        - {{path: {folder}/fmt.log, format: logfmt}}
    - name: elsewhere
      kind: host
      hosts: [another-host]
      logs: [{{path: {folder}/elsewhere.log, format: plain}}]
    - name: proxy
      kind: load_balancer
      logs: [{{syslog: haproxy, format: plain}}]
  slos:
    - name: availability
      objective: 99
      indicator: {{events: {{total: 't{{job="x"}}', bad: 'b{{job="x"}}'}}}}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """The application above, with a secret of its own."""
    text = app_file(tmp_path)
    own = Secret(name="booking", pattern="PNR-[A-Z0-9]{6}")
    (plan,) = plan_of(text, settings=Collecting(redact=(own,)))
    catalog = load_catalog([SourceFile(name="app.yaml", text=text)], built_in_defaults()).catalog
    return World(folder=tmp_path, catalog=catalog, plan=plan, ports=free_ports())


@pytest.fixture
def receiver(world: World) -> Iterator[Receiving]:
    """Our own decoders behind a loopback address."""
    with Receiving(world.catalog) as server:
        yield server


@pytest.fixture
def environment(world: World, receiver: Receiving) -> dict[str, str]:
    """The agent's variables."""
    return variables(
        world.ports, world.folder / "state", receiver.url, HEADROOM_HOST="tick-1", NODE_NAME="n"
    )


def write(path: Path, *lines: str | Mapping[str, Any]) -> None:
    """Append lines, objects as JSON."""
    with path.open("a") as file:
        file.writelines(
            f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines
        )


def owner(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Whose a record is."""
    tier = json.loads(row["resource"]).get("service.criticality")
    return row["app"], row["component"], row["env"], row["team"], tier


def ours(component: str) -> tuple[str, ...]:
    """The owner of a component's records."""
    return "ticketing", component, "prod", json.loads(json.dumps(HOSTILE)), "1"


def test_lines_of_files_arrive_tagged_and_clean(
    otelcol: Path,
    known: set[str],
    world: World,
    receiver: Receiving,
    environment: Mapping[str, str],
) -> None:
    """JSON, plain text over several lines, and logfmt; a host's file only on that host."""
    write(
        world.folder / "api.log",
        {
            "message": "paid with PNR-ABC123",
            "when": "2026-11-20T10:11:12.5+01:00",
            "level": "warning",
            "ctx": {"trace": TRACE, "note": "Bearer abcdef.123"},
            "span_id": SPAN,
            "service": {"name": "cargo-api", "version": "1.2.3"},
            "labels": {"app": "cargo"},
            "data_stream.dataset": "cargo.api",
            "seats": 12,
            "password": "hunter2",
        },
        {"msg": "unread ids", "trace_id": "none", "time": 1763633472.25},
        "no json at all: Basic dXNlcjpwYXNz",
    )
    write(
        world.folder / "batch.log",
        f"2026-11-20 10:11:12+0000 ERROR it broke trace_id={TRACE.lower()}",
        "Traceback (most recent call last):",
        "  ValueError: password=hunter2",
        "2026-11-20 10:11:13+0000 INFO done",
    )
    write(world.folder / "fmt.log", 'level=error msg="a b" version=7 order=12')
    write(world.folder / "elsewhere.log", "not of this host")
    text = generator.files(world.plan)["agent.yaml"]
    with running(otelcol, text, world.folder, known, environment) as log:
        paid = world.row(receiver, "paid")
        unread = world.row(receiver, "unread")
        plain = world.row(receiver, "no json")
        broke = world.row(receiver, "2026-11-20 10:11:12")
        fmt = world.row(receiver, "a b")
        time.sleep(2)
        assert [] == [row for row in receiver.rows(Signal.LOGS) if "not of" in (row["body"] or "")]
    assert " error " not in log.read_text().split("Starting shutdown")[0], log.read_text()[-3000:]

    assert {ours("api")} == {owner(row) for row in (paid, unread, plain)}
    assert [ours("batch"), ours("batch")] == [owner(broke), owner(fmt)]
    assert f"paid with {MASK}" == paid["body"]
    assert (TRACE.lower(), SPAN, "1.2.3", 13) == tuple(
        paid[key] for key in ("trace_id", "span_id", "version", "severity")
    )
    assert 1795165872500000000 == _nanoseconds(paid)
    fields = json.loads(paid["attributes"])
    assert 12 == fields["seats"]
    assert MASK == fields["ctx.note"]
    assert "ctx.trace" not in fields
    assert not [name for name in fields if "data_stream" in name or name.startswith("labels")]
    if "redaction" in known:
        assert "****" == fields["password"]
    assert (None, "none") == (unread["trace_id"], json.loads(unread["attributes"])["trace_id"])
    assert 1763633472250000000 == _nanoseconds(unread)
    assert f"no json at all: {MASK}" == plain["body"]
    assert 3 == len(broke["body"].splitlines())
    assert "hunter2" not in broke["body"]
    assert (TRACE.lower(), 17) == (broke["trace_id"], broke["severity"])
    assert ("7", 17) == (fmt["version"], fmt["severity"])


def _nanoseconds(row: Mapping[str, Any]) -> int:
    at = row["time"]
    return int(at) if isinstance(at, int) else int(at.timestamp() * 1000) * 1_000_000


def test_a_rotated_file_is_neither_lost_nor_read_twice(
    otelcol: Path,
    known: set[str],
    world: World,
    receiver: Receiving,
    environment: Mapping[str, str],
) -> None:
    """Renamed, begun anew, and the agent started again: every line is there exactly once."""
    text = generator.files(world.plan)["agent.yaml"]
    path = world.folder / "api.log"

    def bodies() -> list[str]:
        return [row["body"] for row in receiver.rows(Signal.LOGS)]

    with running(otelcol, text, world.folder, known, environment):
        write(path, *({"message": f"a{number}"} for number in range(500)))
        wait_until(lambda: len(bodies()) >= 500, what="the first lines")
        write(path, {"message": "last words"})
        path.rename(world.folder / "api.log.1")
        write(path, *({"message": f"b{number}"} for number in range(500)))
        wait_until(lambda: len(bodies()) >= 1001, what="the lines of both files")
    write(path, {"message": "while it was away"})
    with running(otelcol, text, world.folder, known, environment):
        wait_until(lambda: "while it was away" in bodies(), what="the line in between")
        time.sleep(2)

    expected = [f"{part}{number}" for part in "ab" for number in range(500)]
    assert sorted([*expected, "last words", "while it was away"]) == sorted(bodies())


def test_programs_and_services_arrive_tagged_and_strangers_are_not_claimed(
    otelcol: Path,
    known: set[str],
    world: World,
    receiver: Receiving,
    environment: Mapping[str, str],
) -> None:
    """Syslog by the program's name; logs, traces and metrics by the service's."""
    text = generator.files(world.plan)["agent.yaml"]
    with running(otelcol, text, world.folder, known, environment):
        with socket.create_connection(("127.0.0.1", world.ports.tcp), 5) as link:
            link.sendall(
                b"<131>1 2026-11-20T10:11:12Z lb-1 haproxy 7 - - no backend, Bearer abc.def\n"
                b"<131>1 2026-11-20T10:11:12Z lb-1 stranger 7 - - strange\n"
            )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as packets:
            packets.sendto(
                b"<134>1 2026-11-20T10:11:12Z lb-1 haproxy 7 - - by packet",
                ("127.0.0.1", world.ports.udp),
            )
        for service, more in (
            ("ticketing-api", {"service.version": "2.0", "data_stream.dataset": "cargo.api"}),
            ("unknown", {}),
            ("web", {"service.namespace": "ticketing"}),
            ("ticketing-api", {"deployment.environment.name": "staging"}),
        ):
            send_all(world, service, more)
        by_stream = world.row(receiver, "no backend")
        by_packet = world.row(receiver, "by packet")
        strange = world.row(receiver, "strange")
        wait_until(lambda: len(receiver.rows(Signal.LOGS)) >= 7, what="all logs")
        wait_until(lambda: len(receiver.rows(Signal.SPANS)) >= 4, what="all spans")
        wait_until(lambda: len(receiver.rows(Signal.METRICS)) >= 4, what="all metrics")

    assert [ours("proxy")] * 2 == [owner(by_stream), owner(by_packet)]
    assert (f"no backend, {MASK}", 17, "lb-1") == tuple(
        by_stream[key] for key in ("body", "severity", "host")
    )
    assert "service.namespace" not in json.loads(strange["resource"] or "{}")
    for signal in (Signal.LOGS, Signal.SPANS, Signal.METRICS):
        sent = {
            (row["service"], json.loads(row["resource"]).get("deployment.environment.name")): row
            for row in receiver.rows(signal)
            if row["service"] in {"ticketing-api", "web", "unknown"}
        }
        api, web = sent["ticketing-api", "prod"], sent["web", "prod"]
        assert [ours("api"), ours("web")] == [owner(api), owner(web)]
        assert "2.0" == api["version"]
        assert "ticketing.api" == json.loads(api["resource"])["data_stream.dataset"]
        assert "service.namespace" not in json.loads(sent["unknown", None]["resource"])
        assert "org.team" not in json.loads(sent["ticketing-api", "staging"]["resource"])
    said = [row["body"] for row in receiver.rows(Signal.LOGS)]
    assert 4 == said.count(f"sent with {MASK}")


def send_all(world: World, service: str, more: Mapping[str, str]) -> None:
    """One log record, one span and one number of a service."""
    attributes = [
        {"key": key, "value": {"stringValue": value}}
        for key, value in {"service.name": service, **more}.items()
    ]
    resource = {"attributes": attributes}
    now = str(time.time_ns())
    log = {"timeUnixNano": now, "body": {"stringValue": "sent with password=hunter2"}}
    span = {
        "traceId": TRACE.lower(),
        "spanId": SPAN,
        "name": "GET /",
        "startTimeUnixNano": now,
        "endTimeUnixNano": now,
    }
    point = {"timeUnixNano": now, "asInt": "1"}
    metric = {"name": "seats", "gauge": {"dataPoints": [point]}}
    for signal, name, scope in (
        ("logs", "resourceLogs", {"scopeLogs": [{"logRecords": [log]}]}),
        ("traces", "resourceSpans", {"scopeSpans": [{"spans": [span]}]}),
        ("metrics", "resourceMetrics", {"scopeMetrics": [{"metrics": [metric]}]}),
    ):
        world.post(signal, {name: [{"resource": resource, **scope}]})


def test_pods_are_told_by_their_names_before_any_metadata(
    otelcol: Path,
    known: set[str],
    world: World,
    receiver: Receiving,
    environment: Mapping[str, str],
) -> None:
    """Kubernetes' metadata may come late or never; the owner is there, lines are joined."""
    web = world.folder / "pods" / "shop_web-7d9f8b6c5d-abcde_0f1e-1" / "main"
    other = world.folder / "pods" / "shop_website-7d9f8b6c5d-abcde_0f1e-2" / "main"
    for folder, lines in ((web, ("1 begins", "and goes on", "2 next")), (other, ("1 other",))):
        folder.mkdir(parents=True)
        write(
            folder / "0.log",
            *(f"2026-11-20T10:11:12.000000001Z stdout F {line}" for line in lines),
        )
    text = generator.files(world.plan)["agent-kubernetes.yaml"]
    there = text.replace("/var/log/pods/", f"{world.folder}/pods/")
    without = known - {"k8s_attributes"}
    with running(otelcol, there, world.folder, without, environment):
        first = world.row(receiver, "1 begins")
        others = world.row(receiver, "1 other")

    assert ours("web") == owner(first)
    assert "1 begins\nand goes on" == first["body"]
    assert ("shop", "web-7d9f8b6c5d-abcde") == (first["namespace"], first["pod"])
    assert "org.team" not in json.loads(others["resource"])


def test_the_gateway_hands_on_and_says_what_nobody_owns(
    otelcol: Path,
    known: set[str],
    world: World,
    receiver: Receiving,
    environment: Mapping[str, str],
) -> None:
    """What has an owner passes as it is; what has none says so."""
    text = generator.files(world.plan)["gateway.yaml"]
    with running(otelcol, text, world.folder, known, environment):
        send_all(world, "unknown", {})
        send_all(world, "x-Y", {"service.namespace": "ticketing"})
        for signal in (Signal.LOGS, Signal.SPANS, Signal.METRICS):
            wait_until(lambda: len(receiver.rows(signal)) >= 2, what="both records")  # noqa: B023 - called at once

    for signal in (Signal.LOGS, Signal.SPANS, Signal.METRICS):
        found = {row["service"]: json.loads(row["resource"]) for row in receiver.rows(signal)}
        assert found["unknown"]["headroom.unattributed"] in {True, "true"}
        assert "unattributed" == found["unknown"]["data_stream.dataset"]
        assert "headroom.unattributed" not in found["x-Y"]
        assert "ticketing.x_y" == found["x-Y"]["data_stream.dataset"]
