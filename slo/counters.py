"""Service levels over the counters that `headroom serve` makes of what Prometheus cannot read.

Log records, spans and what other products count become two counters. Rules, alerts and dashboards
over them are those of an indicator that counts events by such a pair.
"""

from __future__ import annotations

from dataclasses import replace

from slo import naming
from slo.model import Cluster, Events, External, Logs, ServiceLevel, Spans
from slo.promql import Matcher, Query, QueryProblem, parse_query, selector_text
from slo.units import Duration

RECORDS_STEP = Duration.parse("1m")
"""How finely log records and spans are counted."""

EXTERNAL_STEP = Duration.parse("5m")
"""How finely other products are asked to count."""

# A rate looks back over four scrapes: over one step of such a counter, which rises once in it.
_SLOWEST_SCRAPE = Duration(milliseconds=EXTERNAL_STEP.milliseconds // 4)


def is_counted(level: ServiceLevel) -> bool:
    """Whether Prometheus knows a service level by its counters alone."""
    return isinstance(level.slo.indicator.measure, Logs | Spans | External)


def step_of(level: ServiceLevel) -> Duration:
    """How finely a service level's events are counted."""
    external = isinstance(level.slo.indicator.measure, External)
    return EXTERNAL_STEP if external else RECORDS_STEP


def paced(level: ServiceLevel) -> ServiceLevel:
    """The same service level, its scrape interval no shorter than its counters can use.

    Its measure stays, and with it the revision.
    """
    indicator = level.slo.indicator
    if not isinstance(indicator.measure, External) or indicator.scrape_interval >= _SLOWEST_SCRAPE:
        return level
    slower = replace(indicator, scrape_interval=_SLOWEST_SCRAPE)
    return replace(level, slo=replace(level.slo, indicator=slower))


def over_counters(level: ServiceLevel) -> ServiceLevel:
    """The service level as Prometheus computes it: events by the two counters of its identity.

    Counters are made of all clusters together, and of what an ``offset`` leaves.
    """
    slow = paced(level)
    labels = naming.identity(level.key)
    measure = Events(
        total=_selector(naming.EVENTS_TOTAL, labels),
        good=_selector(naming.GOOD_EVENTS_TOTAL, labels),
    )
    indicator = replace(slow.slo.indicator, measure=measure, offset=None, source=None)
    environment = replace(level.environment, clusters=(Cluster(name=level.environment.name),))
    return replace(slow, slo=replace(slow.slo, indicator=indicator), environment=environment)


def _selector(name: str, labels: dict[str, str]) -> Query:
    matchers = tuple(Matcher(name=label, value=value) for label, value in labels.items())
    parsed = parse_query(selector_text(name, matchers))
    assert not isinstance(parsed, QueryProblem), "names hold no character that needs care"
    return parsed
