"""Selectors that an environment's labels leave nothing to select."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from slo.loader.intake import Intake
from slo.loader.words import listed
from slo.model import (
    App,
    Cluster,
    Events,
    Latency,
    Measure,
    Probe,
    Ratio,
    ServiceLevel,
    Slices,
)
from slo.printable import quote
from slo.problems import Span, warning
from slo.promql import Query, Selector


def check_contradictions(app: App, intake: Intake) -> None:
    """Warn of selectors that ask for one value of a label where the environment has another."""
    found: dict[tuple[str, Span | None], list[str]] = defaultdict(list)
    for level in app.levels():
        for selector in _selectors(level.slo.indicator.measure):
            label = _contradicted(selector, level.environment.clusters)
            if label is not None:
                found[_message(level, selector, label), level.slo.span].append(
                    level.environment.name
                )
    for (message, span), names in found.items():
        hint = "leave the matcher out of the query, or turn the SLO off there (enabled: false)"
        intake.problems.append(
            warning("query/no-match", f"{message} in {listed(names)}", span, hint=hint)
        )


def _message(level: ServiceLevel, selector: Selector, label: str) -> str:
    return (
        f"{quote(str(selector))} of SLO {level.slo.name} selects nothing: {quote(label)} has "
        "another value"
    )


def _contradicted(selector: Selector, clusters: Sequence[Cluster]) -> str | None:
    """Return the label whose value no cluster of an environment has."""
    for matcher in selector.matchers:
        if matcher.op == "=" and all(
            cluster.match.get(matcher.name, matcher.value) != matcher.value for cluster in clusters
        ):
            return matcher.name
    return None


def _selectors(measure: Measure) -> Iterator[Selector]:
    for query in _queries(measure):
        if query is not None:
            yield from query.selectors


def _queries(measure: Measure) -> tuple[Query | None, ...]:
    match measure:
        case Events():
            return measure.total, measure.bad, measure.good
        case Latency():
            return (measure.histogram,)
        case Ratio():
            return measure.error, measure.good, measure.weight
        case Slices():
            return (measure.expr,)
        case Probe():
            return (measure.selector,)
    return ()
