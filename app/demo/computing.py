"""The budgets of the demo's history: computed before it is shown, so that pages need not.

A server computes what it was sent by itself; a store that is filled without one gets them here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import requests

from alerts.prometheus.groups import RuleSettings
from app.demo.filling import Advance
from app.demo.world import World
from app.evaluator.catching_up import CatchUp
from app.evaluator.engine import Evaluator
from app.evaluator.plan import levels_here
from app.project import Project
from collectors.store import StoreReader, StoreWriter
from slo.records import dataclass

_PART = 5
"""Computing is about as much work as sending a fifth of the chunks."""

_SHARE = "headroom_evaluator_history_share"
_COMPLETE = "headroom_evaluator_history_complete_seconds"
_POLL = 0.5
_PATIENCE = 120.0
_MS = 1_000_000


def steps_of(world: World) -> int:
    """How many steps there are: the chunks of a world, and those of computing its budgets."""
    return world.steps + max(1, world.steps // _PART)


class _Meter:
    """Advances as far as a share of its steps asks for, never back."""

    def __init__(self, steps: int, advance: Advance) -> None:
        self._steps = steps
        self._advance = advance
        self._done = 0

    def reach(self, done: float, total: float) -> None:
        """Advance to a share of the whole."""
        while total and self._done < int(self._steps * done / total):
            self._advance()
            self._done += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A server that has all telemetry since the Unix time ``sent``; ``steps`` are its share."""

    url: str
    sent: float
    steps: int

    def until_computed(
        self, advance: Advance, check: Callable[[], None], ticks: Callable[[], float]
    ) -> None:
        """Wait until it has computed the budgets; one that takes minutes is shown as it is."""
        meter, until = _Meter(self.steps, advance), ticks() + _PATIENCE
        with requests.Session() as session:
            session.trust_env = False
            while ticks() < until:
                check()
                gauges = _gauges(session, self.url)
                if gauges.get(_COMPLETE, 0.0) >= self.sent:
                    break
                share = gauges.get(_SHARE, 1.0)
                # Nothing is under way yet while it is one.
                meter.reach(share if share < 1 else 0.0, 1.0)
                time.sleep(_POLL)
        meter.reach(1.0, 1.0)


def compute(world: World, project: Project, folder: Path, advance: Advance, *, steps: int) -> None:
    """Compute the budgets of a world's history in this process, and record them in its store.

    Raises ``StoreBusy`` while somebody else writes.
    """
    meter = _Meter(steps, advance)
    space = project.workspace
    with StoreWriter(folder) as writer:
        reader = StoreReader(folder)
        evaluator = Evaluator(
            levels_here(project),
            RuleSettings(catalogue=space.defaults.catalogue, links=space.links),
            reader=reader,
            writer=writer,
        )
        for _ in CatchUp(evaluator, meter.reach).steps(world.now_ns // _MS):
            pass
        reader.close()
        writer.compact(world.now_ns)
    meter.reach(1.0, 1.0)


def _gauges(session: requests.Session, url: str) -> dict[str, float]:
    """What the server says of itself; nothing while it is too busy to."""
    try:
        lines = session.get(f"{url}/metrics", timeout=10).text.splitlines()
    except requests.RequestException:
        return {}
    found = (line.split(" ") for line in lines if line.startswith((_SHARE, _COMPLETE)))
    return {name: float(value) for name, value, *_ in found}
