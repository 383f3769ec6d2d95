"""The stored samples of a world as text: OpenMetrics with history, or one page of /metrics."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tests.servers.traffic_counters import MS, Tally
from tests.servers.traffic_model import LATENCY_BOUNDS, Probe, Scenario
from tests.servers.traffic_pods import Life, Pod, in_spans

REQUESTS = "http_requests"
DURATION = "http_request_duration_seconds"
# What a request of each latency class took, in milliseconds, for `_sum`.
_TYPICAL_MS = (50, 200, 600, 2500)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterSeries:
    """A stored counter: the weighted sum of tallies, since the process began.

    An `eager` series is exposed from the start, any other from its first event on. `divisor`
    turns whole milliseconds into seconds.
    """

    name: str
    labels: Mapping[str, str]
    parts: tuple[tuple[Tally, int], ...]
    eager: bool = True
    divisor: int = 1

    def values(self, life: Life, times: Sequence[int]) -> list[str]:
        """Return the values at instants of one life, fewer if the series is born later."""
        counted = [_since(tally, life, times, weight) for tally, weight in self.parts]
        sums = counted[0] if len(counted) == 1 else list(map(sum, zip(*counted, strict=True)))
        if not self.eager:
            sums = sums[bisect_right(sums, 0) :]
        if self.divisor == 1:
            return list(map(str, sums))
        return [str(value / self.divisor) for value in sums]


def _since(tally: Tally, life: Life, times: Sequence[int], weight: int) -> list[int]:
    before = tally.count(life.start)
    return [(value - before) * weight for value in tally.counts(times)]


def selector(name: str, labels: Mapping[str, str]) -> str:
    """Return a series as text, with its labels in the order given."""
    pairs = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"{name}{{{pairs}}}" if pairs else name


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def pod_labels(scenario: Scenario, pod: Pod) -> dict[str, str]:
    """Return the labels that every series of a pod carries once it is stored."""
    return {"job": scenario.job, "instance": pod.instance, **scenario.labels}


def request_series(
    scenario: Scenario, pod: Pod, labels: Mapping[str, str]
) -> Iterator[CounterSeries]:
    """Yield the request counters of a pod, one per status code."""
    for code, tally in pod.codes.items():
        yield CounterSeries(
            name=f"{REQUESTS}_total",
            labels={**labels, "code": code},
            parts=((tally, 1),),
            eager=code in scenario.eager_codes,
        )


def duration_series(pod: Pod, labels: Mapping[str, str]) -> Iterator[CounterSeries]:
    """Yield the latency histogram of a pod, or nothing if it has none."""
    if not pod.latency:
        return
    upto: Iterable[tuple[Tally, ...]] = accumulate((tally,) for tally in pod.latency)
    for bound, tallies in zip(LATENCY_BOUNDS, upto, strict=True):
        yield CounterSeries(
            name=f"{DURATION}_bucket",
            labels={**labels, "le": bound},
            parts=tuple((tally, 1) for tally in tallies),
        )
    sums = tuple(zip(pod.latency, _TYPICAL_MS, strict=True))
    yield CounterSeries(name=f"{DURATION}_sum", labels=labels, parts=sums, divisor=MS)
    every = tuple((tally, 1) for tally in pod.latency)
    yield CounterSeries(name=f"{DURATION}_count", labels=labels, parts=every)


def probe_value(probe: Probe, at: int) -> str:
    """Return the stored `probe_success` at an instant (ms)."""
    return "0" if in_spans(at, probe.failures) else "1"


def probe_labels(scenario: Scenario) -> dict[str, str]:
    """Return the labels of `probe_success`."""
    url = f"https://{scenario.job}.example/"
    return {"job": "blackbox", "instance": url, **scenario.labels}


class Clock:
    """Turns instants (ms after a world's start) into the end of an OpenMetrics line."""

    __slots__ = ("_start",)

    def __init__(self, start: int) -> None:
        self._start = start

    def endings(self, times: Iterable[int]) -> list[str]:
        """Return a space, the timestamp and a line end for each instant."""
        start = self._start
        return [f" {start + at // MS}.{at % MS:03d}\n" for at in times]


def counter_lines(
    series: Iterable[CounterSeries], lives: Sequence[Life], clock: Clock
) -> Iterator[str]:
    """Yield the stored samples of counters, a series and a life at a time."""
    endings = [clock.endings(life.scrapes) for life in lives]
    for each in series:
        head = f"{selector(each.name, each.labels)} "
        for life, ending in zip(lives, endings, strict=True):
            values = each.values(life, life.scrapes)
            born = ending[len(ending) - len(values) :]
            yield "".join([head + value + end for value, end in zip(values, born, strict=True)])


def page_lines(series: Iterable[CounterSeries], life: Life, now: int) -> list[str]:
    """Return the lines of a /metrics page for counters at an instant (ms)."""
    return [
        f"{selector(each.name, each.labels)} {value}\n"
        for each in series
        for value in each.values(life, [now])
    ]


def gauge_lines(
    name: str, labels: Mapping[str, str], samples: Iterable[tuple[int, str]], clock: Clock
) -> str:
    """Return the stored samples of a gauge, given as instants (ms) and values."""
    times, values = zip(*samples, strict=True)
    head = f"{selector(name, labels)} "
    return "".join([head + v + end for v, end in zip(values, clock.endings(times), strict=True)])
