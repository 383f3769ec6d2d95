"""Whether a selector selects anything, and which part of it is to blame when it does not."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import Enum

from app.live_checks.findings import listing
from app.live_checks.scopes import Scope
from app.prometheus_view import DAY, HOUR
from slo.printable import quote
from slo.problems import Severity
from slo.promql import Matcher, Selector
from slo.suggest import did_you_mean

_MOST_VALUES = 6
_MOST_MATCHERS = 10


class Need(Enum):
    """Whether a selector must select something, or may wait for the first failure."""

    SERIES = "series"
    FAILURES = "failures"


def check_selector(scope: Scope, selector: Selector, need: Need = Need.SERIES) -> bool:
    """Report what is wrong with a selector; tell whether it selected anything within an hour."""
    full = scope.select(selector)
    if scope.server.matches(full, HOUR):
        _check_effect(scope, selector)
        return True
    if scope.server.matches(full, DAY):
        if need is Need.SERIES:
            scope.report(
                "live/series-gone",
                Severity.WARNING,
                f"{quote(str(selector))} matched series in the last day and none in the last hour",
                hint="is the target still scraped?",
            )
        return False
    # The author vouches for a selector that has never matched.
    if need is Need.SERIES or not scope.level.slo.indicator.proven:
        _Absence(scope, selector, need).report()
    return False


class _Absence:
    """The search for why a selector selects nothing."""

    def __init__(self, scope: Scope, selector: Selector, need: Need) -> None:
        self._scope = scope
        self._server = scope.server
        self._selector = selector
        self._need = need

    def report(self) -> None:
        """Report the first reason that explains it, from the metric to the single matcher."""
        metric = self._selector.metric
        if metric is not None and metric not in self._server.names:
            message = f"there is no metric {quote(metric)}"
            self._say("live/unknown-metric", message + did_you_mean(metric, self._server.names))
        elif metric is not None and not self._server.matches(self._bare(metric), DAY):
            labels = ", ".join(map(str, self._scope.matchers))
            message = f"{quote(metric)} has had no series in the last day"
            where = f" with the environment's labels {labels}" if labels else ""
            self._say("live/no-series", message + where)
        elif not self._unknown_labels():
            self._blame()

    def _bare(self, metric: str) -> Selector:
        return self._scope.select(Selector(metric=metric))

    def _unknown_labels(self) -> bool:
        if self._selector.metric is None:
            return False
        present = self._server.labels(self._bare(self._selector.metric))
        missing = [
            each
            for each in self._selector.matchers
            if each.name not in present and not _accepts_nothing(each)
        ]
        for each in missing:
            self._scope.report(
                "live/unknown-label",
                Severity.ERROR,
                f"{quote(self._selector.metric)} has no label {quote(each.name)}"
                + did_you_mean(each.name, present),
                hint=f"its labels are {listing(present, 20)}" if present else None,
            )
        return bool(missing)

    def _blame(self) -> None:
        culprits = [
            each
            for each in self._selector.matchers[:_MOST_MATCHERS]
            if self._server.matches(self._scope.select(_without(self._selector, each)), DAY)
        ]
        message = f"{quote(str(self._selector))} has matched nothing in the last day"
        if len(culprits) == 1:
            message += f"; without {culprits[0]} it does"
        elif culprits:
            message += f"; it does without either of {', '.join(map(str, culprits))}"
        elif len(self._selector.matchers) > 1:
            message += "; several of its matchers are to blame together"
        hints = [self._values(each) for each in culprits[:2]]
        self._say("live/no-series", message, hint="; ".join(hints) or None)

    def _values(self, matcher: Matcher) -> str:
        without = self._scope.select(_without(self._selector, matcher))
        values = self._server.values(matcher.name, without)
        near = did_you_mean(matcher.value, values) if matcher.op == "=" else ""
        shown = listing([quote(value) for value in values], _MOST_VALUES)
        return f"{matcher.name} is {shown or 'not set'} there{near}"

    def _say(self, id_: str, message: str, *, hint: str | None = None) -> None:
        if self._need is Need.SERIES:
            self._scope.report(id_, Severity.ERROR, message, hint=hint)
            return
        advice = "if it is right and nothing has failed yet, say proven: true in the indicator"
        self._scope.report(
            "live/unproven",
            Severity.WARNING,
            f"the selector of failures is unproven: {message}",
            hint=advice if hint is None else f"{hint}; {advice}",
        )


def _check_effect(scope: Scope, selector: Selector) -> None:
    """Report a matcher that excludes values of a label which no series has."""
    excluding = [each for each in selector.matchers if each.op in {"!=", "!~"}]
    if not excluding or selector.metric is None:
        return
    present = scope.server.labels(scope.select(Selector(metric=selector.metric)))
    for each in excluding:
        if each.name not in present and _accepts_nothing(each):
            scope.report(
                "live/unknown-label",
                Severity.WARNING,
                f"{each} has no effect: {quote(selector.metric)} has no label "
                f"{quote(each.name)}{did_you_mean(each.name, present)}",
            )


def _without(selector: Selector, matcher: Matcher) -> Selector:
    kept = tuple(each for each in selector.matchers if each != matcher)
    if selector.metric is None and not kept:
        return selector
    return replace(selector, matchers=kept)


def _accepts_nothing(matcher: Matcher) -> bool:
    """Tell whether a series without the label passes."""
    if matcher.op in {"=", "!="}:
        return (matcher.value == "") == (matcher.op == "=")
    try:
        empty = re.fullmatch(matcher.value, "") is not None
    except re.error:  # Go's dialect has forms of its own; those are hardly ever empty
        empty = False
    return empty == (matcher.op == "=~")
