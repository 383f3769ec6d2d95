"""Latency SLOs out of classic histograms: the threshold is a bucket near the 99th percentile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from app.prometheus_view import DAY, HOUR
from app.scaffold.conventions import Durations
from app.scaffold.objectives import propose, threshold
from app.scaffold.proposals import Owner, SloProposal, measured
from app.scaffold.server import Server
from slo.model import TimeUnit
from slo.numerals import decimal_text
from slo.promql import Selector
from slo.units import Duration

Buckets = dict[Decimal, Fraction]
_INFINITY = Decimal("Infinity")


def latency_slos(
    server: Server, durations: Durations, by: Sequence[str], passed_over: list[str]
) -> Iterator[SloProposal]:
    """Yield one proposal for each owner of a histogram; raises ``SourceError``."""
    series = Selector(metric=f"{durations.metric}_bucket", matchers=durations.where)
    labels = (*by, "le")
    grouping = ", ".join(labels)
    counts, window = server.over_a_day(f"sum by ({grouping}) (increase({series}[@RANGE@]))", labels)
    holders = server.grouped(f"count by ({grouping}) (last_over_time({series}[{HOUR}]))", labels)
    everywhere = _common(_by_owner(holders))
    for values, buckets in sorted(_by_owner(counts).items()):
        if not values[-1] or values not in everywhere:
            continue
        owner = Owner.of(by, values)
        usable = {bound: buckets[bound] for bound in buckets if bound in everywhere[values]}
        slo = _proposal(server, durations, owner, usable, window)
        if slo is None:
            passed_over.append(f"{durations.metric} of {owner}: too few requests or buckets")
        else:
            yield slo


def _proposal(
    server: Server, durations: Durations, owner: Owner, buckets: Buckets, window: Duration
) -> SloProposal | None:
    total = buckets.get(_INFINITY, Fraction(0))
    finite = {bound: count for bound, count in buckets.items() if bound.is_finite()}
    per_second = 1000 if durations.unit is TimeUnit.MILLISECONDS else 1
    chosen = threshold(finite, total, per_second=per_second)
    if chosen is None:
        return None
    bound, fast = chosen
    days = Fraction(window.milliseconds, DAY.milliseconds)
    objective = propose(total, total - fast, days=days)
    selector = Selector(metric=durations.metric, matchers=(*durations.where, *owner.matchers))
    counted = selector.with_metric(f"{durations.metric}_count")
    series = server.count(counted)
    if objective is None or not series:
        return None
    length = Duration(milliseconds=int(bound * 1000 / per_second))
    known = sorted(finite)
    indicator = {
        "histogram": str(selector),
        "threshold": str(length),
        "buckets": f"[{', '.join(decimal_text(Fraction(each)) for each in known)}]",
    }
    if durations.unit is TimeUnit.MILLISECONDS:
        indicator["unit"] = str(durations.unit)
    return SloProposal(
        owner=owner,
        kind="latency",
        family=durations.family,
        objective=objective,
        traffic=total,
        comments=(
            f"The query matched {series} series with {len(known)} finite buckets.",
            measured(window, total, total - fast, "requests", f"within {length}", objective),
        ),
        indicator={"latency": indicator},
    )


def _by_owner(
    values: Mapping[tuple[str, ...], Fraction],
) -> dict[tuple[str, ...], Buckets]:
    """Return values by owner and boundary; `1` and `1.0` are one boundary."""
    found: dict[tuple[str, ...], Buckets] = defaultdict(dict)
    for labels, value in values.items():
        try:
            bound = Decimal(labels[-1].replace("+Inf", "Infinity"))
        except InvalidOperation:
            continue
        buckets = found[labels[:-1]]
        buckets[bound] = buckets.get(bound, Fraction(0)) + value
    return found


def _common(holders: Mapping[tuple[str, ...], Buckets]) -> dict[tuple[str, ...], set[Decimal]]:
    """Return the boundaries that all of an owner's series have: others would lose requests."""
    return {
        owner: {bound for bound, count in buckets.items() if count == max(buckets.values())}
        for owner, buckets in holders.items()
    }
