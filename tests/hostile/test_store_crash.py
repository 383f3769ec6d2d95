"""kill -9 at any point: nothing acknowledged is lost, nothing is shown twice."""

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.signals import Signal
from collectors.store import StoreReader, StoreWriter, stats, verify
from tests.hostile.store_victim import KEPT, LINES, clock_of
from tests.unit.collectors.store.telemetry import seen

ROOT = Path(__file__).parents[2]
KILLS = 100
LONGEST_MILLISECONDS = 150
LAST_STEP = 250


class Victims:
    """Processes that ingest and are killed, one after the other."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.store_victim", str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout

    def kill(self, first: int, seed: int, *, moment: int = 0, step: int = 0) -> list[str]:
        """Let one ingest from a batch on; return what it said until it died."""
        self._input.write(f"{first} {seed} {moment} {step}\n")
        self._input.flush()
        said: list[str] = []
        for line in self._output:
            if line == "dead\n":
                return said
            said.append(line.strip())
        raise AssertionError("the process that forks the victims has ended")

    def close(self) -> None:
        self._input.close()
        self._process.wait(timeout=30)
        self._output.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    StoreWriter(tmp_path / "store").close()
    return tmp_path / "store"


@pytest.fixture
def victims(folder: Path) -> Iterator[Victims]:
    found = Victims(folder)
    yield found
    found.close()


def test_a_killed_writer_loses_nothing_and_repeats_nothing(folder: Path, victims: Victims) -> None:
    """A hundred times: in the middle of ingest, of compaction, of retention, of recovery.

    Half of the kills come at a random moment, half when the writer touches its files for the nth
    time. Each next writer sends the last acknowledged batch once more, as a client would that got
    no answer.
    """
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    phases: Counter[str] = Counter()
    acknowledged = 0
    reader = StoreReader(folder, threads=1)
    for kill in range(KILLS):
        moment, step = chance.randrange(LONGEST_MILLISECONDS), chance.randrange(1, LAST_STEP)
        at = {"step": step} if kill % 2 else {"moment": moment}
        said = victims.kill(max(1, acknowledged), chance.randrange(2**32), **at)
        acks = [int(word.split()[1]) for word in said if word.startswith("ack ")]
        acknowledged = max([acknowledged, *acks])
        entered = [word for word in said if word.startswith("phase ")]
        phases[entered[-1] if entered else "recovery"] += 1
        _assert_intact(reader, acknowledged)
        if kill % 5 == 0:
            assert [] == verify(folder)
    reader.close()
    print(dict(phases), "acknowledged", acknowledged)
    assert acknowledged > KILLS // 10
    assert {"phase ingest", "phase compact", "recovery"} <= set(phases)


def _assert_intact(reader: StoreReader, acknowledged: int) -> None:
    snapshot = reader.snapshot()
    shown = [str(body) for (body,) in seen(snapshot, Signal.LOGS, "body")]
    assert len(set(shown)) == len(shown)
    batches = Counter(int(body.split(":")[0]) for body in shown)
    assert {LINES} >= set(batches.values()), "a batch is shown in part"
    assert set(batches) <= set(range(1, acknowledged + 2)), "a batch is shown that nobody sent"
    young = {n for n in range(1, acknowledged + 1) if clock_of(n) >= clock_of(acknowledged) - KEPT}
    assert set() == young - set(batches), "an acknowledged batch is lost"
    numbers = [int(str(trace), 16) for (trace,) in seen(snapshot, Signal.SPANS, "trace_id")]
    assert len(set(numbers)) == len(numbers)
    assert set() == set(range(1, acknowledged + 1)) - set(numbers), "an acknowledged span is lost"
    counted = stats(snapshot)
    assert (len(shown), len(numbers)) == (
        counted.signals[Signal.LOGS].records,
        counted.signals[Signal.SPANS].records,
    )
    assert 0 == counted.quarantined
