"""Whether a histogram is of the declared kind, and its threshold one of its buckets."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from app.live_checks.scopes import Scope
from app.live_checks.selectors import check_selector
from slo.ledger import bucket_selector, count_selector
from slo.model import Latency, TimeUnit
from slo.printable import quote
from slo.problems import Severity
from slo.promql import Selector
from slo.suggest import did_you_mean
from slo.units import Duration

_RECENT = "[15m]"


def check_latency(scope: Scope, latency: Latency) -> None:
    """Report a histogram that cannot give the share of requests below the threshold."""
    selector = latency.histogram.plain
    if selector is None or selector.metric is None:
        return
    if latency.native:
        _check_native(scope, selector, selector.metric)
    else:
        _check_classic(scope, latency, selector, selector.metric)


def _check_native(scope: Scope, selector: Selector, metric: str) -> None:
    names = scope.server.names
    if metric not in names and f"{metric}_bucket" in names:
        scope.report(
            "live/histogram-kind",
            Severity.ERROR,
            f"{quote(metric)} is a classic histogram on the server, not a native one",
            hint="leave out native: true, and choose a threshold that is one of its buckets",
        )
        return
    if not check_selector(scope, selector):
        return
    full = f"last_over_time({scope.select(selector)}{_RECENT})"
    if scope.server.number(f"count({full})") and not scope.server.number(
        f"count(histogram_count({full}))"
    ):
        scope.report(
            "live/histogram-kind",
            Severity.ERROR,
            f"{quote(metric)} holds plain numbers on the server, not native histograms",
            hint="name the histogram's base; is storing native histograms turned on?",
        )


def _check_classic(scope: Scope, latency: Latency, selector: Selector, metric: str) -> None:
    names = scope.server.names
    if f"{metric}_bucket" not in names:
        _report_no_buckets(scope, metric, names)
        return
    if not check_selector(scope, count_selector(latency)):
        return
    buckets = scope.server.buckets(scope.select(selector))
    if latency.bound in buckets:
        _check_everywhere(scope, latency, metric)
        return
    choices = [_duration(each, latency.unit) for each in _nearest(buckets, latency.bound)]
    plural = "boundaries are" if len(choices) > 1 else "boundary is"
    scope.report(
        "live/bucket-boundary",
        Severity.ERROR,
        f"{latency.threshold} is no bucket boundary of {quote(metric)} on the server",
        hint=f"the nearest {plural} {' and '.join(choices)}"
        if choices
        else "it has no finite buckets there",
    )


def _report_no_buckets(scope: Scope, metric: str, names: frozenset[str]) -> None:
    if f"{metric}_count" in names:
        scope.report(
            "live/histogram-kind",
            Severity.ERROR,
            f"{quote(metric)} has no buckets on the server: it is a summary, or they are dropped",
            hint="a summary cannot tell the share of requests below a threshold",
        )
    elif metric in names:
        scope.report(
            "live/histogram-kind",
            Severity.ERROR,
            f"{quote(metric)} is no classic histogram on the server",
            hint="if it is a native one, say native: true",
        )
    else:
        known = [name.removesuffix("_bucket") for name in names if name.endswith("_bucket")]
        scope.report(
            "live/unknown-metric",
            Severity.ERROR,
            f"there is no histogram {quote(metric)}{did_you_mean(metric, sorted(known))}",
        )


def _check_everywhere(scope: Scope, latency: Latency, metric: str) -> None:
    """Report series whose requests would all count as slow, for they lack the bucket."""
    counted = f"last_over_time({scope.select(count_selector(latency))}{_RECENT})"
    bucket = f"last_over_time({scope.select(bucket_selector(latency))}{_RECENT})"
    lacking = scope.server.number(f"count({counted} unless ignoring (le) {bucket})")
    if lacking:
        total = scope.server.number(f"count({counted})")
        scope.report(
            "live/bucket-boundary",
            Severity.ERROR,
            f"{lacking} of {total} series of {quote(metric)} have no bucket at "
            f"{latency.threshold}; their requests would all count as slow",
            hint="choose a boundary that all of them have, or select those that have it",
        )


def _nearest(buckets: Sequence[Decimal], bound: Decimal) -> list[Decimal]:
    below = max((each for each in buckets if each < bound), default=None)
    above = min((each for each in buckets if each > bound), default=None)
    return [each for each in (below, above) if each is not None]


def _duration(bound: Decimal, unit: TimeUnit) -> str:
    """Return a boundary as a threshold is written, or as a number when that is too fine."""
    milliseconds = bound if unit is TimeUnit.MILLISECONDS else bound * 1000
    whole = int(milliseconds)
    return str(Duration(milliseconds=whole)) if whole == milliseconds else f"{bound} {unit}"
