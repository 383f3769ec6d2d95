"""Log search and histogram of the console through Elasticsearch, beside the same plain requests."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from bench.generate import in_figures
from bench.model import Bench, Result, Row, Run, binaries, expect
from bench.table import quotient
from collectors.elastic.client import Cluster
from collectors.readers.elasticsearch import ElasticsearchTelemetry
from collectors.readers.telemetry import Answered, LogQuery, TimeRange, Where
from collectors.signals import Signal
from slo.units import Duration
from tests.servers.elastic import Elasticsearch
from tests.servers.elastic_records import flavor_of, mapping, source_of

_TARGET = 1.2
_SECOND = 1_000_000_000
_END = 1_760_011_200 * _SECOND
_DAYS = 7
_AT_ONCE = 5_000
_ROUNDS = 30
_SHOWN = 200
_BUCKETS = 60
_WORD = "declined"
_INDEX = "logs-bench.api-prod"
_TEXTS = ("payment {} for booking {}", "seat {} held for {}", "GET /seats?id={} took {} ms")


def run(bench: Run) -> Result:
    """Ask in turns; both must find the same."""
    count = 100_000 if bench.quick else 1_000_000
    with Elasticsearch(binaries("elasticsearch-8.15")) as node:
        bench.tell(f"writing {count:,} log lines")
        _fill(node, count)
        source = source_of(node, logs_indices=(_INDEX,), traces_indices=("traces-*",))
        reader = ElasticsearchTelemetry(Cluster(source), deadline=Duration.parse("2m"))
        span = TimeRange(start=_END - _DAYS * 86_400 * _SECOND, end=_END)
        where = Where(app="bench", env="prod", range=span)

        def search(word: str) -> Answered[Any]:
            return reader.logs(LogQuery(where=where, text=word, limit=_SHOWN))

        def histogram(word: str) -> Answered[Any]:
            return reader.log_histogram(LogQuery(where=where, text=word), _BUCKETS)

        bench.tell("asking in turns")
        rows = [
            _compared(node, f"search, {count:,} lines", search, _found_hits),
            _compared(node, f"histogram, {count:,} lines", histogram, _found_counts),
        ]
    return Result(rows=rows)


def _compared(
    node: Elasticsearch,
    what: str,
    ours: Callable[[str], Answered[Any]],
    size: Callable[[Any], int],
) -> Row:
    """Ask for other words each time: a cluster remembers what it was asked before."""
    parts = urlsplit(node.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)

    def plain(query: str) -> bytes:
        path, _, body = query.removeprefix("POST ").partition(" ")
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        return connection.getresponse().read()

    known = ours(_WORD)
    expect(size(json.loads(plain(known.query))), _rows(known.value), f"records of a {what}")
    walls: dict[str, list[float]] = {"ours": [], "plain": []}
    for turn in range(_ROUNDS):
        # As many records have the one as the other, and neither was asked for yet.
        mine, other = str(100 + 2 * turn), str(101 + 2 * turn)
        query = known.query.replace(f"*{_WORD}*", f"*{other}*")
        tries: dict[str, Callable[[], object]] = {
            "ours": partial(ours, mine),
            "plain": partial(plain, query),
        }
        for name in sorted(tries, reverse=bool(turn % 2)):
            began = time.perf_counter()
            tries[name]()
            # The first rounds warm both up.
            if turn >= _ROUNDS // 6:
                walls[name].append(time.perf_counter() - began)
    connection.close()
    return Row(
        bench="elastic_search",
        what=what,
        value=quotient(walls["ours"], walls["plain"]),
        target=_TARGET,
        figures=in_figures(walls),
    )


def _rows(frame: Any) -> int:
    return int(frame["count"].sum()) if "count" in frame else len(frame)


def _found_hits(answer: Any) -> int:
    return len(answer["hits"]["hits"])


def _found_counts(answer: Any) -> int:
    return sum(each["doc_count"] for each in answer["aggregations"]["slices"]["buckets"])


def _fill(node: Elasticsearch, count: int) -> None:
    mappings = mapping(Signal.LOGS, flavor_of(node))
    settings = {"number_of_replicas": 0, "refresh_interval": "-1"}
    node.call("PUT", f"/{_INDEX}", {"settings": settings, "mappings": mappings})
    lines: list[str] = []
    for document in _documents(count):
        lines += ['{"create":{}}', json.dumps(document)]
        if len(lines) >= 2 * _AT_ONCE:
            _send(node, lines)
            lines = []
    if lines:
        _send(node, lines)
    node.call("POST", f"/{_INDEX}/_forcemerge?max_num_segments=5")
    node.call("POST", f"/{_INDEX}/_refresh")


def _send(node: Elasticsearch, lines: list[str]) -> None:
    body = "\n".join([*lines, ""]).encode()
    kind = "application/x-ndjson"
    answer = json.loads(node.request(f"/{_INDEX}/_bulk", data=body, content_type=kind))
    expect(False, answer["errors"], "refused documents")  # noqa: FBT003 - what is expected


def _documents(count: int) -> Iterator[dict[str, Any]]:
    step = _DAYS * 86_400 * 1000 / count
    start = _END // 1_000_000 - _DAYS * 86_400 * 1000
    for n in range(count):
        outcome = "declined" if n % 50 == 0 else "accepted"
        yield {
            "@timestamp": int(start + n * step),
            "message": _TEXTS[n % 3].format(outcome if n % 3 == 0 else n % 997, n),
            "labels": {"app": "bench", "team": "bookings", "component": "api"},
            "service": {"name": "bench-api", "environment": "prod", "version": "1.4.2"},
            "log": {"level": "error" if n % 50 == 0 else "info"},
            "host": {"name": f"host-{n % 20}"},
            "kubernetes": {"namespace": "bench", "pod": {"name": f"api-{n % 40}"}},
            "trace": {"id": f"{n:032x}"},
            "span": {"id": f"{n:016x}"},
            "event": {"action": "payment", "severity": 17 if n % 50 == 0 else 9},
            "attributes": {"tenant": f"t{n % 100}", "retries": n % 4},
        }


BENCH = Bench(
    name="elastic_search",
    about="log search and histogram through Elasticsearch ÷ the same requests sent plainly",
    run=run,
)
"""How much the console adds to what a cluster takes."""
