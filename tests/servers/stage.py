"""The stage of the main path: applications that fare differently, their files, and a server.

Histories end at the present, so that commands that take no time can be tried, too. Everything
before `Stage.at` is the same for every run but for its date.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.installed import Ending, app_text, headroom, write
from tests.servers.backfill import backfill
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.traffic import World, simulate, write_openmetrics
from tests.servers.traffic_model import Phase, Scenario
from tests.servers.traffic_scenarios import HOUR

SEED = 7
HOURS = 8
SLOT = 300
CALM = {"500": 0.0002}
# What a gap in the evaluation of rules leaves out of the history of `gappy`.
GAP = (HOUR, 7 * HOUR)

WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [apps]
  policies: [policies]
  state: state
  defaults: {window: 30d, scrapeInterval: 15s}
"""

CLUSTERS = """
    - name: prod
      clusters: [{name: eu, match: {cluster: eu}}, {name: us, match: {cluster: us}}]"""

LATENCY = """\
    - name: latency
      objective: 90
      indicator:
        latency: {histogram: 'http_request_duration_seconds{job="healthy-api"}', threshold: 300ms}
"""

APPS = {
    "healthy": app_text("healthy", objective="99.5", environments=CLUSTERS, slos=LATENCY),
    "burning": app_text("burning"),
    "slow": app_text("slow"),
    "silent": app_text("silent"),
    "quiet": app_text("quiet", objective="99"),
    "failing": app_text("failing", objective="99"),
    "lost": app_text("lost"),
    "never": app_text("never"),
    "gappy": app_text("gappy", objective="99.5"),
}


def policy(name: str, *rules: str, match: str = "{environments: [elsewhere]}", **keys: str) -> str:
    """A policy file; without a match it is for those who name it."""
    lines = [f"  {key}: {value}" for key, value in keys.items()]
    return "\n".join(
        [
            "apiVersion: headroom/v1",
            "kind: GatePolicy",
            f"metadata: {{name: {name}}}",
            "spec:",
            f"  match: {match}",
            *lines,
            "  rules:",
            *(f"    - {rule}" for rule in rules or (BUDGET,)),
            "",
        ]
    )


BUDGET = "{id: budget, type: error_budget}"
SLOW = "{id: budget, type: error_budget, slowAt: 0.25}"
BURN = "{id: burn, type: burn_rate, deny: [{long: 1h, short: 5m, factor: 14.4}]}"

POLICIES = {
    "budget-only": policy("budget-only"),
    "observing": policy("observing", mode="observe"),
    "warning": policy("warning", mode="warn"),
    "lenient": policy("lenient", onMissingData="allow"),
    "strict-data": policy("strict-data", onMissingData="warn"),
    "no-way-out": policy("no-way-out", exempt="{}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A workspace and a server that holds raw and recorded series of its applications.

    ``at`` is the present, rounded down to a slot, in Unix seconds.
    """

    folder: Path
    server: Prometheus
    binaries: Path
    rules: Path
    worlds: Mapping[str, tuple[World, ...]] = field(repr=False)
    at: int

    @property
    def start(self) -> int:
        """The beginning of all histories."""
        return self.at - HOURS * HOUR

    def run(self, *argv: str | Path, source: str = "auto", at: float | None = None) -> Ending:
        """Ask `status` or `gate` of the server, at `Stage.at` unless told otherwise."""
        when = self.at if at is None else at
        flags = ("--prometheus", self.server.url, "--at", str(when), "--source", source)
        return headroom(*argv, *flags, cwd=self.folder)

    def gate(
        self,
        app: str,
        *argv: str | Path,
        audit: Path,
        source: str = "auto",
        at: float | None = None,
    ) -> Ending:
        """Ask the gate about an app, with an audit log of the test's own and JSON as the answer."""
        flags = ("--audit", audit, "--format", "json")
        return self.run("gate", "--app", app, *flags, *argv, source=source, at=at)


def worlds(start: int, end: int) -> dict[str, tuple[World, ...]]:
    """Simulate the applications by name; `never` has none, and `healthy` runs in two places."""
    length = end - start
    calm = Phase(seconds=length, rps=5, errors=CALM)
    bad = Phase(seconds=length - 6 * HOUR, rps=10, errors={"500": 0.025, "503": 0.005})
    made = {
        "healthy": _world("healthy", start, calm, cluster="eu", histogram=True),
        "healthy/us": _world("healthy", start, calm, cluster="us", histogram=True, number=1),
        "burning": _world("burning", start, Phase(seconds=6 * HOUR, rps=10, errors=CALM), bad),
        "slow": _world("slow", start, Phase(seconds=length, rps=10, errors={"500": 0.00085})),
        "silent": _world("silent", start, Phase(seconds=length, rps=0)),
        "quiet": _world("quiet", start, Phase(seconds=length, rps=0.01, errors={"500": 0.015})),
        "failing": _world("failing", start, Phase(seconds=length, rps=0.01, errors={"500": 0.2})),
        "lost": _world("lost", start, Phase(seconds=7 * HOUR, rps=5, errors=CALM)),
        "gappy": _world("gappy", start, calm),
    }
    return {
        "healthy": (made.pop("healthy"), made.pop("healthy/us")),
        **{name: (world,) for name, world in made.items()},
    }


def _world(
    name: str,
    start: int,
    *phases: Phase,
    cluster: str = "eu",
    histogram: bool = False,
    number: int = 0,
) -> World:
    return simulate(
        Scenario(
            name=f"stage/{name}",
            seed=SEED + number,
            start=start,
            phases=phases,
            pods=2,
            job=f"{name}-api",
            labels={"cluster": cluster},
            histogram=histogram,
        )
    )


def set_up(binaries: Path, folder: Path) -> Stage:
    """Write the workspace, simulate, record; return the stage with a server that is not started.

    The folder of the server's rules is empty still.
    """
    now = int(time.time())
    at = now - now % SLOT
    start = at - HOURS * HOUR
    space = folder / "space"
    write(space / "apps", **APPS)
    write(space / "policies", **POLICIES)
    (space / "headroom.yaml").write_text(WORKSPACE, encoding="utf-8")
    simulated = worlds(start, now)
    samples, data = folder / "samples.txt", folder / "data"
    write_openmetrics(samples, [world for group in simulated.values() for world in group])
    create_blocks(binaries, samples, data)
    samples.unlink()
    ending = headroom("generate", "--only", "rules", "--out", folder / "first", cwd=space)
    assert 0 == ending.code, ending.stderr
    gap = (start + GAP[0], start + GAP[1])
    backfill(
        binaries,
        data,
        sorted((folder / "first").rglob("*.rules.yaml")),
        (start, at),
        keep=lambda labels, when: labels["app"] != "gappy" or not gap[0] < when <= gap[1],
    )
    loaded = folder / "loaded"
    loaded.mkdir()
    return Stage(
        folder=space,
        server=Prometheus(binaries, data=data, rules=[loaded / "*.yaml"]),
        binaries=binaries,
        rules=loaded,
        worlds=simulated,
        at=at,
    )


def instant(at: float) -> str:
    """Unix seconds as RFC 3339."""
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
