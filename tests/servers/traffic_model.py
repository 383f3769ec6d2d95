"""What an application's traffic was like, as data.

All times in here are whole seconds after the scenario's start, and all shares are parts of 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

LATENCY_BOUNDS = ("0.1", "0.3", "1", "+Inf")
MAX_JITTER_MS = 50
DEFAULT_START = 1_767_225_600  # 2026-01-01T00:00:00Z


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A stretch of time with one request rate.

    `errors` maps a status code to its share of the requests; the rest is 200. `latency` holds the
    share of the requests that fall between two of `LATENCY_BOUNDS`, fastest first.
    """

    seconds: int
    rps: float
    errors: Mapping[str, float] = field(default_factory=dict)
    latency: tuple[float, float, float, float] = (0.8, 0.15, 0.045, 0.005)

    def __post_init__(self) -> None:
        if self.seconds <= 0 or self.rps < 0:
            raise ValueError(f"a phase needs a length and a rate of 0 or more: {self}")
        if min(self.errors.values(), default=0) < 0 or sum(self.errors.values()) > 1:
            raise ValueError(f"the error shares of a phase must lie between 0 and 1: {self}")

    def code_rate(self, code: str) -> float:
        """Requests per second that end with a status code, over all pods."""
        if code == "200":
            # A share of 1 split in floats must not leave a trickle of successes behind.
            return self.rps * max(0.0, round(1 - sum(self.errors.values()), 12))
        return self.rps * self.errors.get(code, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time after `start` up to and including `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deploy:
    """All pods replaced by new ones, one every `stagger` seconds."""

    at: int
    stagger: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """The pod in one place of the rotation goes down, and comes back with its counters at zero."""

    pod: int
    at: int
    down: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """An outside check of `probe_success`, 0 during `failures` and 1 otherwise."""

    failures: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that decides what happens and what a Prometheus gets to see of it.

    The same scenario gives the same bytes. The traffic does not depend on the scrape settings, so
    one seed has the same true counts at 15 s and at 60 s. `labels` are added to every series;
    codes outside `eager_codes` are exposed from their first event on, as client libraries do it.
    """

    name: str
    seed: int
    phases: tuple[Phase, ...] = field(repr=False)
    start: int = DEFAULT_START
    pods: int = 4
    scrape_interval: int = 15
    jitter_ms: int = 20
    scrape_failures: float = 0.0
    job: str = "api"
    labels: Mapping[str, str] = field(default_factory=dict)
    eager_codes: frozenset[str] = frozenset({"200"})
    deploys: tuple[Deploy, ...] = field(default=(), repr=False)
    restarts: tuple[Restart, ...] = field(default=(), repr=False)
    outages: tuple[Span, ...] = ()
    histogram: bool = False
    probe: Probe | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.phases or self.pods < 1 or self.scrape_interval < 1:
            raise ValueError(f"a scenario needs phases, pods and a scrape interval: {self}")
        if not 0 <= self.jitter_ms <= MAX_JITTER_MS:
            raise ValueError(f"jitter lies between 0 and {MAX_JITTER_MS} ms: {self}")

    @property
    def duration(self) -> int:
        """Length in seconds."""
        return sum(phase.seconds for phase in self.phases)

    @property
    def end(self) -> int:
        """Unix time of the last second."""
        return self.start + self.duration

    @property
    def codes(self) -> tuple[str, ...]:
        """Status codes in use, 200 first."""
        return ("200", *sorted({code for phase in self.phases for code in phase.errors} - {"200"}))

    def timeline(self) -> tuple[tuple[Span, Phase], ...]:
        """Return each phase with the time it covers."""
        ends = accumulate(phase.seconds for phase in self.phases)
        return tuple(
            (Span(start=end - phase.seconds, end=end), phase)
            for end, phase in zip(ends, self.phases, strict=True)
        )
