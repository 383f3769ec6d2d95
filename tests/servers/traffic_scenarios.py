"""The ready-made scenarios, each a function of its seed alone.

`named` builds one by name; `dataclasses.replace` changes the rest of it. Each docstring says about
how many bad events to expect.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from tests.servers.traffic_model import DEFAULT_START, Deploy, Phase, Probe, Restart, Scenario, Span

MINUTE, HOUR, DAY = 60, 3600, 86_400
_BAD_CODES = ("500", "501", "502", "503", "504", "507")


def named(
    name: str,
    *,
    seed: int,
    scrape_interval: int = 15,
    start: int = DEFAULT_START,
    job: str = "api",
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Scenario:
    """Return a ready-made scenario; an unknown name raises KeyError."""
    return replace(
        SCENARIOS[name](seed), scrape_interval=scrape_interval, start=start, job=job, labels=labels
    )


def steady(seed: int) -> Scenario:
    """10 rps with 1 % errors for a day, with a histogram and a probe: 8,600 bad."""
    phase = Phase(seconds=DAY, rps=10, errors={"404": 0.02, "500": 0.008, "503": 0.002})
    failures = (Span(start=6 * HOUR, end=6 * HOUR + 30 * MINUTE),)
    probe = Probe(failures=failures)
    return Scenario(name="steady", seed=seed, phases=(phase,), histogram=True, probe=probe)


def day_night(seed: int) -> Scenario:
    """12 h at 1,000 rps with 0.01 % errors, then 12 h at 1 rps with 10 %: 8,600 bad (0.020 %)."""
    day = Phase(seconds=12 * HOUR, rps=1000, errors={"500": 0.0001})
    night = Phase(seconds=12 * HOUR, rps=1, errors={"500": 0.1})
    return Scenario(name="day_night", seed=seed, phases=(day, night))


def bursts(seed: int) -> Scenario:
    """Traffic that jumps between 2 and 60 rps for a day, errors for 5 to 90 s: 17,000+ bad."""
    return Scenario(name="bursts", seed=seed, phases=tuple(_bursty(_rng("bursts", seed), DAY)))


def idle_spells(seed: int) -> Scenario:
    """Two days of traffic with 1 % errors, broken by spells of none of 3 min to 4 h: 5,000+ bad."""
    rng = _rng("idle_spells", seed)
    phases: list[Phase] = []
    left = 2 * DAY
    while left:
        busy = min(left, rng.randint(10 * MINUTE, 90 * MINUTE))
        phases.append(Phase(seconds=busy, rps=10, errors={"500": 0.01}))
        left -= busy
        if left:
            idle = min(left, rng.choice((3 * MINUTE, 10 * MINUTE, 40 * MINUTE, 4 * HOUR)))
            phases.append(Phase(seconds=idle, rps=0))
            left -= idle
    return Scenario(name="idle_spells", seed=seed, phases=tuple(phases))


def missing_errors(seed: int) -> Scenario:
    """Two days at 10 rps with errors in one hour only, half of it: 18,000 bad (1.04 %).

    Restarts two minutes later take the error series away again.
    """
    first = _rng("missing_errors", seed).randint(10 * HOUR, 36 * HOUR)
    phases = (
        Phase(seconds=first, rps=10),
        Phase(seconds=HOUR, rps=10, errors={"500": 0.5}),
        Phase(seconds=2 * DAY - first - HOUR, rps=10),
    )
    after = first + HOUR + 2 * MINUTE
    restarts = tuple(Restart(pod=pod, at=after + 30 * pod) for pod in range(4))
    return Scenario(name="missing_errors", seed=seed, phases=phases, restarts=restarts)


def born_errors(seed: int) -> Scenario:
    """70 pods for a day with six error codes each, 2.8 errors a series: 1,200 bad.

    Most series count one to three errors in their life.
    """
    rps = 14
    share = 70 * 2.8 / (rps * DAY)
    phase = Phase(seconds=DAY, rps=rps, errors=dict.fromkeys(_BAD_CODES, share))
    return Scenario(name="born_errors", seed=seed, phases=(phase,), pods=70)


def pod_churn(seed: int) -> Scenario:
    """Two days at 20 rps with 1 % errors; all 12 pods replaced every 3 to 5 h: 35,000 bad."""
    phase = Phase(seconds=2 * DAY, rps=20, errors={"404": 0.02, "500": 0.01})
    deploys = _deploys(_rng("pod_churn", seed), 2 * DAY)
    return Scenario(name="pod_churn", seed=seed, phases=(phase,), pods=12, deploys=deploys)


def resets(seed: int) -> Scenario:
    """Two days at 10 rps with 1 % errors; each of 6 pods restarts about every 3 h: 17,000 bad."""
    phase = Phase(seconds=2 * DAY, rps=10, errors={"500": 0.01})
    restarts = _restarts(_rng("resets", seed), 2 * DAY, pods=6, every=3 * HOUR)
    return Scenario(name="resets", seed=seed, phases=(phase,), pods=6, restarts=restarts)


def outage(seed: int) -> Scenario:
    """A day at 10 rps with 1 % errors; Prometheus stores nothing for 12 minutes: 8,600 bad."""
    at = _rng("outage", seed).randint(8 * HOUR, 16 * HOUR)
    phase = Phase(seconds=DAY, rps=10, errors={"500": 0.01})
    gap = Span(start=at, end=at + 12 * MINUTE)
    return Scenario(name="outage", seed=seed, phases=(phase,), outages=(gap,))


def total_outage(seed: int, *, healthy: int = HOUR, failing: int = HOUR) -> Scenario:
    """10 rps without an error, then nothing but errors, an hour each: 36,000 bad."""
    phases = (
        Phase(seconds=healthy, rps=10),
        Phase(seconds=failing, rps=10, errors={"500": 1.0}),
    )
    return Scenario(name="total_outage", seed=seed, phases=phases)


def silent(seed: int) -> Scenario:
    """A day in which the success series exist and no request comes: 0 bad."""
    phase = Phase(seconds=DAY, rps=0, errors={"500": 0.01})
    return Scenario(name="silent", seed=seed, phases=(phase,))


def everything(seed: int) -> Scenario:
    """Two days of bursts, idle spells, deploys, restarts, lost scrapes, an outage: 30,000+ bad."""
    rng = _rng("everything", seed)
    phases = [
        *_bursty(rng, 20 * HOUR),
        Phase(seconds=70 * MINUTE, rps=0),
        *_bursty(rng, 10 * HOUR),
        Phase(seconds=7 * MINUTE, rps=0),
        Phase(seconds=6 * HOUR, rps=0.5, errors={"404": 0.05, "500": 0.02, "503": 0.02}),
    ]
    phases += _bursty(rng, 2 * DAY - sum(phase.seconds for phase in phases))
    at = rng.randint(32 * HOUR, 36 * HOUR)
    return Scenario(
        name="everything",
        seed=seed,
        phases=tuple(phases),
        pods=8,
        scrape_failures=0.005,
        deploys=_deploys(rng, 2 * DAY),
        restarts=_restarts(rng, 2 * DAY, pods=8, every=8 * HOUR),
        outages=(Span(start=at, end=at + 12 * MINUTE),),
    )


SCENARIOS: MappingProxyType[str, Callable[[int], Scenario]] = MappingProxyType(
    {
        builder.__name__: builder
        for builder in (
            steady,
            day_night,
            bursts,
            idle_spells,
            missing_errors,
            born_errors,
            pod_churn,
            resets,
            outage,
            total_outage,
            silent,
            everything,
        )
    }
)


def _rng(name: str, seed: int) -> random.Random:
    return random.Random(f"{name}/{seed}/plan")


def _bursty(rng: random.Random, seconds: int) -> Iterator[Phase]:
    """Yield phases of jumping traffic, about every third followed by a burst of errors."""
    left = seconds
    while left:
        rps = rng.choice((2, 5, 20, 60))
        calm = min(left, rng.randint(MINUTE, 20 * MINUTE))
        yield Phase(seconds=calm, rps=rps, errors={"404": 0.01})
        left -= calm
        if left and rng.random() < 0.4:
            burst = min(left, rng.randint(5, 90))
            share = rng.choice((0.1, 0.4, 0.9))
            yield Phase(seconds=burst, rps=rps, errors={"500": share})
            left -= burst


def _deploys(rng: random.Random, seconds: int) -> tuple[Deploy, ...]:
    deploys, at = [], rng.randint(2 * HOUR, 4 * HOUR)
    while at < seconds:
        deploys.append(Deploy(at=at))
        at += rng.randint(3 * HOUR, 5 * HOUR)
    return tuple(deploys)


def _restarts(rng: random.Random, seconds: int, *, pods: int, every: int) -> tuple[Restart, ...]:
    restarts = []
    for pod in range(pods):
        at = round(rng.expovariate(1 / every)) + MINUTE
        while at < seconds:
            restarts.append(Restart(pod=pod, at=at, down=rng.randint(10, 40)))
            at += round(rng.expovariate(1 / every)) + MINUTE
    return tuple(restarts)
