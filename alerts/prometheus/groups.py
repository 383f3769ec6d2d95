"""The rule groups of a service level, split by what they read and how often."""

from __future__ import annotations

from dataclasses import dataclass, field

from alerts.prometheus import alerting, recording
from alerts.prometheus.alerting import Subject
from alerts.prometheus.recorded import Recorded
from alerts.prometheus.rules import Group, Rule
from slo import naming
from slo.evaluate import windows_of
from slo.ledger import Expressions, expressions
from slo.model import ServiceLevel
from slo.units import Duration
from slo.windows import LEDGER_SLOT, Catalogue, fast_interval, is_short, usable_pairs
from slo.workspace import Links

_META_INTERVAL = Duration.parse("1m")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """What an installation decides about every rule.

    ``above_shards`` splits base rules, which run where the raw series are, from everything else,
    which runs on a ruler that sees all shards; ``shard_labels`` tell those apart there.
    ``query_offset`` delays every rule for late samples, on servers that know it.
    """

    catalogue: Catalogue
    links: Links = field(default_factory=Links)
    query_offset: Duration | None = None
    above_shards: bool = False
    shard_labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRules:
    """The groups of one service level: ``base`` reads raw series, ``derived`` recorded ones.

    On one server both go into one file and ``derived`` completes the groups of ``base``.
    """

    base: tuple[Group, ...]
    derived: tuple[Group, ...]


def service_rules(level: ServiceLevel, settings: RuleSettings) -> ServiceRules | None:
    """Every rule of a service level; ``None`` when Prometheus cannot compute its indicator."""
    counts = expressions(level)
    if counts is None:
        return None
    recorded = Recorded(
        key=level.key, above_shards=settings.above_shards, shard_labels=settings.shard_labels
    )
    subject = Subject(level=level, recorded=recorded, links=settings.links)
    return ServiceRules(
        base=_base(subject, counts),
        derived=_derived(subject, counts, settings),
    )


def joined(rules: ServiceRules) -> tuple[Group, ...]:
    """Base and derived rules as groups of one server: equal names become one group.

    A derived rule then sees what the base rule before it has just recorded.
    """
    groups: dict[str, Group] = {}
    for group in (*rules.base, *rules.derived):
        before = groups.get(group.name)
        groups[group.name] = (
            group
            if before is None
            else Group(
                name=group.name,
                interval=group.interval,
                rules=before.rules + group.rules,
                reads_raw=before.reads_raw or group.reads_raw,
            )
        )
    return tuple(groups.values())


def _base(subject: Subject, counts: Expressions) -> tuple[Group, ...]:
    level = subject.level
    slots: tuple[Rule, ...] = (
        *recording.ledger(level, counts),
        *recording.proven(level, counts),
        *alerting.bucket_missing(subject),
    )
    return (
        Group(
            name=naming.group_name(level.key, "fast"),
            interval=fast_interval(level.slo.indicator.scrape_interval),
            rules=recording.fast_pair(level, counts),
            reads_raw=True,
        ),
        Group(
            name=naming.group_name(level.key, "ledger"),
            interval=LEDGER_SLOT,
            rules=slots,
            reads_raw=True,
        ),
    )


def _derived(subject: Subject, counts: Expressions, settings: RuleSettings) -> tuple[Group, ...]:
    level, recorded = subject.level, subject.recorded
    pairs = usable_pairs(level, settings.catalogue).pairs
    windows = windows_of(level, settings.catalogue)
    short = [window for window in windows if is_short(window)]
    long = [window for window in windows if not is_short(window)]
    urgent = [pair for pair in pairs if is_short(pair.short)]
    slow = [pair for pair in pairs if not is_short(pair.short)]
    return (
        Group(
            name=naming.group_name(level.key, "fast"),
            interval=fast_interval(level.slo.indicator.scrape_interval),
            rules=(*recording.short_ratios(recorded, short), *alerting.burn(subject, urgent)),
        ),
        Group(
            name=naming.group_name(level.key, "ledger"),
            interval=LEDGER_SLOT,
            rules=(*recording.long_ratios(recorded, long), *recording.period(level, recorded)),
        ),
        Group(
            name=naming.group_name(level.key, "meta"),
            interval=_META_INTERVAL,
            rules=(
                *recording.constants(level),
                *alerting.burn(subject, slow),
                *alerting.budget_left(subject),
                *alerting.absent(subject),
                *alerting.incomplete(subject),
                *alerting.unproven(subject, counts),
            ),
        ),
    )
