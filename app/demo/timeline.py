"""When what happens: the history in chunks, and the pods that run in each.

Minutes are whole minutes since 1970. The last two days happen minute by minute, what is older in
steps of five minutes. Metrics are exported every minute in the last six hours, and every five
before, the least often that budgets can be counted exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from app.demo.airline import CLUSTERS, ENVIRONMENT, PODS, SERVICES, Service
from slo.records import dataclass

MINUTE = 60_000_000_000
DAY = 1440
FINE = 2 * DAY
"""How many minutes before the end are told minute by minute."""

RECENT = DAY // 4
"""How many minutes before the end everything is told most closely."""

_FINE_CHUNK, _COARSE_CHUNK, _COARSE_STEP = 60, 360, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A stretch of the history that is generated at once; ``number`` counts from its end.

    Interval ``i`` reaches from minute ``start + i * step`` to the next one; metrics are exported
    after every ``stride`` intervals. No deploy lies inside.
    """

    number: int
    start: int
    end: int
    step: int
    stride: int

    @property
    def intervals(self) -> int:
        """How many intervals it has."""
        return (self.end - self.start) // self.step

    @property
    def fine(self) -> bool:
        """Whether it belongs to the days that are told minute by minute."""
        return self.step == 1

    @property
    def recent(self) -> bool:
        """Whether everything in it is told most closely."""
        return self.step == self.stride == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The whole history, from one minute to another."""

    start: int
    end: int

    @classmethod
    def before(cls, now_ns: int, days: int) -> Span:
        """So many days that end with the last full minute."""
        end = now_ns // MINUTE
        return cls(start=end - days * DAY, end=end)

    def chunks(self) -> Iterator[Chunk]:
        """Its chunks, the oldest first."""
        fine_from = max(self.start, self.end - FINE)
        at = self.start
        while at < self.end:
            size, step = (_COARSE_CHUNK, _COARSE_STEP) if at < fine_from else (_FINE_CHUNK, 1)
            recent = at >= self.end - RECENT
            yield Chunk(
                number=(self.end - at) // _FINE_CHUNK,
                start=at,
                end=at + size,
                step=step,
                stride=1 if recent else _COARSE_STEP // step,
            )
            at += size

    def after(self, now_ns: int) -> Chunk | None:
        """The full minutes between its end and a later time."""
        end = now_ns // MINUTE
        if end <= self.end:
            return None
        return Chunk(number=0, start=self.end, end=end, step=1, stride=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One process of a service: where it runs, which version, and since which minute."""

    service: Service
    cluster: str
    name: str
    instance: str
    node: str
    version: str
    since: int

    def attributes(self) -> dict[str, str]:
        """What its telemetry says of its sender, by the names of OpenTelemetry."""
        return {
            "service.namespace": self.service.app,
            "service.name": self.service.name,
            "service.instance.id": self.instance,
            "service.version": self.version,
            "service.criticality": self.service.tier,
            "deployment.environment.name": ENVIRONMENT,
            "org.team": self.service.team,
            "k8s.cluster.name": self.cluster,
            "k8s.namespace.name": self.service.app,
            "k8s.deployment.name": self.service.name,
            "k8s.pod.name": self.name,
            "host.name": self.node,
            "telemetry.sdk.language": self.service.language,
        }


def pods(whole: Span, at: int) -> tuple[Pod, ...]:
    """The pods that run in the chunk that begins at a minute."""
    return tuple(
        pod(service, cluster, index, *_release(service, whole, at))
        for service in SERVICES
        for cluster in CLUSTERS
        for index in range(PODS)
    )


def pod(service: Service, cluster: str, index: int, version: str, since: int) -> Pod:
    """A pod; its name and instance follow from what is given."""
    release = _digest(service.name, cluster, version)
    own = _digest(release, str(index), str(since))
    return Pod(
        service=service,
        cluster=cluster,
        # As Kubernetes names them: at least one digit in the first part.
        name=f"{service.name}-{release[:8]}1-{own[:5]}",
        instance=f"{own[:8]}-{own[8:12]}-{own[12:16]}-{own[16:20]}-{own[20:32]}",
        node=f"{cluster}-node-{1 + int(own[:4], 16) % 3}",
        version=version,
        since=since,
    )


def _release(service: Service, whole: Span, at: int) -> tuple[str, int]:
    found = (service.releases[0].version, whole.start)
    for release in service.releases[1:]:
        since = whole.end - 60 * (release.hours or 0)
        if since <= at:
            found = (release.version, max(since, whole.start))
    return found


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
