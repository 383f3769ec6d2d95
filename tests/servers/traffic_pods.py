"""The pods of a scenario: when they live, when they are scraped, and what they count."""

import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.servers.traffic_counters import MS, Tally
from tests.servers.traffic_model import LATENCY_BOUNDS, Phase, Scenario, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One run of a process, with the instants (ms) at which its counters were stored.

    Events happen after `start` up to and including `end`; both are in ms after the world's start.
    """

    start: int
    end: int
    scrapes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One instance; its lives differ in their counters, which begin at zero in each.

    `missed` are the instants at which a scrape failed, because of the pod or on the way.
    """

    instance: str
    lives: tuple[Life, ...]
    missed: tuple[int, ...]
    codes: dict[str, Tally]
    latency: tuple[Tally, ...]

    def life_at(self, at: int) -> Life | None:
        """Return the life an instant (ms) falls into, if the pod was up then."""
        return next((life for life in self.lives if life.start <= at < life.end), None)


def build_pods(scenario: Scenario) -> tuple[Pod, ...]:
    """Simulate all pods of a scenario."""
    timeline = scenario.timeline()
    pods = []
    for place in range(scenario.pods):
        for generation, span in enumerate(_generations(scenario, place)):
            lives = _lives(scenario, place, span)
            if lives:
                pods.append(_build_pod(scenario, timeline, _address(place, generation), lives))
    return tuple(pods)


def scrape_times(scenario: Scenario, target: str, span: Span) -> tuple[list[int], list[int]]:
    """Return the instants (ms) at which a target's scrapes succeeded, and at which they failed."""
    rng = generator(scenario, target, "scrapes")
    interval = scenario.scrape_interval * MS
    # The phase comes from the target's own address, as in Prometheus, and not from its birth.
    first = rng.randrange(interval)
    good: list[int] = []
    failed: list[int] = []
    for tick in range(first, span.end * MS, interval):
        at = tick + (rng.randint(0, scenario.jitter_ms) if scenario.jitter_ms else 0)
        lost = scenario.scrape_failures and rng.random() < scenario.scrape_failures
        if span.start * MS <= at < span.end * MS and not in_spans(at, scenario.outages):
            (failed if lost else good).append(at)
    return good, failed


def in_spans(at: int, spans: tuple[Span, ...]) -> bool:
    """Tell whether an instant (ms) lies in one of the spans."""
    return any(span.start * MS < at <= span.end * MS for span in spans)


def generator(scenario: Scenario, *names: str) -> random.Random:
    """Return the random numbers of one thing, independent of what else is simulated."""
    return random.Random("/".join((scenario.name, str(scenario.seed), *names)))


def _address(place: int, generation: int) -> str:
    high, low = divmod(place, 250)
    return f"10.{generation}.{high}.{low + 1}:8080"


def _generations(scenario: Scenario, place: int) -> Iterator[Span]:
    swaps = [deploy.at + place * deploy.stagger for deploy in scenario.deploys]
    edges = sorted({0, scenario.duration, *(at for at in swaps if 0 < at < scenario.duration)})
    for start, end in pairwise(edges):
        yield Span(start=start, end=end)


def _lives(scenario: Scenario, place: int, span: Span) -> list[Span]:
    """Cut a pod's time at its restarts, leaving out the seconds in which it was down."""
    lives, start = [], span.start
    for restart in sorted(scenario.restarts, key=lambda each: each.at):
        if restart.pod == place and start < restart.at < span.end:
            lives.append(Span(start=start, end=restart.at))
            start = restart.at + restart.down
    if start < span.end:
        lives.append(Span(start=start, end=span.end))
    return lives


def _build_pod(
    scenario: Scenario, timeline: tuple[tuple[Span, Phase], ...], instance: str, lives: list[Span]
) -> Pod:
    good, missed = scrape_times(scenario, instance, Span(start=lives[0].start, end=lives[-1].end))
    built = []
    for span in lives:
        low, high = bisect_left(good, span.start * MS), bisect_left(good, span.end * MS)
        built.append(Life(start=span.start * MS, end=span.end * MS, scrapes=tuple(good[low:high])))
    answered = {at for life in built for at in life.scrapes}
    stretches = _stretches(timeline, lives)
    codes = {
        code: _tally(
            generator(scenario, instance, code),
            [(each, phase.code_rate(code) / scenario.pods) for each, phase in stretches],
        )
        for code in scenario.codes
    }
    latency = [
        _tally(
            generator(scenario, instance, "latency", bound),
            [(each, phase.rps * phase.latency[index] / scenario.pods) for each, phase in stretches],
        )
        for index, bound in enumerate(LATENCY_BOUNDS)
        if scenario.histogram
    ]
    return Pod(
        instance=instance,
        lives=tuple(built),
        missed=tuple(sorted({*missed, *good} - answered)),
        codes=codes,
        latency=tuple(latency),
    )


def _stretches(
    timeline: tuple[tuple[Span, Phase], ...], lives: list[Span]
) -> list[tuple[Span, Phase]]:
    """Return each phase with the part of it a pod lived through."""
    return [
        (Span(start=max(life.start, span.start), end=min(life.end, span.end)), phase)
        for life in lives
        for span, phase in timeline
        if max(life.start, span.start) < min(life.end, span.end)
    ]


def _tally(rng: random.Random, stretches: list[tuple[Span, float]]) -> Tally:
    tally = Tally()
    for span, rate in stretches:
        tally.draw(rng, rate=rate, first=span.start, last=span.end)
    return tally
