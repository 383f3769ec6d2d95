"""What is evaluated: the groups of rules of every service level that is read from the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from alerts.prometheus.groups import RuleSettings, derived_rules, groups_of, joined, service_rules
from alerts.prometheus.rules import Alerting, Group, Recording
from app.project import Project
from app.services.evaluations import STORE, default_reference
from collectors.readers.places import sources_of
from slo import naming
from slo.model import External, Logs, ServiceLevel, Spans
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT, base_window


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A pair of base series that is counted record by record, over a window that ends now.

    ``per_second`` makes rates of the counts.
    """

    total: str
    bad: str
    window: Duration
    per_second: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One group of rules of a level; ``counted`` is recorded before them."""

    level: ServiceLevel
    group: Group
    counted: Counted | None = None

    @property
    def is_ledger(self) -> bool:
        """Whether the slots of the ledger are recorded here."""
        if self.counted is not None:
            return self.counted.total == naming.TOTAL_INCREASE
        return any(_is_beat(rule) for rule in self.group.rules)


def turns(levels: Iterable[ServiceLevel], settings: RuleSettings) -> tuple[Turn, ...]:
    """Return every group of every level, in the order of evaluation.

    The ledger comes first: what alerts say of the budget that is left is of this very moment.
    """
    return tuple(
        turn
        for level in levels
        for turn in sorted(_of(level, settings), key=lambda turn: not turn.is_ledger)
    )


def levels_here(project: Project) -> tuple[ServiceLevel, ...]:
    """Return the levels that are read from the store alone; nobody else evaluates those."""
    space = project.workspace
    default = default_reference(space)
    found = []
    for level in project.catalog.levels():
        measure = level.slo.indicator.measure
        if isinstance(measure, External):
            continue
        records = isinstance(measure, Logs | Spans)
        unsaid = level.slo.indicator.source is None
        if project.one_source or (records and unsaid):
            here = space.store is not None and (records or default == STORE)
        else:
            here = sources_of(level, default) == (STORE,)
        if here:
            found.append(level)
    return tuple(found)


def recorded_names(all_turns: Sequence[Turn]) -> tuple[str, ...]:
    """Return the names of all series that are recorded."""
    names = {
        rule.record
        for turn in all_turns
        for rule in turn.group.rules
        if isinstance(rule, Recording)
    }
    for turn in all_turns:
        if turn.counted is not None:
            names |= {turn.counted.total, turn.counted.bad, naming.LEDGER_SLOT}
    return tuple(sorted(names))


def alert_rules(all_turns: Sequence[Turn]) -> tuple[tuple[Turn, Alerting], ...]:
    """Return every alerting rule with its turn."""
    return tuple(
        (turn, rule)
        for turn in all_turns
        for rule in turn.group.rules
        if isinstance(rule, Alerting)
    )


def _of(level: ServiceLevel, settings: RuleSettings) -> tuple[Turn, ...]:
    rules = service_rules(level, settings)
    if rules is not None:
        return tuple(Turn(level=level, group=group) for group in joined(rules))
    derived = derived_rules(level, settings).derived
    return tuple(
        Turn(level=level, group=group, counted=_counted(level, section.part) if not place else None)
        for section in derived
        for place, group in enumerate(groups_of(level.key, (section,)))
    )


def _counted(level: ServiceLevel, part: str) -> Counted | None:
    scrape = level.slo.indicator.scrape_interval
    if part == "fast":
        return Counted(
            total=naming.TOTAL_RATE,
            bad=naming.BAD_RATE,
            window=base_window(scrape),
            per_second=True,
        )
    if part == "ledger":
        return Counted(
            total=naming.TOTAL_INCREASE,
            bad=naming.BAD_INCREASE,
            window=LEDGER_SLOT,
            per_second=False,
        )
    return None


def _is_beat(rule: Recording | Alerting) -> bool:
    return isinstance(rule, Recording) and rule.record == naming.LEDGER_SLOT
