"""Where a service level is looked for: each cluster of its environment on its source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.live_checks.findings import Cause, Findings
from app.live_checks.server import Server
from slo.clusters import source_of
from slo.ledger import count_selector
from slo.model import Cluster, Events, External, Latency, Logs, Probe, ServiceLevel, Spans
from slo.problems import Severity, Span
from slo.promql import Matcher, Selector


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A service level in one cluster, the server that holds it, and where findings go."""

    level: ServiceLevel
    cluster: Cluster
    server: Server
    findings: Findings

    @property
    def matchers(self) -> tuple[Matcher, ...]:
        """The labels that select the cluster."""
        return tuple(Matcher(name=n, value=v) for n, v in sorted(self.cluster.match.items()))

    @property
    def place(self) -> str:
        """The environment, and the cluster where it has several."""
        environment = self.level.environment
        several = len(environment.clusters) > 1
        return f"{environment.name}/{self.cluster.name}" if several else environment.name

    def select(self, selector: Selector) -> Selector:
        """Return a selector as it is asked in this cluster."""
        return selector.with_matchers(self.matchers)

    def report(
        self,
        id_: str,
        severity: Severity,
        message: str,
        *,
        hint: str | None = None,
        span: Span | None = None,
        related: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        """Report at the SLO, unless another place is given."""
        cause = Cause(
            id=id_,
            severity=severity,
            message=message,
            hint=hint,
            span=span or self.level.slo.span,
            related=related,
        )
        self.findings.add(cause, self.place)


def scopes_of(
    level: ServiceLevel,
    server_of: Callable[[str | None], Server],
    default: str | None,
    findings: Findings,
) -> Iterator[Scope]:
    """Yield the clusters of a service level; one that no Prometheus computes has none."""
    indicator = level.slo.indicator
    if isinstance(indicator.measure, Logs | Spans | External):
        return
    for cluster in level.environment.clusters:
        reference = indicator.source or source_of(cluster, default)
        yield Scope(level=level, cluster=cluster, server=server_of(reference), findings=findings)


def totals(scope: Scope) -> Sequence[Selector]:
    """Return the plain selectors of everything that the service level counts."""
    match scope.level.slo.indicator.measure:
        case Events(total=query) | Probe(selector=query):
            found = [query.plain]
        case Latency() as latency:
            found = [latency.histogram.plain if latency.native else count_selector(latency)]
        case _:
            found = []
    return [scope.select(each) for each in found if each is not None]
