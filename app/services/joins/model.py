"""What join health is told in: shares of what is joined, and gaps with what would close them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from slo.records import dataclass

RUNGS: Mapping[int, str] = {
    1: "the app's tag",
    2: "service name",
    3: "Kubernetes workload",
    4: "container or pod",
    5: "address or host",
}
"""The rungs of the ladder, as people call them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Records of one signal in one source, of an application or (``app`` None) of all of them.

    ``rungs`` counts those that carry enough to be attributed by the rung that does it. ``lost`` are
    those that an application claims in vain; of all applications, those that belong to nobody.
    ``unit`` is ``records``, or ``series`` where a source tells only of those.
    """

    app: str | None
    signal: str
    source: str
    unit: str
    rungs: Mapping[int, int]
    lost: int

    @property
    def attributed(self) -> int:
        """How many carry enough to be attributed."""
        return sum(self.rungs.values())

    @property
    def records(self) -> int:
        """How many there are, the lost ones among them."""
        return self.attributed + self.lost

    def part(self, rung: int | None = None) -> float | None:
        """The share of those that are attributed, or by one rung; None of nothing."""
        count = self.attributed if rung is None else self.rungs.get(rung, 0)
        return count / self.records if self.records else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What closes a gap: what somebody has to do, and the generated files that then tag it.

    ``files`` are relative to the folder of generated files; ``command`` writes them.
    """

    todo: str
    files: tuple[str, ...] = ()
    command: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Records of one signal that lack a key and say the same of where they come from.

    ``claimants`` are several applications that all claim them: nobody gets them. ``app`` is whose
    they would be, where that is known: what lacks an environment is its already. ``whole`` is how
    many of the signal the source has. ``example`` is one of them, without secrets; ``first`` and
    ``last`` are Unix nanoseconds.
    """

    signal: str
    source: str
    unit: str
    records: int
    whole: int
    missing: str | None
    claimants: tuple[str, ...] = ()
    app: str | None = None
    service: str | None = None
    host: str | None = None
    namespace: str | None = None
    stream: str | None = None
    first: int | None = None
    last: int | None = None
    example: str | None = None
    remedy: Remedy

    @property
    def part(self) -> float | None:
        """The share of the source's records of the signal."""
        return self.records / self.whole if self.whole else None

    @property
    def place(self) -> str:
        """Where they come from, as far as they say."""
        return place_of(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinHealth:
    """Shares by application, signal and source, and the gaps, the largest share first."""

    shares: tuple[Share, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Records that a rung attributes; ``app`` None means that it refused, or that none held."""

    app: str | None
    signal: str
    rung: int | None
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Records that lack a key, before anybody looked for a remedy; fields as of `Gap`."""

    signal: str
    records: int
    missing: str | None
    claimants: tuple[str, ...] = ()
    app: str | None = None
    service: str | None = None
    host: str | None = None
    namespace: str | None = None
    stream: str | None = None
    first: int | None = None
    last: int | None = None
    example: str | None = None
    scraped: bool = False

    @property
    def lost(self) -> bool:
        """Whether it belongs to nobody; what lacks its environment only has an application."""
        return self.app is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one source tells."""

    source: str
    unit: str
    query: str
    tallies: tuple[Tally, ...]
    strays: tuple[Stray, ...]
    observed_at: int | None = None
    partial: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def place_of(found: Gap | Stray) -> str:
    """Where records come from: service, host, namespace and stream, as far as they say."""
    parts = {
        "service": found.service,
        "host": found.host,
        "namespace": found.namespace,
        "stream": found.stream,
    }
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value) or "unknown"
