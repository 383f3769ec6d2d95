"""Groups stay small, whatever an installation's catalogue holds."""

from dataclasses import replace
from fractions import Fraction

from alerts.prometheus.groups import RuleSettings, joined, service_rules
from alerts.prometheus.rules import MAX_RULES, Recording
from slo import naming
from slo.model import AlertSeverity, BurnPair
from slo.units import Duration
from tests import builders

SETTINGS = RuleSettings(catalogue=builders.CATALOGUE)


def many_pairs(count: int) -> tuple[BurnPair, ...]:
    return tuple(
        BurnPair(
            severity=AlertSeverity.TICKET,
            long=Duration.parse(f"{number + 3}h"),
            short=Duration.parse("2h"),
            factor=Fraction(2),
        )
        for number in range(count)
    )


def test_a_long_list_of_pairs_goes_on_in_further_groups() -> None:
    """Mimir refuses a group of more than twenty rules, and none is lost on the way."""
    level = builders.level(replace(builders.slo(), pairs=many_pairs(30)))
    rules = service_rules(level, SETTINGS)
    assert rules is not None

    groups = joined(rules)

    sections = sum(len(section.rules) for section in (*rules.base, *rules.derived))
    assert sections == sum(len(group.rules) for group in groups)
    assert MAX_RULES >= max(len(group.rules) for group in groups)
    assert len(groups) == len({group.name for group in groups})


def test_rules_of_the_period_stand_behind_the_slots_they_sum_in_the_same_group() -> None:
    """A budget that read the slot before would be five minutes late, or stale."""
    level = builders.level(replace(builders.slo(), pairs=many_pairs(30)))
    rules = service_rules(level, SETTINGS)
    assert rules is not None
    ledger = next(group for group in joined(rules) if group.name.endswith("/ledger"))
    names = [rule.record for rule in ledger.rules if isinstance(rule, Recording)]

    order = (naming.TOTAL_INCREASE, naming.BAD_INCREASE, naming.TOTAL_PERIOD, naming.PERIOD_RATIO)
    places = [names.index(name) for name in order]

    assert sorted(places) == places
