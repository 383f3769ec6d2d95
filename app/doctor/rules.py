"""Whether a server has our groups of rules loaded, evaluates them, and does so in time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from alerts.prometheus.groups import RuleSettings, joined, service_rules
from app.doctor.model import Check, fail, ok, skipped, warn
from collectors.readers.prometheus.metadata import PrometheusMetadata, RuleGroup
from slo.model import ServiceLevel

_MOST = 3
_GRACE = timedelta(minutes=1)

Loaded = Mapping[str, Sequence[RuleGroup]]
"""Groups by name; two files may hold groups of one name."""


def rules_checks(
    name: str,
    metadata: PrometheusMetadata,
    levels: Sequence[ServiceLevel],
    settings: RuleSettings,
    at: datetime,
) -> list[Check]:
    """Compare what a server runs with what the service levels need, as of its own time.

    Raises ``SourceError`` when it does not tell.
    """
    expected = list(_expected(levels, settings))
    if not expected:
        return [skipped(name, "no SLO is computed by it")]
    groups: dict[str, list[RuleGroup]] = defaultdict(list)
    for group in metadata.rules():
        groups[group.name].append(group)
    return judge(name, expected, groups, at)


def judge(name: str, expected: Sequence[str], groups: Loaded, at: datetime) -> list[Check]:
    """Return what is wrong with the expected groups, or one check that nothing is."""
    missing = [each for each in expected if each not in groups]
    if len(missing) == len(expected):
        return [
            warn(
                name,
                f"none of our {len(expected)} groups is loaded, so nothing is recorded or alerts",
                "headroom generate and headroom publish rules; until then status reads raw series",
            )
        ]
    ours = [group for each in expected for group in groups.get(each, ())]
    found = [
        *_missing(name, missing, len(expected)),
        *_unhealthy(name, ours),
        *_late(name, ours, at),
    ]
    return found or [ok(name, f"{len(expected)} groups are loaded and healthy")]


def _expected(levels: Sequence[ServiceLevel], settings: RuleSettings) -> Iterator[str]:
    for level in levels:
        rules = service_rules(level, settings)
        if rules is not None:
            yield from (group.name for group in joined(rules) if group.rules)


def _missing(name: str, missing: Sequence[str], count: int) -> Iterator[Check]:
    if missing:
        message = f"{len(missing)} of {count} groups are not loaded: {_shown(missing)}"
        yield fail(name, message, "headroom generate, then headroom publish rules")


def _unhealthy(name: str, groups: Sequence[RuleGroup]) -> Iterator[Check]:
    broken = [(group, rule) for group in groups for rule in group.rules if rule.health == "err"]
    if broken:
        group, rule = broken[0]
        message = f"{len(broken)} rules fail, first {rule.name} in {group.name}: {rule.last_error}"
        yield fail(name, message, "headroom validate --prometheus URL looks for the cause")


def _late(name: str, groups: Sequence[RuleGroup], at: datetime) -> Iterator[Check]:
    never = [group.name for group in groups if group.last_evaluation is None]
    late = [group.name for group in groups if _is_late(group, at)]
    slow = [group.name for group in groups if 0 < group.interval < group.duration]
    if late:
        message = f"{len(late)} groups have not been evaluated for three intervals: {_shown(late)}"
        yield fail(name, message, "is the server overloaded, or was it just started?")
    if never:
        message = f"{len(never)} groups have not been evaluated yet: {_shown(never)}"
        yield warn(name, message, "wait for one interval, at most 5 minutes, and ask again")
    if slow:
        message = f"{len(slow)} groups take longer than their interval: {_shown(slow)}"
        yield warn(name, message, "the server needs more room, or the indicators fewer series")


def _is_late(group: RuleGroup, at: datetime) -> bool:
    if group.last_evaluation is None:
        return False
    allowed = timedelta(seconds=float(3 * group.interval)) + _GRACE
    return at - group.last_evaluation > allowed


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
