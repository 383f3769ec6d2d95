"""Worlds whose true counts the ledger is judged against, loaded into real servers once."""

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.servers.processes import Prometheus, create_blocks
from tests.servers.traffic import Counts, World, simulate, write_openmetrics
from tests.servers.traffic_model import Phase, Scenario
from tests.servers.traffic_scenarios import HOUR, SCENARIOS, named, total_outage

SEED = int(os.environ.get("HEADROOM_SEED", "7"))
SLOT = 300
# The first slot ends here after a world's start: past its births, at no round time.
PHASE = 3600 + 137


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A ledger's sums over a world, and what truly happened in the same time."""

    total: float
    part: float
    truth: Counts
    slots: int

    @property
    def total_error(self) -> float:
        """How far the total is off, relative to the truth."""
        return self.total / self.truth.total - 1

    def ratio_error(self, *, good: bool = False) -> float:
        """How far the error ratio is off, relative to the truth."""
        bad = self.total - self.part if good else self.part
        return bad / self.total / float(self.truth.ratio) - 1


def worlds(scrape: int) -> dict[str, World]:
    """Every scenario as an application of its own, and an outage with an end to it."""
    made: dict[str, Scenario] = {
        name: named(name, seed=SEED, scrape_interval=scrape) for name in SCENARIOS
    }
    made["total_outage"] = _with_recovery(made["total_outage"])
    return {
        name: simulate(replace(one, job=name, labels=_place(number)))
        for number, (name, one) in enumerate(made.items())
    }


def _with_recovery(scenario: Scenario) -> Scenario:
    # A window that ends amid errors misses those since the last scrape, which is no error.
    healthy = Phase(seconds=2 * HOUR, rps=10)
    phases = (*total_outage(SEED, healthy=2 * HOUR).phases, healthy)
    return replace(scenario, phases=phases)


def _place(number: int) -> Mapping[str, str]:
    return {"cluster": "eu-1" if number % 2 else "us.1", "region": "west"}


class Truth:
    """The worlds of each scrape interval, on each server; made when they are asked for."""

    def __init__(self, loader: Path, folder: Path, stack: ExitStack) -> None:
        self._loader = loader
        self._folder = folder
        self._stack = stack
        self._worlds: dict[int, dict[str, World]] = {}
        self._servers: dict[tuple[Path, int], Prometheus] = {}

    def worlds(self, scrape: int) -> dict[str, World]:
        """The worlds by name; at first use they are loaded as blocks."""
        if scrape not in self._worlds:
            print(f"traffic seed {SEED}, scrape interval {scrape} s")
            made = worlds(scrape)
            text = self._folder / f"{scrape}.txt"
            write_openmetrics(text, list(made.values()))
            create_blocks(self._loader, text, self._blocks(scrape))
            text.unlink()
            self._worlds[scrape] = made
        return self._worlds[scrape]

    def server(self, binaries: Path, scrape: int) -> Prometheus:
        """A running server that holds the worlds of a scrape interval."""
        if (binaries, scrape) not in self._servers:
            self.worlds(scrape)
            data = self._folder / f"{len(self._servers)}"
            shutil.copytree(self._blocks(scrape), data)
            server = Prometheus(binaries, data=data)
            self._servers[binaries, scrape] = self._stack.enter_context(server)
        return self._servers[binaries, scrape]

    def _blocks(self, scrape: int) -> Path:
        return self._folder / f"blocks-{scrape}"


def measure(
    server: Prometheus,
    total: str,
    part: str,
    truth: Callable[[float, float], Counts],
    span: tuple[float, float],
) -> Measured:
    """Sum two ledger expressions over the slots of a span and count the truth of those slots."""
    start, end = span[0] + PHASE, span[1]
    sums, last, slots = [], start, 0
    for expression in (total, part):
        answer = server.query_range(expression, start=start, end=end, step=SLOT)
        assert len(answer) <= 1, f"{len(answer)} series answer {expression}"
        points = answer[0].points if answer else ()
        sums.append(sum(value for _, value in points))
        if not slots and points:
            last, slots = points[-1][0], len(points)
    return Measured(total=sums[0], part=sums[1], truth=truth(start - SLOT, last), slots=slots)
