"""A small installation: four apps, two days of made-up telemetry in a real store."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from app.project import open_project
from app.services.opening import open_world
from app.services.world import World
from collectors.readers.telemetry import TimeRange
from collectors.signals import Signal, table
from collectors.store import StoreWriter

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
STEP = 5 * MINUTE
START = 1_760_011_200 * SECOND  # 2025-10-09T12:00:00Z
END = START + 2 * DAY
AT = datetime(2025, 10, 11, 12, tzinfo=UTC)
WHOLE = TimeRange(start=START, end=END + 1)

WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
metadata: {name: test}
spec:
  apps: [apps]
  state: state
  sources: {store: {path: store}}
"""

COSTS = """\
  costs:
    currency: EUR
    prices:
      spans: {perMillionRecords: 1000000}
      metrics: {perThousandSeries: 3000}
"""

APPS = {
    "ticketing": """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings, title: Airline ticketing, labels: {tier: "1"}}
spec:
  dependsOn: [cargo]
  environments: [{name: prod}]
  components: [{name: api, kind: service, service: ticketing-api}]
  slos:
    - name: availability
      objective: 99
      window: 2d
      indicator: {spans: {service: ticketing-api, bad: error}}
    - name: batches
      objective: 99
      window: 2d
      indicator: {logs: {query: "event.action: batch", bad: "event.outcome: failure"}}
""",
    "cargo": """\
apiVersion: headroom/v1
kind: App
metadata: {name: cargo, team: freight, labels: {tier: "2"}}
spec:
  environments: [{name: prod}, {name: staging}]
  slos:
    - name: availability
      objective: 99
      window: 2d
      indicator: {spans: {service: cargo-api, bad: error}}
""",
    "crew": """\
apiVersion: headroom/v1
kind: App
metadata: {name: crew, team: ops}
spec:
  environments: [{name: prod}]
  slos:
    - name: availability
      objective: 99
      window: 2d
      indicator: {spans: {service: crew-api, bad: error}}
""",
}

APPS["loyalty"] = """\
apiVersion: headroom/v1
kind: App
metadata: {name: loyalty, team: bookings, labels: {tier: "1"}}
spec:
  environments: [{name: prod}]
  slos:
    - name: availability
      objective: 99
      window: 2d
      indicator:
        events: {total: 'hits_total{job="loyalty"}', bad: 'hits_total{job="loyalty",code="500"}'}
        scrapeInterval: 1m
"""

QUIET = 0.125
"""Bad requests in a hundred at other times; sums of it are exact whatever their order."""

INCIDENTS = {range(276, 282): 20.0, range(570, 576): 50.0}
"""Bad requests in a hundred by the steps of five minutes: half an hour a day ago, and now."""


def share_of_bad(step: int) -> float:
    """How many of ticketing's hundred requests of a step were bad."""
    return next((bad for steps, bad in INCIDENTS.items() if step in steps), QUIET)


def requests(
    app: str | None = "ticketing",
    env: str | None = "prod",
    *,
    bad: Mapping[int, float] | None = None,
    steps: Sequence[int] = range(576),
    version: Mapping[int, str] | None = None,
) -> pa.Table:
    """A hundred requests in every step: a good span and a bad one, each standing for many."""
    failing = {
        step: (share_of_bad(step) if bad is None else bad.get(step, QUIET)) for step in steps
    }
    rows = [
        (START + step * STEP + MINUTE, status, weight, step)
        for step, wrong in failing.items()
        for status, weight in (("unset", 100 - wrong), ("error", wrong))
    ]
    many = len(rows)
    return table(
        Signal.SPANS,
        {
            "time": [row[0] for row in rows],
            "app": [app] * many,
            "env": [env] * many,
            "component": ["api"] * many,
            "rung": [2 if app else None] * many,
            "service": [f"{app}-api"] * many,
            "version": [_version(row[3], version or {0: "1.0"}) for row in rows],
            "end": [row[0] + SECOND for row in rows],
            "duration": [SECOND] * many,
            "trace_id": [f"{place:032x}" for place in range(many)],
            "span_id": [f"{place:016x}" for place in range(many)],
            "kind": ["server"] * many,
            "status": [row[1] for row in rows],
            "weight": [row[2] for row in rows],
        },
    )


def _version(step: int, versions: Mapping[int, str]) -> str:
    return versions[max(each for each in versions if each <= step)]


def lost_logs(count: int = 4, *, claimants: str | None = '["cargo","ticketing"]') -> pa.Table:
    """Log lines that two apps claim, and so nobody has."""
    return table(
        Signal.LOGS,
        {
            "time": [END - HOUR + place * SECOND for place in range(count)],
            "service": ["pdf-renderer"] * count,
            "claimants": [claimants] * count,
            "missing": ["app"] * count,
            "body": ["rendered"] * count,
        },
    )


def logs(app: str = "ticketing", env: str | None = "prod", count: int = 12) -> pa.Table:
    return table(
        Signal.LOGS,
        {
            "time": [END - 2 * HOUR + place * MINUTE for place in range(count)],
            "app": [app] * count,
            "env": [env] * count,
            "rung": [1] * count,
            "body": ["said"] * count,
        },
    )


def series(app: str = "ticketing", many: int = 3) -> pa.Table:
    """One sample of each of so many series."""
    return table(
        Signal.METRICS,
        {
            "time": [END - HOUR] * many,
            "app": [app] * many,
            "env": ["prod"] * many,
            "rung": [1] * many,
            "name": ["jobs"] * many,
            "kind": ["gauge"] * many,
            "delta": [False] * many,
            "series": list(range(many)),
            "labels": [f'{{"pod":"{place}"}}' for place in range(many)],
            "value": [1.0] * many,
        },
    )


def hits(app: str = "loyalty", *, minutes: int = 2880) -> pa.Table:
    """A hundred requests a minute, one in a thousand of them bad."""
    rows = [
        (END - (minutes - 1 - minute) * MINUTE, code, minute * rate)
        for minute in range(minutes)
        for code, rate in (("200", 99.9), ("500", 0.1))
    ]
    many = len(rows)
    return table(
        Signal.METRICS,
        {
            "time": [row[0] for row in rows],
            "app": [app] * many,
            "env": ["prod"] * many,
            "rung": [1] * many,
            "name": ["hits_total"] * many,
            "kind": ["counter"] * many,
            "delta": [False] * many,
            "series": [int(row[1]) for row in rows],
            "labels": [f'{{"code":"{row[1]}","instance":"a","job":"{app}"}}' for row in rows],
            "value": [row[2] for row in rows],
        },
    )


def deploy(
    version: str, time: int, *, env: str | None = "prod", component: str | None = "api"
) -> pa.Table:
    return table(
        Signal.DEPLOYS,
        {
            "time": [time],
            "id": [f"deploy-{version}"],
            "app": ["ticketing"],
            "env": [env],
            "component": [component],
            "version": [version],
            "commit_id": ["c0ffee"],
        },
    )


def install(
    folder: Path,
    tables: Sequence[tuple[Signal, pa.Table]] = (),
    *,
    workspace: str = WORKSPACE,
    apps: Mapping[str, str] = APPS,
    store: bool = True,
) -> World:
    """Write the files and the store of an installation and open it."""
    (folder / "headroom.yaml").write_text(workspace)
    (folder / "apps").mkdir()
    for name, text in apps.items():
        (folder / "apps" / f"{name}.yaml").write_text(text)
    if store:
        with StoreWriter(folder / "store") as writer:
            for signal, each in tables:
                writer.append(signal, each)
    project = open_project([str(folder)], environment={}, strict=False)
    return open_world(project, environ={})


def filled(folder: Path, *, workspace: str = WORKSPACE) -> World:
    """Ticketing burns, cargo and loyalty are well, crew says nothing."""
    return install(
        folder,
        [
            (Signal.SPANS, requests(version={0: "1.0", 570: "1.1"})),
            (Signal.SPANS, requests("cargo", bad={})),
            (Signal.LOGS, logs()),
            (Signal.LOGS, lost_logs()),
            (Signal.METRICS, series()),
            (Signal.METRICS, hits()),
        ],
        workspace=workspace,
    )


def ago(**lengths: int) -> datetime:
    return AT - timedelta(**lengths)
