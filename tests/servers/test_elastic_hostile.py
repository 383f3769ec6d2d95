"""Faults and hostile values at real clusters: said, refused or kept apart, and nothing lost."""

import json
import random
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import requests

from app.forwarding.documents import document
from collectors.elastic.client import Cluster
from collectors.elastic.completeness import incomplete
from collectors.readers.elasticsearch import ElasticsearchCounts, ElasticsearchTelemetry
from collectors.readers.telemetry import LogQuery
from collectors.signals import Signal
from slo.errors import SourceUnavailable
from slo.model import Logs
from slo.ports import Counts
from slo.units import Duration
from tests.cli.served import Served, served
from tests.contract.levels import level
from tests.servers.elastic import SearchNode
from tests.servers.elastic_records import cluster_of, flavor_of, mapping, source_of, unused, write
from tests.servers.journey import Place, Request, told
from tests.servers.processes import wait_until
from tests.stored_rows import NOON, SECOND, Row, asking, log, rows_of

AT = datetime.fromtimestamp(NOON // SECOND + 3600, UTC)
SEED = 20_261_122
HOSTILE = (
    '"} or vector(1) #',
    'a",env=~".*',
    "*",
    "ticket*",
    "ticketing OR app:cargo",
    '{"match_all":{}}',
    "../../x",
    "CON",
    "ticketing\u202e",
    "x" * 300,
)


def documents(rows: Sequence[Row]) -> list[Any]:
    """Rows as our forwarder writes them."""
    return [document(Signal.LOGS, row) for row in rows_of(Signal.LOGS, rows).to_pylist()]


def test_a_red_index_makes_an_answer_partial(search_node: SearchNode) -> None:
    """What is left is shown and counted, and both say that something is missing."""
    prefix = unused("red")
    fields = mapping(Signal.LOGS, flavor_of(search_node))
    write(search_node, f"{prefix}-logs-sound", documents([log("x", 1)]), fields)
    nowhere = {"index.routing.allocation.require._name": "nobody"}
    body = {"settings": {"number_of_replicas": 0, **nowhere}, "mappings": fields}
    search_node.call("PUT", f"/{prefix}-logs-red?wait_for_active_shards=0", body)
    here = Cluster(source_of(search_node, logs_indices=(f"{prefix}-logs*",)))
    asked = level("x", window="1d", measure=Logs(query="x", bad="level: error"))

    page = ElasticsearchTelemetry(here).logs(LogQuery(where=asking()))
    reading = ElasticsearchCounts(here).read([asked], (), AT)[asked.key]
    with pytest.raises(SourceUnavailable, match=r"shards failed|missing shards"):
        _all_of_a_view(here, f"{prefix}-logs*")
    search_node.call("DELETE", f"/{prefix}-logs-red")

    assert ["x"] == page.value["body"].tolist()
    assert 1 == len(page.partial)
    assert "shards failed" in page.partial[0]
    assert Counts(total=Fraction(1), bad=Fraction(0)) == reading.period
    assert ("elasticsearch/here",) == reading.partial


def _all_of_a_view(here: Cluster, index: str) -> None:
    """Elasticsearch makes no view of a part; OpenSearch makes one, which is no whole answer."""
    with here.point_in_time(index, keep_alive=Duration.parse("1m")) as view:
        assert incomplete(view.search({}))
        view.search({}, partial=False)


def test_a_name_is_a_value_and_nothing_else(search_node: SearchNode) -> None:
    """Whatever it looks like, it finds the records that carry it, and no others."""
    names = (*HOSTILE, "ticketing", "cargo")
    rows = [log(f"of {at}", at, app=name, env=name) for at, name in enumerate(names)]
    reader = ElasticsearchTelemetry(cluster_of(search_node, logs=rows))

    for at, name in enumerate(names):
        found = reader.logs(LogQuery(where=asking(app=name, env=name)))
        assert [f"of {at}"] == found.value["body"].tolist(), name
        assert () == found.partial
    strangers = reader.logs(LogQuery(where=asking(app="carg*", env=None)))
    assert strangers.value.empty


def test_odd_times_are_read_as_they_are_and_make_nothing_fresh(search_node: SearchNode) -> None:
    """Before 1970, far ahead, and to the nanosecond; a clock that is wrong hides no silence."""
    times = (-1, 0, NOON + 123_456_789, NOON + 400 * 86_400 * SECOND, 2**63 - 1)
    rows = [{**log(f"at {each}"), "time": each} for each in times]
    here = cluster_of(search_node, logs=[*rows, log("x", 5)])
    reader = ElasticsearchTelemetry(here)

    page = reader.logs(LogQuery(where=asking()))
    asked = level("x", window="1d", measure=Logs(query="x", bad="level: error"))
    reading = ElasticsearchCounts(here).read([asked], (), AT)[asked.key]

    assert ["x", f"at {times[2]}"] == page.value["body"].tolist()
    assert datetime.fromtimestamp(NOON // SECOND + 5, UTC) == page.observed_at
    assert reading.observed_at is not None
    assert reading.observed_at <= AT
    assert timedelta(0) <= AT - reading.observed_at


@pytest.fixture
def place(search_node: SearchNode, tmp_path: Path) -> Place:
    """Two applications whose templates the node has."""
    found = Place(tmp_path, search_node)
    found.publish()
    return found


def post(server: Served, path: str, body: bytes, kind: str = "json") -> requests.Response:
    """Send a request, again as long as the server is full."""
    while True:
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Content-Type": f"application/{kind}"}
            answer = session.post(f"{server.url}{path}", data=body, headers=headers, timeout=60)
        if answer.status_code != 429:
            return answer


def metric(server: Served, name: str) -> float:
    """The sum of a metric of the server's."""
    with requests.Session() as session:
        session.trust_env = False
        lines = session.get(f"{server.url}/metrics", timeout=30).text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_a_burst_of_doubled_late_and_shuffled_batches_counts_once(place: Place) -> None:
    """Eight senders at once; each batch comes two or three times, in no order, hours late."""
    chance = random.Random(SEED)
    print(f"seed {SEED}")
    began = datetime.now(UTC)
    start = int(began.timestamp()) * SECOND
    bodies: list[tuple[str, bytes]] = []
    for batch in range(40):
        late = chance.randrange(6 * 3600) * SECOND
        some = [
            Request(number=n, at=start - late - n) for n in range(batch * 100, batch * 100 + 100)
        ]
        for signal, value in told(place.service, some):
            text = json.dumps(value).encode()
            bodies += [(f"/v1/{signal}", text)] * chance.choice([2, 3])
    chance.shuffle(bodies)
    with served(place.folder) as server, ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda each: post(server, *each), bodies))
        wait_until(
            lambda: metric(server, "headroom_forward_records_total{") >= 8000,
            timeout=60,
            what="all",
        )
        wait_until(lambda: not metric(server, "headroom_forward_waiting_commits"), what="no more")
        place.node.call("POST", f"/*-{place.told}*/_refresh")
        found = place.numbers(began.timestamp() + 5, place.told)

    assert {200} == {each.status_code for each in answers}
    bad = len([n for n in range(4000) if n % 37 == 36])
    kinds = [(kind, source) for kind in ("logs", "spans") for source in ("store", "cluster")]
    assert dict.fromkeys(kinds, (4000, bad)) == found


def test_hostile_documents_reach_a_stream_or_are_refused_by_the_intake(place: Place) -> None:
    """Environments that are no names, times in every unit and beyond all: no dead letter."""
    own = uuid.uuid4().hex[:6]
    odd = [
        {"message": f"env {at}", "labels.app": place.filed, "service.environment": name}
        for at, name in enumerate(HOSTILE)
    ]
    times = [
        *(1_760_011_200, 1_760_011_200.5, 1_760_011_200_000, 1_760_011_200_000_000_000),
        *("2025-10-09T12:00:00Z", "2261-01-01T00:00:00Z"),
    ]
    beyond = ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", 10**30, "yesterday"]
    timed = [
        {"message": f"time {own}", "labels.app": place.filed, "@timestamp": each}
        for each in (*times, *beyond)
    ]
    lines = [line for each in (*odd, *timed) for line in ('{"create":{}}', json.dumps(each))]
    with served(place.folder) as server:
        answer = post(server, "/elastic/_bulk", "\n".join([*lines, ""]).encode(), "x-ndjson")
        fates = [each["create"]["status"] for each in answer.json()["items"]]
        taken = fates.count(201)
        wait_until(
            lambda: metric(server, "headroom_forward_records_total{") == taken, what="all taken"
        )
        dead = metric(server, "headroom_forward_dead_letters_total")

    kept = len(HOSTILE) + len(times)
    assert ([201] * kept, [400] * len(beyond)) == (fates[:kept], fates[kept:])
    assert 0 == dead
    streams = place.node.call("GET", f"/_resolve/index/*{place.filed}*")["data_streams"]
    for each in streams:
        name = each["name"]
        assert name.startswith(f"logs-{place.filed}-")
        assert name == name.lower()
        assert 2 == name.count("-"), name
        assert 255 > len(name.encode())
    found = place.node.documents(
        f"logs-{place.filed}*", {"match_phrase": {"message": f"time {own}"}}
    )
    assert ["2025-10-09T12:00:00Z"] * 4 + ["2025-10-09T12:00:00.5Z"] + [times[-1]] == sorted(
        (each["@timestamp"] for each in found), key=datetime.fromisoformat
    )
