"""What goes wrong, planted where a test and a reader can find it again."""

from __future__ import annotations

from enum import StrEnum

from app.demo.airline import CONFIRM
from app.demo.timeline import MINUTE, Chunk, Pod, Span
from slo.records import dataclass

DEFECT_SHARE = 0.36
"""The share of confirmations that the new version of ticketing fails."""

SLOWNESS = 9.0
"""How many times longer requests take that need the shared database while it is slow."""

TIMEOUT_SHARE = 0.02
"""The share of those requests whose statement is cancelled."""

_DEPLOY_HOURS, _SLOW_HOURS, _SLOW_MINUTES = 9, 20, 50


class Kind(StrEnum):
    """What an incident is."""

    BAD_DEPLOY = "bad_deploy"
    SLOW_DATABASE = "slow_database"
    EXHAUSTED = "exhausted"
    NO_TRAFFIC = "no_traffic"
    FLAKY_PROBE = "flaky_probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One thing that was planted.

    From ``start_ns`` to ``end_ns`` of Unix time, the end left out. ``share`` is how much of the
    requests of ``route`` (or of the app's, without one) it makes bad.
    """

    kind: Kind
    apps: tuple[str, ...]
    start_ns: int
    end_ns: int
    route: str | None = None
    version: str | None = None
    previous: str | None = None
    dependency: str | None = None
    share: float | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The incidents of a history, as its generator asks for them."""

    whole: Span

    def defect(self, pod: Pod, route: str) -> float:
        """The share of requests that a pod fails because of its version."""
        bad = pod.service.name == "ticketing-api" and pod.version == "2.15.0"
        return DEFECT_SHARE if bad and route == CONFIRM else 0.0

    def slow_minutes(self, chunk: Chunk) -> range:
        """The intervals of a chunk in which the shared database is slow; they are minutes."""
        start = self.whole.end - 60 * _SLOW_HOURS
        if not chunk.fine:
            return range(0)
        first = max(0, start - chunk.start)
        return range(first, max(first, min(chunk.intervals, start + _SLOW_MINUTES - chunk.start)))

    def truth(self) -> tuple[Incident, ...]:
        """Everything that was planted."""
        start, end = self.whole.start * MINUTE, self.whole.end * MINUTE
        slow = end - 60 * _SLOW_HOURS * MINUTE
        return (
            Incident(
                kind=Kind.BAD_DEPLOY,
                apps=("ticketing",),
                start_ns=end - 60 * _DEPLOY_HOURS * MINUTE,
                end_ns=end,
                route=CONFIRM,
                version="2.15.0",
                previous="2.14.3",
                share=DEFECT_SHARE,
                pattern="KeyError: 'fare_family'",
            ),
            Incident(
                kind=Kind.SLOW_DATABASE,
                apps=("cargo", "ticketing"),
                start_ns=slow,
                end_ns=slow + _SLOW_MINUTES * MINUTE,
                dependency="pg-shared.internal",
                share=TIMEOUT_SHARE,
                pattern="canceling statement due to statement timeout",
            ),
            Incident(
                kind=Kind.EXHAUSTED,
                apps=("loyalty",),
                start_ns=start,
                end_ns=end,
                route="POST /members/{id}/redeem",
                share=0.0075,
                pattern="partner gateway answered 502",
            ),
            Incident(kind=Kind.NO_TRAFFIC, apps=("crew",), start_ns=start, end_ns=end),
            Incident(kind=Kind.FLAKY_PROBE, apps=("check-in",), start_ns=start, end_ns=end),
        )
