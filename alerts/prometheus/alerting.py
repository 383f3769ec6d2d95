"""Alerting rules of a service level: burn, budget left, and an indicator that went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from alerts.prometheus.recorded import Recorded
from alerts.prometheus.rules import Alerting
from alerts.prometheus.wording import Wording, literal
from slo import naming
from slo.clusters import matcher_sets
from slo.ledger import Expressions, Part, bucket_selector, count_selector
from slo.model import AlertGuard, AlertSeverity, BurnPair, Latency, ServiceLevel
from slo.numerals import decimal_text
from slo.promql import Selector
from slo.records import dataclass
from slo.units import Duration
from slo.windows import fast_interval, is_short
from slo.workspace import Links


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What alerts are about: a service level, its recorded series and where to read more."""

    level: ServiceLevel
    recorded: Recorded
    links: Links

    @property
    def wording(self) -> Wording:
        """The words of its alerts."""
        return Wording(self.level, self.links)


_KEEP_TICKET = Duration.parse("15m")
_KEEP_PAGE = Duration.parse("2m")
_STUCK = Duration.parse("10m")
_UNPROVEN_AFTER = Duration.parse("1h")
INFO = "info"
"""The severity of what is worth knowing and wakes nobody."""


def burn(subject: Subject, pairs: Sequence[BurnPair]) -> tuple[Alerting, ...]:
    """One alert per window pair, so that the one that fired is visible."""
    return tuple(
        _burn(subject, pair) for pair in pairs if _guard(subject.level, pair.severity).enabled
    )


def budget_left(subject: Subject) -> tuple[Alerting, ...]:
    """A ticket for each share of the budget that the SLO wants to hear of."""
    level, recorded = subject.level, subject.recorded
    return tuple(
        Alerting(
            alert=naming.ALERT_LEFT,
            expr=f"{recorded.latest(naming.BUDGET_REMAINING)} <= {decimal_text(share)}",
            labels=_labels(level, AlertSeverity.TICKET, left=decimal_text(share)),
            annotations=subject.wording.budget_left(share),
            keep_firing=_KEEP_TICKET,
        )
        for share in level.slo.alerts.budget_left
    )


def absent(subject: Subject) -> tuple[Alerting, ...]:
    """The indicator existed within the period and is gone."""
    level, recorded = subject.level, subject.recorded
    wait = level.slo.alerts.absent_for
    if wait is None:
        return ()
    existed = recorded.latest(naming.TOTAL_PERIOD)
    expr = f"{existed} unless {recorded.latest_base(naming.TOTAL_INCREASE)}"
    return (
        Alerting(
            alert=naming.ALERT_ABSENT,
            expr=expr,
            labels=_labels(level, AlertSeverity.TICKET),
            annotations=subject.wording.absent(),
            wait=wait,
        ),
    )


def incomplete(subject: Subject) -> tuple[Alerting, ...]:
    """The total is counted and the bad part is not: pages are blind."""
    level, recorded = subject.level, subject.recorded
    rates = f"{recorded.now(naming.TOTAL_RATE)} unless {recorded.now(naming.BAD_RATE)}"
    return (
        Alerting(
            alert=naming.ALERT_INCOMPLETE,
            expr=f"{rates} or {recorded.latest_base(naming.UNPAIRED)}",
            labels=_labels(level, AlertSeverity.TICKET),
            annotations=subject.wording.incomplete(),
            wait=_STUCK,
        ),
    )


def unproven(subject: Subject, counts: Expressions) -> tuple[Alerting, ...]:
    """The bad selector has never matched anything: it may be misspelt."""
    level, recorded = subject.level, subject.recorded
    if counts.part is not Part.BAD or counts.part_series is None or level.slo.indicator.proven:
        return ()
    traffic = f"{recorded.latest(naming.TOTAL_PERIOD)} > 0"
    return (
        Alerting(
            alert=naming.ALERT_UNPROVEN,
            expr=f"{traffic} unless {recorded.latest_base(naming.PROVEN)}",
            labels=_labels(level, INFO),
            annotations=subject.wording.unproven(),
            wait=_UNPROVEN_AFTER,
        ),
    )


def bucket_missing(subject: Subject) -> tuple[Alerting, ...]:
    """The histogram is there and the bucket at the threshold is not."""
    level = subject.level
    latency = level.slo.indicator.measure
    if not isinstance(latency, Latency) or latency.native:
        return ()
    there, at_bound = count_selector(latency), bucket_selector(latency)
    expr = f"{_count(level, there)} unless on () {_count(level, at_bound)}"
    return (
        Alerting(
            alert=naming.ALERT_BUCKET,
            expr=expr,
            labels=_labels(level, AlertSeverity.TICKET),
            annotations=subject.wording.bucket_missing(latency),
            wait=_STUCK,
        ),
    )


def _burn(subject: Subject, pair: BurnPair) -> Alerting:
    level, recorded = subject.level, subject.recorded
    threshold = decimal_text(pair.factor * level.slo.objective.error_budget)
    sides = [f"{_ratio(recorded, window)} > {threshold}" for window in (pair.long, pair.short)]
    guard = _evidence(recorded, pair.long, _guard(level, pair.severity), level)
    return Alerting(
        alert=naming.ALERT_BURN,
        expr=" and ".join([*sides, *guard]),
        labels=_labels(level, pair.severity, long=str(pair.long), short=str(pair.short)),
        annotations=subject.wording.burn(pair),
        keep_firing=_KEEP_PAGE if pair.severity is AlertSeverity.PAGE else _KEEP_TICKET,
    )


def _ratio(recorded: Recorded, window: Duration) -> str:
    # The short ones stand in the same group, just recorded; a kept one would outlive its traffic.
    name = naming.error_ratio(window)
    return recorded.series(name) if is_short(window) else recorded.latest(name)


def _guard(level: ServiceLevel, severity: AlertSeverity) -> AlertGuard:
    alerts = level.slo.alerts
    return alerts.page if severity is AlertSeverity.PAGE else alerts.ticket


def _evidence(
    recorded: Recorded, window: Duration, guard: AlertGuard, level: ServiceLevel
) -> list[str]:
    """The counts a pair wants to see in its long window besides the burn."""
    wanted = [
        f"{_events(recorded, total, slots, window, level)} >= {least}"
        for total, slots, least in (
            (naming.TOTAL_RATE, naming.TOTAL_INCREASE, guard.min_events),
            (naming.BAD_RATE, naming.BAD_INCREASE, guard.min_bad),
        )
        if least
    ]
    return [f"({' or '.join(wanted)})"] if wanted else []


def _events(
    recorded: Recorded, rate: str, increase: str, window: Duration, level: ServiceLevel
) -> str:
    if not is_short(window):
        return recorded.total(increase, window)
    interval = Fraction(fast_interval(level.slo.indicator.scrape_interval).milliseconds, 1000)
    return f"{recorded.total(rate, window)} * {decimal_text(interval)}"


def _count(level: ServiceLevel, selector: Selector) -> str:
    sets = matcher_sets(level.environment.clusters)
    return f"count({' or '.join(str(selector.with_matchers(one)) for one in sets)})"


def _labels(level: ServiceLevel, severity: str, **more: str) -> Mapping[str, str]:
    slo = level.slo
    labels = {
        **level.app.labels,
        **slo.labels,
        **slo.alerts.labels,
        **more,
        naming.TEAM: level.app.team,
        "severity": str(severity),
        **naming.identity(level.key),
    }
    # A server expands templates in the labels of alerts, too.
    return {name: literal(value) for name, value in labels.items()}
