"""Mimir keeps tenants apart by a header: ours is on every request, and errors name what is wrong.

Answers are those of Grafana Mimir's HTTP API and of its catalogue of errors: ``no org id`` with
401 as plain text, limits with 422, blocks that cannot be read with 500. It answers wholly or not
at all, and knows no partial answers.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors.readers.prometheus import PrometheusReader
from slo.ports import Counts, NoData, NoDataReason, Reading
from tests.contract.levels import level, source, windows
from tests.servers.loopback import Asked, Loopback, Reply, refusal, result

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TENANTS = {"team-bookings": "6", "team-cargo": "60"}


def mimir(asked: Asked) -> Reply:
    """Answer each tenant from its own data, and nobody without a tenant."""
    if not asked.path.startswith("/prometheus/api/v1/"):
        return Reply(status=404, body=b"404 page not found\n")
    tenant = asked.headers.get("X-Scope-OrgID", "")
    if tenant not in TENANTS:
        return Reply(status=401, body=b"no org id\n")
    if not asked.path.endswith("query_range"):
        return result([])
    start, end = (round(float(asked.form[name])) for name in ("start", "end"))
    step = round(float(asked.form["step"]))
    values = [[at, TENANTS[tenant]] for at in range(start, end + 1, step)]
    return result([{"metric": {}, "values": values}], "matrix")


def read(url: str, **more: Any) -> Reading:
    """Read a level's last hours from one source."""
    one = level(window="2h")
    reader = PrometheusReader(source(url, retries=0, **more), mode="raw", environ={})
    return reader.read([one], windows("1h"), AT)[one.key]


def test_every_request_carries_the_tenant() -> None:
    """Queries of any kind, below the path that Mimir has before the API."""
    with Loopback([mimir]) as server:
        reading = read(f"{server.url}/prometheus", tenant="team-bookings")
    assert isinstance(reading.period, Counts)
    assert ((), ()) == (reading.partial, reading.warnings)
    assert {"team-bookings"} == {each.headers.get("X-Scope-OrgID") for each in server.asked}
    assert 1 < len(server.asked)


def test_tenants_of_one_address_are_read_apart() -> None:
    """Two sources differ by nothing but their tenant."""
    with Loopback([mimir]) as server:
        totals = []
        for tenant in TENANTS:
            period = read(f"{server.url}/prometheus", tenant=tenant).period
            assert isinstance(period, Counts)
            totals.append(period.total)
    assert 10 * totals[0] == totals[1]


@pytest.mark.parametrize("more", [{}, {"tenant": "team-of-nobody"}])
def test_without_a_tenant_it_is_said_what_is_missing(more: dict[str, str]) -> None:
    """The numbers are not those of nobody: there are none."""
    with Loopback([mimir]) as server:
        period = read(f"{server.url}/prometheus", **more).period
    assert isinstance(period, NoData)
    assert NoDataReason.SOURCE_FAILED == period.reason
    assert "prometheus/eu: the server refused the credentials (401)" in period.detail


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (422, "execution", "the query exceeded the maximum (err-mimir-max-series-per-query)"),
        (500, "internal", "failed to fetch blocks (err-mimir-store-consistency-check-failed)"),
    ],
)
def test_what_it_cannot_answer_wholly_is_no_number(status: int, kind: str, words: str) -> None:
    """Its own words say what to look for."""
    with Loopback([refusal(status, kind, words)]) as server:
        period = read(server.url, tenant="team-bookings").period
    assert isinstance(period, NoData)
    assert NoDataReason.SOURCE_FAILED == period.reason
    assert words in period.detail


def test_annotations_of_queries_are_no_missing_data() -> None:
    """Mimir has warnings of PromQL itself, which say nothing about what it could read."""

    def annotated(asked: Asked) -> Reply:
        answer = json.loads(mimir(asked).body)
        answer["infos"] = ["PromQL info: metric might not be a counter"]
        return Reply(body=json.dumps(answer).encode())

    with Loopback([annotated]) as server:
        reading = read(f"{server.url}/prometheus", tenant="team-bookings")
    assert () == reading.partial
    assert ("PromQL info: metric might not be a counter",) == reading.warnings
