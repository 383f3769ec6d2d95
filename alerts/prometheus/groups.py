"""The rule groups of a service level, split by what they read and how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace

from alerts.prometheus import alerting, recording
from alerts.prometheus.alerting import Subject
from alerts.prometheus.recorded import Recorded
from alerts.prometheus.rules import MAX_RULES, Group, Rule
from slo import naming
from slo.counters import is_counted, over_counters, paced
from slo.evaluate import windows_of
from slo.ledger import Expressions, expressions
from slo.model import ServiceLevel, SloKey
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT, Catalogue, fast_interval, is_short, usable_pairs
from slo.workspace import Links

_META_INTERVAL = Duration.parse("1m")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSettings:
    """What an installation decides about every rule.

    ``above_shards`` splits base rules, which run where the raw series are, from everything else,
    which runs on a ruler that sees all shards; ``shard_labels`` tell those apart there.
    ``query_offset`` delays every rule for late samples, on servers that know it. ``counters`` says
    that `headroom serve` gives the server counters of what it cannot read itself.
    """

    catalogue: Catalogue
    links: Links = field(default_factory=Links)
    query_offset: Duration | None = None
    above_shards: bool = False
    shard_labels: tuple[str, ...] = ()
    counters: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rules that belong together, however many: they become one group or several."""

    part: str
    interval: Duration
    rules: tuple[Rule, ...]
    reads_raw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRules:
    """The rules of one service level: ``base`` reads raw series, ``derived`` recorded ones.

    On one server both go into one file and ``derived`` completes the sections of ``base``.
    """

    key: SloKey
    base: tuple[Section, ...]
    derived: tuple[Section, ...]


def service_rules(level: ServiceLevel, settings: RuleSettings) -> ServiceRules | None:
    """Every rule of a service level; ``None`` when Prometheus cannot compute its indicator."""
    counted = settings.counters and is_counted(level)
    counts = expressions(over_counters(level) if counted else level)
    if counts is None:
        return None
    # What it counts stays its own, so that its revision changes with its queries.
    level = paced(level) if counted else level
    recorded = Recorded(
        key=level.key, above_shards=settings.above_shards, shard_labels=settings.shard_labels
    )
    subject = Subject(level=level, recorded=recorded, links=settings.links)
    return ServiceRules(
        key=level.key,
        base=_base(subject, counts),
        derived=_derived(subject, counts, settings),
    )


def derived_rules(level: ServiceLevel, settings: RuleSettings) -> ServiceRules:
    """The rules that read recorded series alone, whoever records the base of a service level.

    What counts an indicator that Prometheus cannot compute records the same base series.
    """
    recorded = Recorded(
        key=level.key, above_shards=settings.above_shards, shard_labels=settings.shard_labels
    )
    subject = Subject(level=level, recorded=recorded, links=settings.links)
    return ServiceRules(key=level.key, base=(), derived=_derived(subject, None, settings))


def joined(rules: ServiceRules) -> tuple[Group, ...]:
    """Base and derived rules as groups of one server: sections of one part become one.

    A derived rule then sees what the base rule before it has just recorded.
    """
    sections: dict[str, Section] = {}
    for section in (*rules.base, *rules.derived):
        before = sections.get(section.part)
        sections[section.part] = (
            section
            if before is None
            else replace(
                before,
                rules=before.rules + section.rules,
                reads_raw=before.reads_raw or section.reads_raw,
            )
        )
    return groups_of(rules.key, tuple(sections.values()))


def groups_of(key: SloKey, sections: Sequence[Section]) -> tuple[Group, ...]:
    """Sections as groups that every server accepts; a long one goes on in a second group."""
    return tuple(
        Group(
            name=naming.group_name(key, section.part if start == 0 else f"{section.part}-{number}"),
            interval=section.interval,
            rules=section.rules[start : start + MAX_RULES],
            reads_raw=section.reads_raw,
        )
        for section in sections
        for number, start in enumerate(range(0, len(section.rules), MAX_RULES), start=1)
    )


def _base(subject: Subject, counts: Expressions) -> tuple[Section, ...]:
    level = subject.level
    slots: tuple[Rule, ...] = (
        *recording.ledger(level, counts),
        *recording.proven(level, counts),
        *alerting.bucket_missing(subject),
    )
    return (
        Section(
            part="fast",
            interval=fast_interval(level.slo.indicator.scrape_interval),
            rules=recording.fast_pair(level, counts),
            reads_raw=True,
        ),
        Section(
            part="ledger",
            interval=LEDGER_SLOT,
            rules=slots,
            reads_raw=True,
        ),
    )


def _derived(
    subject: Subject, counts: Expressions | None, settings: RuleSettings
) -> tuple[Section, ...]:
    level, recorded = subject.level, subject.recorded
    pairs = usable_pairs(level, settings.catalogue).pairs
    windows = windows_of(level, settings.catalogue)
    short = [window for window in windows if is_short(window)]
    long = [window for window in windows if not is_short(window)]
    urgent = [pair for pair in pairs if is_short(pair.short)]
    slow = [pair for pair in pairs if not is_short(pair.short)]
    return (
        Section(
            part="fast",
            interval=fast_interval(level.slo.indicator.scrape_interval),
            rules=(*recording.short_ratios(recorded, short), *alerting.burn(subject, urgent)),
        ),
        Section(
            part="ledger",
            interval=LEDGER_SLOT,
            # The period first: its rules read each other's samples of this very moment.
            rules=(
                *recording.period(level, recorded),
                *recording.long_ratios(recorded, long),
            ),
        ),
        Section(
            part="meta",
            interval=_META_INTERVAL,
            rules=(
                *recording.constants(level),
                *alerting.burn(subject, slow),
                *alerting.budget_left(subject),
                *alerting.absent(subject),
                *alerting.incomplete(subject),
                *(() if counts is None else alerting.unproven(subject, counts)),
            ),
        ),
    )
