"""One application's lines, and what documents a shipper of syslog must make of them."""

import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from collectors.tagging.model import FileSource, JournalSource, Plan, PodSource, SyslogSource
from slo.collecting import MASK, Collecting, Secret
from tests.servers.bulk import Bulk
from tests.servers.processes import wait_until
from tests.unit.collectors.tagging.examples import plan_of

TRACE, SPAN = "0123456789ABCDEF0123456789abcdef", "0123456789abcdef"
TEAM = """o'"$HOME" ${env:PATH} `PATH` {{x}} %s%msg% \\n #1 é"""
SECRETS = (Secret(name="ticket", pattern="TKT-[0-9]{4}[\"'$%`\\\\]?"),)
API, WORKER, AUDIT = "logs-ticketing.api-prod", "logs-ticketing.worker-prod", "logs-audit.log-prod"
GATEWAY, SHOP = "logs-ticketing.gateway-prod", "logs-ticketing.shop-prod"
STRANGERS = "logs-unattributed-prod"
_APP = """
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: {team}, labels: {{tier: "1"}}}}
spec:
  environments: [{{name: prod}}]
  components: {components}
  slos:
    - name: availability
      objective: 99
      indicator: {{events: {{total: 't{{job="x"}}', bad: 'b{{job="x"}}'}}}}
"""


def plan(logs: Path, **chosen: Any) -> Plan:
    """Two applications whose files are below a folder."""
    ticketing = [
        {
            "name": "api",
            "kind": "service",
            "service": "ticketing-api",
            "logs": [{"path": f"{logs}/api-*.log", "traceId": "ctx.trace"}],
        },
        {
            "name": "worker",
            "kind": "service",
            "hosts": ["tick-1.example"],
            "logs": [{"path": f"{logs}/worker.log", "format": "plain", "multiline": "^[0-9]{4}-"}],
        },
        {
            "name": "gateway",
            "kind": "load_balancer",
            "engine": "haproxy",
            "address": "lb.example:443",
            "share": {"backend": "ticketing"},
            "logs": [{"syslog": "haproxy-ticketing", "format": "json"}],
        },
        {
            "name": "shop",
            "kind": "service",
            "kubernetes": {"namespace": "shop", "workload": "deployment/shop"},
            "logs": [{"kubernetes": True, "format": "plain", "multiline": "^[A-Z]"}],
        },
    ]
    audit = [
        {
            "name": "log",
            "kind": "service",
            "logs": [{"path": f"{logs}/audit.log", "format": "logfmt", "time": "when"}],
        }
    ]
    texts = [
        _APP.format(name=name, team=json.dumps(TEAM), components=json.dumps(components))
        for name, components in (("ticketing", ticketing), ("audit", audit))
    ]
    (found,) = plan_of(*texts, settings=Collecting(redact=SECRETS, **chosen))
    return found


def tags(app: str, component: str, service: str | None = None) -> dict[str, str]:
    """The tags of the table that never come from a record."""
    return {
        "labels.app": app,
        "labels.team": TEAM,
        "labels.criticality": "1",
        "service.name": service or component,
        "service.environment": "prod",
        "data_stream.type": "logs",
        "data_stream.dataset": f"{app}.{component}",
        "data_stream.namespace": "prod",
    }


def write(file: Path, *lines: str) -> None:
    """Add lines to a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as opened:
        opened.write("".join(f"{line}\n" for line in lines))


def say_tcp(port: int, line: str) -> None:
    """Send a line of syslog over TCP."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(f"{line}\n".encode())


def say_udp(port: int, line: str) -> None:
    """Send a line of syslog as a datagram."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(line.encode(), ("127.0.0.1", port))


def fill(logs: Path, port: int) -> None:
    """Write every kind of line and send every kind of message."""
    line = {
        "time": "2026-03-01T12:00:00.123456789Z",
        "level": "ERROR",
        "message": "pay TKT-1234 and TKT-5678' with password=hunter2 or Bearer abc.def",
        "ctx": {"trace": TRACE, "deep": {"count": 7}},
        "span_id": SPAN,
        "version": "4.2",
        "password": 'abc"def',
        "note": "TKT-9999",
        "status": 503,
        "ok": False,
        "host": "liar TKT-7777",
        "service": {"name": "liar"},
        "labels": {"app": "liar"},
        "data_stream.dataset": "liar",
    }
    write(logs / "api-1.log", json.dumps(line), "not JSON", '{"message":"odd","trace_id":"none"}')
    write(
        logs / "worker.log",
        f"2026-03-01 12:00:01,5+01:00 ERROR trace_id={TRACE} TKT-1111",
        "  at one TKT-2222",
        "  at two",
        "2026-03-01 plain",
    )
    write(
        logs / "audit.log",
        f'when=1772366400.250 level=warn msg="who \\"am\\" I" traceId={TRACE} user=ann secret=x1',
    )
    pod = logs / "pods" / "shop_shop-7d9f8b6c5d-abcde_0001" / "main" / "0.log"
    stamp = "2026-03-01T12:00:05.000000001Z stdout"
    write(pod, f"{stamp} P Broken ", f"{stamp} F 1 TKT-3333", f"{stamp} F   at three")
    write(pod, f"{stamp} F Next")
    write(
        logs / "pods" / "shop_shopping-7d9f8b6c5d-abcde_0002" / "main" / "0.log",
        f"{stamp} F Not ours",
    )
    ours = '{"message":"by TCP","status":200}'
    say_tcp(port, f"<11>1 2026-03-01T12:00:02Z lb-1 haproxy-ticketing 7 - - {ours}")
    say_udp(port, "<14>1 2026-03-01T12:00:03Z lb-2 haproxy-ticketing - - - by UDP TKT-4444")
    say_tcp(port, "<14>1 2026-03-01T12:00:04Z lb-3 stranger - - - hello TKT-5555")


def wait_for(bulk: Bulk, index: str, count: int) -> list[Mapping[str, Any]]:
    """Wait for as many documents of a stream."""
    wait_until(lambda: len(bulk.sources(index)) >= count, what=f"{count} of {index}", timeout=60)
    return sorted((flat(each) for each in bulk.sources(index)), key=lambda each: each["@timestamp"])


def flat(source: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A document with its objects' fields named by dots, as Elasticsearch reads it."""
    found: dict[str, Any] = {}
    for key, value in source.items():
        if isinstance(value, dict):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def check_all(bulk: Bulk, logs: Path, *, typed: bool, joined: bool) -> None:
    """Check what became of everything that ``fill`` wrote and sent.

    ``typed`` says that numbers of JSON stay numbers, ``joined`` that pods' lines make records.
    """
    _check_files(bulk, logs, typed=typed)
    worker = wait_for(bulk, WORKER, 1)
    first = next(each for each in worker if "at one" in each["message"])
    assert f"{MASK}\n  at one {MASK}\n  at two" == first["message"].partition(TRACE + " ")[2]
    assert ("2026-03-01T12:00:01.5+01:00", "error") == (first["@timestamp"], first["log.level"])
    assert TRACE.lower() == first["trace.id"]
    assert tags("ticketing", "worker").items() <= first.items()
    (audit,) = wait_for(bulk, AUDIT, 1)
    assert ('who "am" I', "warn", "ann") == tuple(
        audit[name] for name in ("message", "log.level", "user")
    )
    assert (MASK, TRACE.lower()) == (audit["secret"], audit["trace.id"])
    assert "2026-03-01T12:00:00.25" == audit["@timestamp"].rstrip("Z").removesuffix("0+00:00")[:22]
    assert tags("audit", "log").items() <= audit.items()
    _check_pods(bulk, joined=joined)
    _check_syslog(bulk, typed=typed)
    everything = json.dumps([each.body for each in bulk.requests])
    assert [] == [word for word in ("TKT-", "hunter2", "abc.def") if word in everything]


def _check_files(bulk: Bulk, logs: Path, *, typed: bool) -> None:
    found = {each.get("message"): each for each in wait_for(bulk, API, 3)}
    record = found[f"pay {MASK} and {MASK} with {MASK} or {MASK}"]
    number, boolean = (503, False) if typed else ("503", "false")
    assert tags("ticketing", "api", "ticketing-api").items() <= record.items()
    assert {
        "@timestamp": "2026-03-01T12:00:00.123456789Z",
        "log.level": "error",
        "trace.id": TRACE.lower(),
        "span.id": SPAN,
        "service.version": "4.2",
        "log.file.path": f"{logs}/api-1.log",
        "password": MASK,
        "note": MASK,
        "status": number,
        "ok": boolean,
        "labels.host": f"liar {MASK}" if typed else MASK,
        "ctx.deep.count": 7 if typed else "7",
    }.items() <= record.items()
    assert "tick-1.example" == record["host.hostname"]
    assert "not JSON" in found
    assert "none" == found["odd"]["trace_id"]
    assert "trace.id" not in found["odd"]


def _check_pods(bulk: Bulk, *, joined: bool) -> None:
    lines = [f"Broken 1 {MASK}", "  at three"]
    expected = {"\n".join(lines)} if joined else set(lines)
    pods = {each["message"]: each for each in wait_for(bulk, SHOP, len(expected) + 1)}
    assert {*expected, "Next"} == set(pods)
    record = pods["Next"]
    assert tags("ticketing", "shop").items() <= record.items()
    assert {
        "@timestamp": "2026-03-01T12:00:05.000000001Z",
        "kubernetes.namespace": "shop",
        "kubernetes.pod.name": "shop-7d9f8b6c5d-abcde",
        "kubernetes.pod.uid": "0001",
        "kubernetes.container.name": "main",
    }.items() <= record.items()


def _check_syslog(bulk: Bulk, *, typed: bool) -> None:
    by_tcp, by_udp = wait_for(bulk, GATEWAY, 2)
    assert ("by TCP", 200 if typed else "200") == (by_tcp["message"], by_tcp["status"])
    assert ("lb-1", "err") == (by_tcp["host.hostname"], by_tcp["log.level"])
    assert by_tcp["@timestamp"].startswith("2026-03-01T12:00:02")
    assert (f"by UDP {MASK}", "lb-2") == (by_udp["message"], by_udp["host.hostname"])
    for each in (by_tcp, by_udp):
        assert tags("ticketing", "gateway").items() <= each.items()
    (stranger,) = wait_for(bulk, STRANGERS, 1)
    assert f"hello {MASK}" == stranger["message"]
    assert "unattributed" == stranger["data_stream.dataset"]
    assert "labels.app" not in stranger


def rotate(file: Path, *, after: float = 1.5) -> None:
    """Rename a file as logrotate does, once it can have been read."""
    time.sleep(after)
    os.rename(file, file.with_name(f"{file.name}.1"))  # noqa: PTH104 - renamed as it is, no copy


HOSTILE = ("o'b\"c\\d", "`PATH` $HOME ${x} $(y)", "%msg% {{z}} #1 \\x41 é", "'); stop", '"); };')


def hostile(plan: Plan) -> Plan:
    """A plan whose values all have meanings in one language or another."""
    streams = []
    for stream, text in zip(plan.streams, HOSTILE, strict=False):
        common: dict[str, Any] = {"trace_id": text, "span_id": text, "time": text}
        sources = (
            FileSource(path=f"/x/{text}/*.log", hosts=(text,), **common),
            FileSource(path=f"/x/{text}*/a", multiline="^['\"$`%#\\\\]{2}|\\[x\\]", **common),
            SyslogSource(program=text, hosts=(text,), format="plain", **common),
            JournalSource(unit=text, format="logfmt", **common),
            PodSource(namespace="x", pods="^a'b\"[$`]$", container=text, **common),
        )
        values = {**stream.values, "team": text, "component": text, "criticality": text}
        streams.append(replace(stream, values=values, sources=sources))
    return replace(plan, streams=tuple(streams))
