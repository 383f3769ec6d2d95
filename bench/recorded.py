"""A Prometheus that holds applications' raw counters and what our rules recorded of them."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench import rules, samples
from bench.model import NEWEST, Run, binaries
from bench.specs import service, slo_generator_config, slo_generator_file, write_all
from tests.servers.processes import Prometheus, create_blocks

_HISTORY = 2 * 3600
# A benchmark reads at its own present, for as long as it runs.
_AHEAD = 3600
_RAW_STEP = 60


@contextmanager
def prometheus(bench: Run, jobs: Sequence[str]) -> Iterator[Prometheus]:
    """Start a server with two hours of history and an hour ahead.

    So little of it makes what slo-generator reads as cheap as can be: it reads raw counters.
    """
    text, data = bench.folder / "samples.txt", bench.folder / "data"
    now = int(time.time())
    end = now + _AHEAD
    groups = [group for job in jobs for group in rules.ours(service(job))]
    raw = samples.counters(jobs, pods=1, start=now - _HISTORY, end=end, step=_RAW_STEP)
    recorded = samples.recorded(groups, end=end, period=_HISTORY + _AHEAD)
    samples.write(text, [raw, *recorded])
    create_blocks(binaries(NEWEST), text, data)
    text.unlink()
    with Prometheus(binaries(NEWEST), data=data) as server:
        yield server


def peer_files(bench: Run, jobs: Sequence[str], url: str) -> tuple[Path, Path]:
    """Write slo-generator's configuration and a folder of its specifications."""
    config = bench.folder / "slo-generator.yaml"
    config.write_text(slo_generator_config(url), encoding="utf-8")
    return config, write_all(bench.folder / "slo-generator", jobs, slo_generator_file)
