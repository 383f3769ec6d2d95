"""Getting the demo's world into a store: in this process, and through a server's door."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.demo import World, places
from app.demo.airline import APPS
from app.demo.filling import fill_store, send
from app.demo.generating import DemoError
from app.demo.traffic import BAD
from app.project import Project, open_project
from collectors.signals import Signal
from collectors.store import StoreReader, verify
from slo.errors import UsageError
from tests.cli.installed import headroom

NOW = 1_763_750_000 * 1_000_000_000
SMALL = World(seed=7, now_ns=NOW, days=1, scale=0.02)


@pytest.fixture(scope="module")
def project() -> Project:
    """The demo's workspace."""
    return open_project([], environment={}, workspace=str(places.workspace()))


@pytest.fixture(scope="module")
def filled(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a day at a fiftieth of the traffic."""
    folder = tmp_path_factory.mktemp("demo") / "store"
    steps = []
    stored = fill_store(SMALL, project.catalog, folder, lambda: steps.append(1))
    assert SMALL.steps == len(steps)
    assert sum(batch.records for batch in SMALL.batches()) == stored
    return folder


def _owners(folder: Path, signal: Signal) -> dict[tuple[str | None, str | None], int]:
    table = StoreReader(folder).query(
        signal, "SELECT app, claimants, count(*) AS n FROM records GROUP BY ALL"
    )
    return {(row["app"], row["claimants"]): row["n"] for row in table.to_pylist()}


def test_a_filled_store_is_sound_and_holds_every_app(filled: Path, project: Project) -> None:
    """Metrics and logs of all six; traces of all but the one without traffic."""
    assert [] == list(verify(filled))
    # Headroom itself tells of itself once it serves: a store that was filled has none of it.
    apps = {app.name for app in project.catalog.apps} - {"headroom"}
    assert set(APPS) == apps
    assert apps == {app for app, _ in _owners(filled, Signal.METRICS)}
    assert apps <= {app for app, _ in _owners(filled, Signal.LOGS)}
    assert apps - {"crew"} == {app for app, _ in _owners(filled, Signal.SPANS)}


def test_what_nobody_tagged_is_nobodys(filled: Path) -> None:
    """And what two apps declare is neither's; both are named."""
    owners = _owners(filled, Signal.LOGS)
    assert owners[None, None] > 0
    assert owners[None, '["check-in","ticketing"]'] > 0
    assert {(None, None), (None, '["check-in","ticketing"]')} == {
        key for key in owners if key[0] is None
    }


def test_a_shared_load_balancers_series_belong_to_their_backends(filled: Path) -> None:
    """Nothing of cargo's backend is ticketing's."""
    found = StoreReader(filled).query(
        Signal.METRICS,
        "SELECT DISTINCT app, labels->>'$.haproxy_backend' AS backend, component, rung "
        "FROM records WHERE name = 'haproxy_backend_responses_total'",
    )
    rows = found.to_pylist()
    assert 6 == len(rows)
    assert {("front", 5)} == {(row["component"], row["rung"]) for row in rows}
    assert all(row["app"] == row["backend"] for row in rows)


def test_the_same_world_again_adds_nothing(filled: Path, project: Project) -> None:
    """A store knows the batches that it has."""
    assert 0 == fill_store(SMALL, project.catalog, filled, lambda: None)


def test_status_counts_what_happened(filled: Path, tmp_path: Path) -> None:
    """To the request, for each app's availability; no traffic is no data."""
    total: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for _, flows in SMALL.flows():
        for flow in flows:
            app, count = flow.pod.service.app, int(flow.counts.sum())
            total[app] += count
            bad[app] += count if flow.outcome in BAD else 0
    at = SMALL.whole.end * 60
    flags = ("--store", filled, "--at", at, "--format", "json")
    ending = headroom(
        "status", places.workspace().parent, *map(str, flags), cwd=tmp_path, timeout=300
    )
    found = {
        one["app"]: (one["total"], one["bad"])
        for one in ending.json["slos"]
        if one["slo"] == "availability"
    }
    assert (0, 0) == found.pop("crew")
    assert {app: (total[app], bad[app]) for app in found} == found
    assert 5 == len(found)


@contextmanager
def _receiver(statuses: list[int]) -> Iterator[tuple[str, Counter[str]]]:
    """A server that counts what it takes; it answers with the statuses first, then with 200."""
    taken: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = statuses.pop(0) if statuses else 200
            if status == 200:
                taken[self.path] += len(body)
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        server.shutdown()
        server.server_close()


def test_a_server_gets_all_of_it_even_if_it_is_busy_at_first() -> None:
    """To the three paths of OTLP over HTTP."""
    expected: Counter[str] = Counter()
    for batch in SMALL.batches():
        expected[f"/v1/{batch.path}"] += len(batch.body)
    with _receiver([429, 503]) as (url, taken):
        sent = send(SMALL, url, lambda: NOW, lambda: None)
    assert expected == taken
    assert sum(batch.records for batch in SMALL.batches()) == sent


def test_a_server_that_refuses_is_an_error() -> None:
    """Its status is told."""
    with _receiver([400]) as (url, _), pytest.raises(DemoError, match="status 400"):
        send(SMALL, url, lambda: NOW, lambda: None)


def test_a_server_that_is_not_there_is_an_error() -> None:
    """Its address is told."""
    with pytest.raises(DemoError, match=r"http://127\.0\.0\.1:9 does not take telemetry"):
        send(SMALL, "http://127.0.0.1:9", lambda: NOW, lambda: None)


def test_a_store_with_data_is_not_begun_anew_unless_told(tmp_path: Path) -> None:
    """And with anything else in it not even then."""
    store = tmp_path / "store"
    places.make_empty(store, clean=False)
    (store / "segments").mkdir(parents=True)
    (store / "manifest.json").write_text("{}")
    with pytest.raises(UsageError, match="holds data already"):
        places.make_empty(store, clean=False)
    (store / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds more than a store \(thesis.txt\)"):
        places.make_empty(store, clean=True)
    (store / "thesis.txt").unlink()
    places.make_empty(store, clean=True)
    assert not store.exists()
