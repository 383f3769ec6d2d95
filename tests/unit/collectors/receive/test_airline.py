"""Ticketing and cargo share a load balancer and a database; no record of one becomes the other's.

The same traffic arrives in every format that there is a decoder for.
"""

import json
from collections.abc import Iterator, Mapping

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collectors.joining import Joiner
from collectors.receive import Decoded, LineDecoder, RemoteWriteDecoder
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.requests import (
    AT,
    as_json,
    attributes,
    decoded,
    log,
    logs,
    metrics,
    span,
    spans,
)
from tests.unit.collectors.receive.test_remote_write import body, series

PARTS = ("ticketing", "cargo", "hotel", "")
HAPROXY: Mapping[str, object] = {"service.name": "haproxy", "container.id": "lb-1", "env": "prod"}
POSTGRES: Mapping[str, object] = {"service.name": "pg", "container.id": "pg-1", "env": "prod"}


def balanced(part: str) -> dict[str, object]:
    """What the load balancer says of a request; without a backend it is about itself."""
    found: dict[str, object] = {"server.address": "lb-shared.internal", "part": part}
    return {**found, "haproxy.backend": part} if part else found


def stored(part: str) -> dict[str, object]:
    """What a database client says of a statement."""
    found: dict[str, object] = {
        "db.system": "postgresql",
        "server.address": "pg-shared.internal",
        "server.port": 5432,
        "part": part,
    }
    return {**found, "db.namespace": f"airline|{part}"} if part else found


def point(values: dict[str, object]) -> NumberDataPoint:
    return NumberDataPoint(time_unix_nano=AT, as_int=1, attributes=attributes(values))


def arrivals() -> Iterator[Decoded]:
    """Every part of both things, through every decoder."""
    for resource, facts in ((HAPROXY, balanced), (POSTGRES, stored)):
        records = [log(attributes=facts(part), body=part) for part in PARTS]
        yield decoded(logs(*records, resource=resource))
        made = [span(attributes=facts(part), kind=Span.SPAN_KIND_CLIENT) for part in PARTS]
        yield decoded(spans(*made, resource=resource))
        points = [point(facts(part)) for part in PARTS]
        gauge = Metric(name="sessions", gauge=Gauge(data_points=points))
        yield decoded(metrics(gauge, resource=resource))
        lines = [json.dumps({**resource, **facts(part), "msg": part}).encode() for part in PARTS]
        lines.append(json.dumps(as_json(logs(*records, resource=resource))).encode())
        yield from LineDecoder(Joiner(AIRLINE)).decode(lines, at=AT)
    for where in ({"instance": "lb-1:9101", "load_balancer": "lb-shared.internal"},):
        sent = [
            series("sessions", 1.0, env="prod", part=part, backend=part, **where) for part in PARTS
        ]
        yield RemoteWriteDecoder(Joiner(AIRLINE)).decode(body(*sent))
    sent = [
        series("rows", 1.0, env="prod", server="pg-shared.internal:5432", part=part, schema=part)
        for part in PARTS
    ]
    yield RemoteWriteDecoder(Joiner(AIRLINE)).decode(body(*sent))


def part_of(row: Mapping[str, object]) -> str:
    """The part that a row is about, whichever column tells."""
    told = json.loads(str(row["attributes"] or row["labels"]))
    return str(told.get("part", ""))


@pytest.mark.parametrize(
    "arrival", [pytest.param(each, id=str(n)) for n, each in enumerate(arrivals())]
)
def test_each_application_gets_its_share_and_nothing_else(arrival: Decoded) -> None:
    """What is nobody's in the catalogue, and what is about the thing itself, is context."""
    assert "" == arrival.reason
    rows = arrival.table.to_pylist()
    owners = {(part_of(row), row["app"]) for row in rows}
    assert {("ticketing", "ticketing"), ("cargo", "cargo"), ("hotel", None), ("", None)} == owners
    nobodys = [row for row in rows if row["app"] is None]
    assert {'["cargo","ticketing"]'} == {row["claimants"] for row in nobodys}
    assert all(row["missing"].startswith("share.") for row in nobodys)


def test_no_order_of_arrival_teaches_a_shared_container() -> None:
    """The load balancer's container is not ticketing's, whoever was served first."""
    joiner = Joiner(AIRLINE)
    for part in ("ticketing", "cargo", "ticketing", ""):
        owner = joiner.join(HAPROXY, balanced(part))
        assert (part or None) == owner.app
    assert joiner.join({"container.id": "lb-1"}, {}).app is None
