"""Simulated request counters that know how many requests there really were.

A `Scenario` (see `traffic_model`; ready-made ones in `traffic_scenarios`) is simulated into a
`World`. The world writes what a Prometheus would have stored, and answers what truly happened:

    world = simulate(named("bursts", seed=7, scrape_interval=60))
    world.write_openmetrics(path)
    world.true_counts(world.start, world.end)

`promtool tsdb create-blocks-from openmetrics` loads the file. It reads it once per block, so
`--max-block-duration` before `openmetrics` makes it quick for days of data.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from tests.servers.traffic_counters import MS
from tests.servers.traffic_model import LATENCY_BOUNDS, Scenario, Span
from tests.servers.traffic_pods import Pod, build_pods, scrape_times
from tests.servers.traffic_text import (
    DURATION,
    REQUESTS,
    Clock,
    counter_lines,
    duration_series,
    gauge_lines,
    page_lines,
    pod_labels,
    probe_labels,
    probe_value,
    request_series,
    selector,
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Events that happened, and how many of them were bad."""

    total: int
    bad: int

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.total + other.total, self.bad + other.bad)

    @property
    def ratio(self) -> Fraction:
        """The exact share of bad events; no events raise ZeroDivisionError."""
        return Fraction(self.bad, self.total)


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """The first event of a series that its process did not expose before.

    `at` is a unix time, `events` the number of events until the process ended, and `first_stored`
    the value of the first stored sample, which is None if no scrape saw the series.
    """

    instance: str
    code: str
    at: float
    events: int
    first_stored: int | None


class World:
    """A simulated application: what really happened and what was stored of it.

    Times given and returned are unix seconds. They are exact to the millisecond, and events
    outside the scenario's time do not exist.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.start = scenario.start
        self.end = scenario.end

    def __repr__(self) -> str:
        return f"World({self.scenario!r})"

    @cached_property
    def pods(self) -> tuple[Pod, ...]:
        """Every pod that ever ran, simulated at first use."""
        return build_pods(self.scenario)

    def code_counts(self, start: float, end: float) -> dict[str, int]:
        """Return how many requests ended with each status code in (start, end]."""
        since, until = self.offset_ms(start), self.offset_ms(end)
        counts = dict.fromkeys(self.scenario.codes, 0)
        for pod in self.pods:
            for code, tally in pod.codes.items():
                counts[code] += tally.count(until) - tally.count(since)
        return counts

    def true_counts(self, start: float, end: float) -> Counts:
        """Return how many requests there were in (start, end], and how many ended with a 5xx."""
        counts = self.code_counts(start, end)
        bad = sum(count for code, count in counts.items() if code.startswith("5"))
        return Counts(sum(counts.values()), bad)

    def slow_counts(self, start: float, end: float, *, bound: str = "0.3") -> Counts:
        """Return the requests of the histogram in (start, end], bad if slower than a bucket bound.

        The histogram draws requests of its own: its total is near that of `true_counts`, not equal.
        """
        fast = LATENCY_BOUNDS.index(bound) + 1
        since, until = self.offset_ms(start), self.offset_ms(end)
        counts = [
            [tally.count(until) - tally.count(since) for tally in pod.latency] for pod in self.pods
        ]
        return Counts(sum(map(sum, counts)), sum(sum(each[fast:]) for each in counts))

    def probe_seconds(self, start: float, end: float) -> Counts:
        """Return the seconds in (start, end], which are whole here, and those in a failure."""
        probe = self.scenario.probe
        if probe is None:
            raise LookupError(f"{self.scenario.name} has no probe")
        since, until = (round(self.offset_ms(at) / MS) for at in (start, end))
        since, until = max(since, 0), min(until, self.scenario.duration)
        bad = sum(max(0, min(s.end, until) - max(s.start, since)) for s in probe.failures)
        return Counts(max(0, until - since), bad)

    def births(self) -> tuple[Birth, ...]:
        """Return the births of all series that are not exposed from the start, by time."""
        found: list[Birth] = []
        for pod in self.pods:
            for code in self.scenario.codes:
                if code not in self.scenario.eager_codes:
                    found.extend(self._births(pod, code))
        return tuple(sorted(found, key=lambda birth: birth.at))

    def _births(self, pod: Pod, code: str) -> Iterator[Birth]:
        tally = pod.codes[code]
        for life in pod.lives:
            at, before = tally.first_after(life.start), tally.count(life.start)
            if at is None or at > life.end:
                continue
            seen = next((scrape for scrape in life.scrapes if scrape >= at), None)
            yield Birth(
                instance=pod.instance,
                code=code,
                at=self.start + at / MS,
                events=tally.count(life.end) - before,
                first_stored=None if seen is None else tally.count(seen) - before,
            )

    def instances(self, at: float) -> tuple[str, ...]:
        """Return the pods that are up at an instant."""
        return tuple(pod.instance for pod in self.pods if pod.life_at(self.offset_ms(at)))

    def exposition(self, at: float, instance: str | None = None) -> str:
        """Return the /metrics page at an instant, in Prometheus's text format 0.0.4.

        With an instance it is that pod's own page, without the labels a Prometheus attaches; a pod
        that is not up raises LookupError. Without one it holds all pods that are up, and the
        probe, fully labelled: scrape that with `honor_labels`.
        """
        return exposition([self], at, instance)

    def write_openmetrics(self, path: Path) -> None:
        """Write what was stored as an OpenMetrics file."""
        write_openmetrics(path, [self])

    def offset_ms(self, at: float) -> int:
        """Return a unix time as whole milliseconds after the start."""
        return round((at - self.start) * MS)


def simulate(scenario: Scenario) -> World:
    """Return the world of a scenario; its pods are simulated at first use."""
    return World(scenario)


def write_openmetrics(path: Path, worlds: Sequence[World]) -> None:
    """Write what was stored of several applications into one OpenMetrics file.

    Two worlds with the same job and labels would write the same series: they raise ValueError.
    """
    identities = [(world.scenario.job, dict(world.scenario.labels)) for world in worlds]
    if any(each in identities[:index] for index, each in enumerate(identities)):
        raise ValueError(f"worlds must differ in job or labels: {identities}")
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for family, kind, lines in (
            (REQUESTS, "counter", _request_lines),
            (DURATION, "histogram", _duration_lines),
            ("probe_success", "gauge", _probe_lines),
            ("up", "gauge", _up_lines),
        ):
            file.write(f"# TYPE {family} {kind}\n")
            for world in worlds:
                file.writelines(lines(world))
        file.write("# EOF\n")


def _request_lines(world: World) -> Iterator[str]:
    for pod in world.pods:
        series = request_series(world.scenario, pod, pod_labels(world.scenario, pod))
        yield from counter_lines(series, pod.lives, Clock(world.start))


def _duration_lines(world: World) -> Iterator[str]:
    for pod in world.pods:
        series = duration_series(pod, pod_labels(world.scenario, pod))
        yield from counter_lines(series, pod.lives, Clock(world.start))


def _probe_lines(world: World) -> Iterator[str]:
    scenario, probe = world.scenario, world.scenario.probe
    if probe is not None:
        good, _ = scrape_times(scenario, "probe", Span(start=0, end=scenario.duration))
        samples = [(at, probe_value(probe, at)) for at in good]
        yield gauge_lines("probe_success", probe_labels(scenario), samples, Clock(world.start))


def _up_lines(world: World) -> Iterator[str]:
    for pod in world.pods:
        seen = [(at, "1") for life in pod.lives for at in life.scrapes]
        samples = sorted(seen + [(at, "0") for at in pod.missed])
        yield gauge_lines("up", pod_labels(world.scenario, pod), samples, Clock(world.start))


def exposition(worlds: Sequence[World], at: float, instance: str | None = None) -> str:
    """Return the /metrics page of several applications; see `World.exposition`."""
    requests: list[str] = []
    durations: list[str] = []
    probes: list[str] = []
    for world in worlds:
        scenario, now = world.scenario, world.offset_ms(at)
        for pod in world.pods:
            life = pod.life_at(now)
            if life is None or instance not in {None, pod.instance}:
                continue
            labels = {} if instance else pod_labels(scenario, pod)
            requests += page_lines(request_series(scenario, pod, labels), life, now)
            durations += page_lines(duration_series(pod, labels), life, now)
        if scenario.probe is not None and instance is None:
            head = selector("probe_success", probe_labels(scenario))
            probes.append(f"{head} {probe_value(scenario.probe, now)}\n")
    if instance is not None and not requests:
        raise LookupError(f"{instance} is not up at {at}")
    families = (
        (f"{REQUESTS}_total", "counter", requests),
        (DURATION, "histogram", durations),
        ("probe_success", "gauge", probes),
    )
    return "".join(
        f"# TYPE {name} {kind}\n{''.join(lines)}" for name, kind, lines in families if lines
    )
