"""Samples of many kinds for comparing engines, and a server that was sent the same ones."""

import random
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from collectors.promql import STALE, NativeHistogram, Samples
from tests.servers import remote_write
from tests.servers.processes import Prometheus
from tests.servers.traffic import simulate
from tests.servers.traffic_model import Deploy, Phase, Probe, Restart, Scenario, Span

START = 1_767_225_600
LENGTH = 3 * 3600
SCRAPE = 15
_LINE = re.compile(r"(?P<name>[a-z_]+)\{(?P<labels>.*)\} (?P<value>\S+) (?P<at>\S+)\n?")
_PAIR = re.compile(r'([a-z_]+)="([^"]*)"')
_INDICES = (-4, -2, 0, 2)


def scenario(seed: int, *, job: str = "api", cluster: str = "eu-1") -> Scenario:
    """Three hours with bursts of errors, births, resets, a deploy, lost scrapes and an outage."""
    rng = random.Random(f"promql/{seed}/{job}/{cluster}")
    phases: list[Phase] = []
    left = LENGTH
    while left:
        seconds = min(left, rng.randint(60, 900))
        errors = {"404": 0.02, "500": rng.choice((0.0, 0.01, 0.2)), "503": 0.001}
        phases.append(Phase(seconds=seconds, rps=rng.choice((0, 1, 8, 30)), errors=errors))
        left -= seconds
    return Scenario(
        name="promql",
        seed=seed,
        phases=tuple(phases),
        pods=3,
        start=START,
        scrape_interval=SCRAPE,
        scrape_failures=0.02,
        job=job,
        labels={"cluster": cluster},
        histogram=True,
        deploys=(Deploy(at=rng.randint(3600, 7200)),),
        restarts=tuple(
            Restart(pod=pod, at=rng.randint(300, 3000), down=rng.randint(10, 400))
            for pod in range(3)
        ),
        outages=(Span(start=8000, end=8000 + rng.randint(300, 900)),),
        probe=Probe(failures=(Span(start=2000, end=2600),)),
    )


def stored(seed: int, folder: Path) -> list[Samples]:
    """All series: two applications' traffic, gauges with odd values, and histograms."""
    found: list[Samples] = []
    for job, cluster in (("api", "eu-1"), ("web", "us.1")):
        world = simulate(scenario(seed, job=job, cluster=cluster))
        text = folder / f"{job}.txt"
        world.write_openmetrics(text)
        found.extend(_parsed(text))
    found.extend(_gauges(random.Random(f"gauges/{seed}")))
    return found


def on_grid() -> Samples:
    """A counter with a sample exactly on every quarter of a minute, but for 15 minutes."""
    places = [place for place in range(LENGTH // SCRAPE) if not 300 < place < 360]
    return Samples(
        labels={"__name__": "on_grid_total"},
        times=START * 1000 + np.array(places, dtype=np.int64) * SCRAPE * 1000,
        values=np.array(places, dtype=np.float64) * 7,
    )


def lifted(series: Sequence[Samples]) -> list[Samples]:
    """The same series with every counter far above zero, after its resets too.

    Servers before 3.0 extrapolate a counter that begins near zero in another way.
    """
    counters = ("_total", "_count", "_sum", "_bucket")
    return [
        Samples(labels=one.labels, times=one.times, values=one.values + 1e6)
        if one.labels["__name__"].endswith(counters)
        else one
        for one in series
    ]


def _parsed(text: Path) -> Iterator[Samples]:
    points: dict[tuple[tuple[str, str], ...], dict[int, float]] = {}
    for line in text.read_text(encoding="utf-8").splitlines():
        if match := _LINE.fullmatch(line):
            labels = (("__name__", match["name"]), *_PAIR.findall(match["labels"]))
            at = _apart(float(match["at"]) * 1000)
            points.setdefault(labels, {})[at] = float(match["value"])
    for labels, values in points.items():
        yield _samples(dict(labels), values)


def _apart(at_ms: float) -> int:
    # No sample lies on the border of a range: servers before 3.0 count it into both.
    return round(at_ms / 10) * 10 + 3


def _samples(labels: Mapping[str, str], points: Mapping[int, float]) -> Samples:
    times = sorted(points)
    return Samples(
        labels=labels,
        times=np.array(times, dtype=np.int64),
        values=np.array([points[at] for at in times]),
    )


def _gauges(rng: random.Random) -> Iterator[Samples]:
    for room in ("a", "b", "c"):
        for kind in ("wet", "dry", ""):
            labels = {"__name__": "temperature", "room": room, "kind": kind, "unit": "°C"}
            yield _samples(labels, dict(_walk(rng)))
    for room, size in (("a", 10.0), ("b", 20.0), ("c", -3.0)):
        labels = {"__name__": "room_size", "room": room, "wing": "west" if room == "a" else "east"}
        yield _samples(labels, {at: size for at, _ in _walk(rng, odd=0.0)})


def _walk(rng: random.Random, *, odd: float = 0.02) -> Iterator[tuple[int, float]]:
    value, at = rng.uniform(-20, 20), float(rng.randint(0, 15_000))
    while at < LENGTH * 1000:
        at += rng.choice((15_000, 15_000, 15_000, 30_000)) + rng.randint(-40, 40)
        value += rng.gauss(0, 1)
        chosen = value
        if rng.random() < odd:
            chosen = rng.choice((float("nan"), float("inf"), STALE, value))
            if chosen is STALE:
                yield _apart(START * 1000 + at), chosen
                at += rng.randint(15_000, 600_000)
                continue
        yield _apart(START * 1000 + at), chosen


def native(seed: int) -> list[Samples]:
    """Series of native histograms of the traffic's latency, at a scrape a minute."""
    world = simulate(scenario(seed))
    found = []
    for pod in world.pods:
        times, held = [], []
        for life in pod.lives:
            for at in life.scrapes[::4]:
                counts = [tally.count(at) - tally.count(life.start) for tally in pod.latency]
                times.append(_apart(START * 1000 + at))
                held.append(_histogram(dict(zip(_INDICES, counts, strict=True))))
        labels = {"__name__": "latency_seconds", "job": "api", "instance": pod.instance}
        values = np.full(len(times), np.nan)
        found.append(
            Samples(
                labels=labels,
                times=np.array(times, dtype=np.int64),
                values=values,
                histograms=held,
            )
        )
    return found


def _histogram(buckets: Mapping[int, int]) -> NativeHistogram:
    filled = {index: float(count) for index, count in buckets.items() if count}
    return NativeHistogram(
        schema=0,
        zero_threshold=1e-128,
        zero_count=0.0,
        count=sum(filled.values()),
        sum=0.0,
        positive=filled,
        negative={},
    )


def load(server: Prometheus, series: Sequence[Samples]) -> None:
    """Send all samples to a server as remote write, in the order of time."""
    begin = min(int(one.times[0]) for one in series if len(one.times))
    end = max(int(one.times[-1]) for one in series if len(one.times))
    for since in range(begin - 1, end + 1, 600_000):
        body = b"".join(_part(one, since, since + 600_000) for one in series)
        if body:
            data = remote_write._snappy(body)
            server.request("/api/v1/write", data=data, content_type="application/x-protobuf")


def _part(one: Samples, since: int, until: int) -> bytes:
    first, last = np.searchsorted(one.times, [since, until], side="right")
    if first == last:
        return b""
    body = b"".join(
        remote_write._field(
            1,
            remote_write._field(1, name.encode()) + remote_write._field(2, value.encode()),
        )
        for name, value in sorted(one.labels.items())
        if value
    )
    for place in range(first, last):
        held = None if one.histograms is None else one.histograms[place]
        at = int(one.times[place])
        if held is None:
            bits = struct.pack("<d", one.values[place])
            sample = remote_write._varint(1 << 3 | 1) + bits + remote_write._number(2, at)
            body += remote_write._field(2, sample)
        else:
            buckets = {index: int(count) for index, count in held.positive.items()}
            sent = remote_write.Histogram(at_ms=at, buckets=buckets)
            body += remote_write._field(4, remote_write._histogram(sent))
    return remote_write._field(1, body)
