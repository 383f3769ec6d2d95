"""The counters of `headroom serve` on a real Prometheus, scraped and sent, against what was sent.

Log records and spans arrive by OTLP, some of them late; the server is killed in the middle.
"""

import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from collectors.signals import Signal
from collectors.store import StoreReader
from tests.cli.installed import headroom
from tests.cli.served import Served, served
from tests.servers.processes import Prometheus, promtool_check_rules, wait_until

pytestmark = pytest.mark.xdist_group("counters-truth")

SEED = 20_251_122
LAG = 30
EXACT = 0.005
APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  components: [{name: api, kind: service, service: ticketing-api}]
  slos:
    - name: checkout
      objective: 99
      indicator:
        scrapeInterval: 1s
        logs: {query: "event.action: checkout", bad: "event.outcome: failure"}
    - name: search
      objective: 99
      indicator: {scrapeInterval: 1s, spans: {service: ticketing-api, bad: error}}
"""
NAMES = ("slo_events_total", "slo_good_events_total")
RESOURCE = {
    "service.namespace": "ticketing",
    "service.name": "ticketing-api",
    "deployment.environment.name": "prod",
}


def workspace(store: Path, receiver: str) -> str:
    return f"""\
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [ticketing.yaml]
  sources:
    store: {{path: {store}}}
    prometheus: {{main: {{url: "{receiver}"}}}}
  serve:
    counters: {{interval: 1s, lag: {LAG}s}}
    remoteWrite: {{url: "{receiver}/api/v1/write", interval: 1s}}
"""


@dataclass
class Sender:
    """Sends batches until each is acknowledged, and counts what it sent: all and good, by SLO."""

    url: str
    random: random.Random
    sent: dict[str, list[int]] = field(
        default_factory=lambda: {"checkout": [0, 0], "search": [0, 0]}
    )
    number: int = 0

    def logs(self, count: int, late: float) -> None:
        """Checkouts of the last seconds, a fifth of them failed, and records of no SLO."""
        records = []
        for _ in range(count):
            failed, counted = self.random.random() < 0.2, self.random.random() < 0.9
            self._count("checkout", counted=counted, good=not failed)
            said = {
                "event.action": "checkout" if counted else "browse",
                "event.outcome": "failure" if failed else "success",
            }
            self.number += 1
            records.append(
                {
                    "timeUnixNano": str(self._time(late)),
                    "body": {"stringValue": f"record {self.number}"},
                    "attributes": attributes(said),
                }
            )
        self._send("logs", {"resourceLogs": [whole("scopeLogs", "logRecords", records)]})

    def spans(self, count: int, late: float, *, at_least: float = 0) -> None:
        """Requests of so many seconds ago, a tenth of them failed."""
        spans = []
        for _ in range(count):
            failed = self.random.random() < 0.1
            self._count("search", counted=True, good=not failed)
            self.number += 1
            start = self._time(late, at_least)
            spans.append(
                {
                    "traceId": f"{self.number:032x}",
                    "spanId": f"{self.number:016x}",
                    "name": "GET /search",
                    "kind": 2,
                    "startTimeUnixNano": str(start),
                    "endTimeUnixNano": str(start + 5_000_000),
                    "status": {"code": 2} if failed else {},
                }
            )
        self._send("traces", {"resourceSpans": [whole("scopeSpans", "spans", spans)]})

    def _count(self, slo: str, *, counted: bool, good: bool) -> None:
        self.sent[slo][0] += counted
        self.sent[slo][1] += counted and good

    def _time(self, late: float, at_least: float = 0) -> int:
        return time.time_ns() - int(self.random.uniform(at_least, late) * 1e9)

    def _send(self, path: str, body: dict[str, Any]) -> None:
        # The same bytes each time: a batch that was stored before its answer is not stored twice.
        text = json.dumps(body).encode()
        until = time.monotonic() + 30
        while True:
            try:
                answer = session().post(
                    f"{self.url}/v1/{path}",
                    data=text,
                    headers={"Content-Type": "application/json"},
                    timeout=10,
                )
            except requests.ConnectionError:
                assert time.monotonic() < until, "the server does not come back"
                time.sleep(0.1)
                continue
            assert 200 == answer.status_code, answer.text
            return


def session() -> requests.Session:
    made = requests.Session()
    made.trust_env = False
    return made


def attributes(said: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]


def whole(scope: str, name: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    return {"resource": {"attributes": attributes(RESOURCE)}, scope: [{name: records}]}


def exposed(url: str, name: str) -> dict[str, float]:
    """The samples of a metric by the SLO's name, as the server exposes them."""
    lines = session().get(f"{url}/metrics", timeout=10).text.splitlines()
    samples = (line.rpartition(" ") for line in lines if line.startswith(f"{name}{{"))
    return {text.partition('slo="')[2].partition('"')[0]: float(at) for text, _, at in samples}


def stored(server: Prometheus, name: str) -> dict[str, float]:
    return {one.labels["slo"]: one.value for one in server.query(name)}


def compressed(source: Path, target: Path) -> list[Path]:
    """The generated rules, evaluated every second and not in five minutes' time."""
    found = []
    for path in source.rglob("*.rules.yaml"):
        data = yaml.safe_load(path.read_text())
        for group in data["groups"]:
            group["interval"] = "1s"
        (target / path.name).write_text(yaml.safe_dump(data))
        found.append(target / path.name)
    return found


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A scraper with the rules, a receiver of remote writes, and a workspace that knows both."""

    folder: Path
    url: str
    scraper: Prometheus
    receiver: Prometheus

    @contextmanager
    def serve(self) -> Iterator[Served]:
        with served(self.folder, "--port", self.url.rsplit(":", 1)[1]) as server:
            yield server


@pytest.fixture
def stage(newest_prometheus_bin: Path, tmp_path: Path) -> Iterator[Stage]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with ExitStack() as stack:
        receiver = stack.enter_context(Prometheus(newest_prometheus_bin))
        (tmp_path / "headroom.yaml").write_text(workspace(tmp_path / "store", receiver.url))
        (tmp_path / "ticketing.yaml").write_text(APP)
        made = headroom("generate", "--only", "rules", "--out", tmp_path / "out", cwd=tmp_path)
        assert 0 == made.code, made.stderr
        (tmp_path / "rules").mkdir()
        rules = compressed(tmp_path / "out", tmp_path / "rules")
        assert rules
        checked = promtool_check_rules(newest_prometheus_bin, rules)
        assert checked.ok, checked.output
        target = {"targets": [f"127.0.0.1:{port}"]}
        scraped = {"job_name": "headroom", "static_configs": [target]}
        scraper = stack.enter_context(
            Prometheus(
                newest_prometheus_bin, rules=rules, scrape_configs=[scraped], interval="100ms"
            )
        )
        yield Stage(
            folder=tmp_path, url=f"http://127.0.0.1:{port}", scraper=scraper, receiver=receiver
        )


def test_counters_and_their_rules_are_the_direct_count(stage: Stage) -> None:
    """All of them, each once, through late records, a kill in the middle and both ways out."""
    sender = Sender(url=stage.url, random=random.Random(SEED))
    print(f"seed {SEED}")
    with stage.serve() as server:
        wait_until(lambda: bool(stored(stage.scraper, NAMES[0])), timeout=30, what="a scrape")
        began = time.time()
        time.sleep(3)
        pool = ThreadPoolExecutor(1)
        traffic = pool.submit(_traffic, sender, seconds=35)
        time.sleep(15)
        server.end(9)
    with stage.serve() as server:
        traffic.result(60)
        pool.shutdown()
        truth = {slo: (float(one), float(two)) for slo, (one, two) in sender.sent.items()}
        assert direct(stage.folder / "store") == truth

        def settled() -> bool:
            found = [exposed(server.url, name) for name in NAMES]
            return {slo: (found[0][slo], found[1][slo]) for slo in found[0]} == truth

        wait_until(settled, timeout=20, what=f"{truth} in {stage.url}/metrics")
        _compare(stage, truth)
        _late(stage, sender, truth, began)
        assert 0 == server.end()


def _traffic(sender: Sender, *, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        # What waits for a restart comes later still; all within the lag.
        late = sender.random.choice([0.5, 0.5, 8])
        sender.logs(sender.random.randrange(1, 60), late)
        sender.spans(sender.random.randrange(1, 60), late)
        time.sleep(sender.random.uniform(0, 0.5))


def direct(store: Path) -> dict[str, tuple[float, float]]:
    """All and good events in the store, counted without anything of ours in between."""
    reader = StoreReader(store)
    place = "json_extract_string(attributes, '$.\"event.{}\"')"
    action, outcome = place.format("action"), place.format("outcome")
    sql = {
        "checkout": (Signal.LOGS, f"{action} = 'checkout'", f"{outcome} = 'success'"),
        "search": (Signal.SPANS, "true", "status <> 'error'"),
    }
    found = {}
    for slo, (signal, counted, good) in sql.items():
        (row,) = reader.query(
            signal,
            f"SELECT count(*) AS total, count(*) FILTER ({good}) AS good FROM records"
            f" WHERE {counted}",
        ).to_pylist()
        found[slo] = (float(row["total"]), float(row["good"]))
    reader.close()
    return found


def _compare(stage: Stage, truth: dict[str, tuple[float, float]]) -> None:
    for server in (stage.scraper, stage.receiver):
        for place, name in enumerate(NAMES):
            expected = {slo: counts[place] for slo, counts in truth.items()}
            wait_until(
                lambda server=server, name=name, expected=expected: (  # type: ignore[misc]
                    expected == stored(server, name)
                ),
                timeout=15,
                what=f"{expected} as {name}",
            )
            assert [] == server.query(f"resets({name}[10m]) > 0")
    time.sleep(2)
    for slo, (total, good) in truth.items():
        for name, count in (("total", total), ("bad", total - good)):
            slot = stage.scraper.number(f'slo:{name}:increase5m{{slo="{slo}"}}')
            assert slot is not None
            print(f"FIGURE {slo} {name}: {slot / count - 1:+.4%} of {count:.0f}")
            assert slot == pytest.approx(count, rel=EXACT)
    _compare_written(stage, truth)


def _compare_written(stage: Stage, truth: dict[str, tuple[float, float]]) -> None:
    """The same rule over what was sent, at the last sample: nothing is extrapolated beyond it."""
    (path,) = (stage.folder / "rules").iterdir()
    rules = [
        rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]
    ]
    for slo, (total, _) in truth.items():
        (expression,) = [
            rule["expr"]
            for rule in rules
            if (rule.get("record"), rule["labels"]["slo"]) == ("slo:total:increase5m", slo)
        ]
        (last,) = stage.receiver.query(f'timestamp(slo_events_total{{slo="{slo}"}})')
        found = stage.receiver.number(expression, last.value)
        assert found == pytest.approx(total, rel=EXACT)


def _late(
    stage: Stage, sender: Sender, truth: dict[str, tuple[float, float]], began: float
) -> None:
    """What comes after its minute was closed is told, and in no counter."""
    closed = began // 60 * 60 + 60 + LAG + 3
    time.sleep(max(0.0, closed - time.time()))
    late = time.time() - began
    sender.spans(7, late, at_least=late)

    def told() -> float:
        lines = session().get(f"{stage.url}/metrics", timeout=10).text.splitlines()
        name = "headroom_counters_late_events_total{"
        return sum(float(line.split(" ")[1]) for line in lines if line.startswith(name))

    wait_until(lambda: told() == 7, timeout=20, what="seven late events")
    assert exposed(stage.url, NAMES[0])["search"] == truth["search"][0]
