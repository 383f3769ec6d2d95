"""The PromQL that turns an indicator into counts: one pair for pages, one ledger for budgets.

Rules record these expressions; a reader may ask a server for them directly. Both get the same
numbers because both take the text from here.

A slot of the ledger is a telescoping difference per series, so that no increment falls between
two slots. With ``A`` the last value of the slot and ``B`` the last value before it, looking back
over a gap of ten minutes, the first of these that applies counts:

1. ``A - B``, unless the counter was reset;
2. ``A``, when the series is new on a target that was there before;
3. ``A``, when the series is new and younger than its target (not in a total whose bad part is
   counted: there it would cost more than it adds);
4. ``increase()``, for resets and for targets that are new altogether.

Measured against generated truth in ``tests/servers/test_ledger_truth.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import StrEnum

from slo.clusters import matcher_sets, pattern
from slo.model import (
    Comparison,
    Events,
    External,
    Indicator,
    Latency,
    Logs,
    Probe,
    Ratio,
    ServiceLevel,
    Slices,
    Spans,
)
from slo.promql import Matcher, Query, Selector, quote, render
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT, base_window

_LEG = "headroom_leg"
_LARGE, _SMALL = Decimal("1e6"), Decimal("1e-4")


class Part(StrEnum):
    """Which part of the total an indicator counts; the other one is the difference."""

    BAD = "bad"
    GOOD = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expressions:
    """The four expressions of a service level; each yields at most one sample without labels.

    ``total_rate`` and ``part_rate`` are events (or seconds) per second over the base window.
    ``total_increase`` and ``part_increase`` are events (or seconds) of the five-minute slot that
    ends at the evaluation. A part that yields nothing while its total does is zero.
    ``part_series`` counts the series that the part selects now, ``None`` where it is no selector.
    """

    part: Part
    total_rate: str
    part_rate: str
    total_increase: str
    part_increase: str
    part_series: str | None = None


def expressions(
    level: ServiceLevel,
    *,
    source: str | None = None,
    default_source: str | None = None,
    extra: Sequence[Matcher] = (),
) -> Expressions | None:
    """The expressions of a service level, or ``None`` when no Prometheus can compute it.

    With ``source`` only the clusters that it holds are summed; a cluster that names no source is
    held by ``default_source``. ``extra`` matchers are added to every selector.
    """
    measure = level.slo.indicator.measure
    # An indicator with a source of its own has all its clusters there.
    own = level.slo.indicator.source is not None
    clusters = matcher_sets(level.environment.clusters, None if own else source, default_source)
    if isinstance(measure, Logs | Spans | External) or not clusters:
        return None
    narrowed = tuple((*matchers, *extra) for matchers in clusters)
    scope = _Scope(indicator=level.slo.indicator, clusters=narrowed)
    match measure:
        case Events():
            return scope.events(measure)
        case Latency():
            return scope.native_latency(measure) if measure.native else scope.latency(measure)
        case Ratio():
            return scope.ratio(measure)
        case Slices():
            return scope.slices(measure.expr, measure.good_when, measure.slice)
        case Probe():
            works = Comparison(operator=">=", value=Decimal(1))
            return scope.slices(measure.selector, works, measure.slice)


def bucket_selector(latency: Latency) -> Selector:
    """The bucket series at a classic histogram's threshold, whichever way ``le`` is spelled.

    Prometheus 3 stores ``le="1"`` as ``le="1.0"``.
    """
    base = _histogram(latency)
    spellings = _spellings(latency.bound)
    matcher = (
        Matcher(name="le", value=spellings[0])
        if len(spellings) == 1
        else Matcher(name="le", op="=~", value=pattern(spellings))
    )
    return base.with_metric(f"{base.metric}_bucket").with_matchers((matcher,))


def _spellings(bound: Decimal) -> tuple[str, ...]:
    """A bucket's bound as clients write it and as servers store it.

    Prometheus 3 adds ``.0`` to whole numbers; Go writes an exponent from 1e6 up and below 1e-4.
    """
    plain = f"{bound.normalize():f}"
    found = [plain] if "." in plain else [plain, f"{plain}.0"]
    if bound >= _LARGE or bound < _SMALL:
        digits, _, exponent = f"{bound.normalize():e}".partition("e")
        found.append(f"{digits}e{exponent[0]}{exponent[1:]:0>2}")
    return tuple(found)


def _histogram(latency: Latency) -> Selector:
    selector = latency.histogram.plain
    assert selector is not None, "the loader accepts only a plain selector here"
    return selector


def count_selector(latency: Latency) -> Selector:
    """The series that counts every request of a classic histogram."""
    base = _histogram(latency)
    return base.with_metric(f"{base.metric}_count")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """An indicator over the clusters that one source holds."""

    indicator: Indicator
    clusters: tuple[tuple[Matcher, ...], ...]

    @property
    def base(self) -> Duration:
        return base_window(self.indicator.scrape_interval)

    def events(self, events: Events) -> Expressions:
        query, part = (events.good, Part.GOOD) if events.bad is None else (events.bad, Part.BAD)
        assert query is not None
        if events.total.plain is not None and query.plain is not None:
            return self._counters(events.total.plain, query.plain, part)
        return Expressions(
            part=part,
            total_rate=self._rate_of(events.total),
            part_rate=self._rate_of(query),
            total_increase=self._increase_of(events.total, None),
            part_increase=self._increase_of(query, events.total),
            part_series=None if query.plain is None else self._series(query.plain),
        )

    def latency(self, latency: Latency) -> Expressions:
        return self._counters(count_selector(latency), bucket_selector(latency), Part.GOOD)

    def native_latency(self, latency: Latency) -> Expressions:
        bound = f"{latency.bound.normalize():f}"

        def count(window: Duration) -> Callable[[Sequence[Matcher]], str]:
            return lambda m: f"histogram_count({self._increase(latency.histogram, m, window)})"

        def fast(window: Duration) -> Callable[[Sequence[Matcher]], str]:
            # A fraction of nothing is NaN, which must not enter a sum.
            return lambda m: (
                f"histogram_fraction(0, {bound}, {self._increase(latency.histogram, m, window)})"
                f" * histogram_count({self._increase(latency.histogram, m, window)}) >= 0"
            )

        seconds = _seconds(self.base)
        return Expressions(
            part=Part.GOOD,
            total_rate=f"{self._sum_legs(count(self.base))} / {seconds}",
            part_rate=f"{self._sum_legs(fast(self.base))} / {seconds}",
            total_increase=self._sum_legs(count(LEDGER_SLOT)),
            part_increase=self._sum_legs(fast(LEDGER_SLOT)),
        )

    def ratio(self, ratio: Ratio) -> Expressions:
        query, part = (ratio.good, Part.GOOD) if ratio.error is None else (ratio.error, Part.BAD)
        assert query is not None
        # Several series are judged by the worst of them.
        worst = "min" if part is Part.GOOD else "max"

        def share(window: Duration) -> Callable[[Sequence[Matcher]], str]:
            return lambda m: f"{worst}(({self._rendered(query, m, window)}) > -Inf)"

        def weight(window: Duration) -> Callable[[Sequence[Matcher]], str]:
            if ratio.weight is None:
                return lambda m: f"0 * {share(window)(m)} + 1"
            counted = ratio.weight
            return lambda m: f"sum({self._rendered(counted, m, window)})"

        def part_of(window: Duration) -> Callable[[Sequence[Matcher]], str]:
            if ratio.weight is None:
                return share(window)
            return lambda m: f"{share(window)(m)} * {weight(window)(m)}"

        slot = _seconds(LEDGER_SLOT)
        return Expressions(
            part=part,
            total_rate=self._sum_legs(weight(self.base)),
            part_rate=self._sum_legs(part_of(self.base)),
            total_increase=f"{slot} * {self._sum_legs(weight(LEDGER_SLOT))}",
            part_increase=f"{slot} * {self._sum_legs(part_of(LEDGER_SLOT))}",
        )

    def slices(self, expr: Query, good_when: Comparison, length: Duration) -> Expressions:
        seconds = _seconds(length)
        whole = -(-self.base.milliseconds // length.milliseconds) * length.milliseconds
        base = Duration(milliseconds=whole)

        def seen(m: Sequence[Matcher]) -> str:
            return f"min(({self._rendered(expr, m, None)}) > -Inf)"

        def good(m: Sequence[Matcher]) -> str:
            condition = f"{good_when.operator} bool {good_when.value}"
            return f"min((({self._rendered(expr, m, None)}) > -Inf) {condition})"

        def over(
            function: str, inner: Callable[[Sequence[Matcher]], str], window: Duration
        ) -> Callable[[Sequence[Matcher]], str]:
            # A millisecond short of the window, or servers before 3.0, whose ranges are closed,
            # would count a slice on the border twice.
            span = Duration(milliseconds=window.milliseconds - 1)
            return lambda m: f"{function}(({inner(m)})[{span}:{length}])"

        return Expressions(
            part=Part.GOOD,
            total_rate=self._per_second("count_over_time", seen, over, base, seconds),
            part_rate=self._per_second("sum_over_time", good, over, base, seconds),
            total_increase=f"{seconds} * "
            + self._sum_legs(over("count_over_time", seen, LEDGER_SLOT)),
            part_increase=f"{seconds} * "
            + self._sum_legs(over("sum_over_time", good, LEDGER_SLOT)),
        )

    def _per_second(
        self,
        function: str,
        inner: Callable[[Sequence[Matcher]], str],
        over: Callable[
            [str, Callable[[Sequence[Matcher]], str], Duration], Callable[[Sequence[Matcher]], str]
        ],
        base: Duration,
        seconds: str,
    ) -> str:
        return f"{seconds} * {self._sum_legs(over(function, inner, base))} / {_seconds(base)}"

    def _counters(self, total: Selector, part: Selector, kind: Part) -> Expressions:
        return Expressions(
            part=kind,
            total_rate=self._sum_series(lambda m: self._rate(total, m)),
            part_rate=self._sum_series(lambda m: self._rate(part, m)),
            # Bad is the difference to good, so both must count births alike.
            total_increase=self._sum_series(
                lambda m: self._slot(total, total, m, late=kind is Part.GOOD)
            ),
            part_increase=self._sum_series(lambda m: self._slot(part, total, m, late=True)),
            part_series=self._series(part),
        )

    def _rate_of(self, query: Query) -> str:
        selector = query.plain
        if selector is not None:
            return self._sum_series(lambda m: self._rate(selector, m))
        rate = self._sum_legs(lambda m: f"sum({self._rendered(query, m, self.base)})")
        return rate if query.per_second else f"{rate} / {_seconds(self.base)}"

    def _increase_of(self, query: Query, total: Query | None) -> str:
        selector = query.plain
        if selector is not None:
            known = None if total is None else total.plain
            return self._sum_series(
                lambda m: self._slot(selector, known or selector, m, late=known is not None)
            )
        slot = self._sum_legs(lambda m: f"sum({self._rendered(query, m, LEDGER_SLOT)})")
        return f"{_seconds(LEDGER_SLOT)} * {slot}" if query.per_second else slot

    def _slot(
        self, part: Selector, total: Selector, extra: Sequence[Matcher], *, late: bool
    ) -> str:
        """The events of one slot, per series; the module's docstring explains the four cases."""
        x, y = str(part.with_matchers(extra)), str(total.with_matchers(extra))
        # Two clusters may use one address: a label that tells them apart is part of a target.
        varying = [matcher.name for matcher in extra if matcher.op == "=~"]
        target = f"({', '.join(dict.fromkeys((*self.indicator.target, *varying)))})"
        slot, back = self._slot_range, self._look_back
        last = f"last_over_time({x}[{slot}]{self._at()})"
        before = f"last_over_time({x}[{back}]{self._at(5)})"
        new = f"({last} unless {x}{self._at(5)})"
        known = " or ".join(f"{y}{self._at(ago)}" for ago in (5, 10, 15))
        cases = [
            f"({last} - {before}) >= 0",
            f"({new} and on {target} group by {target} ({known}))",
        ]
        if late:
            cases.append(
                f"({new} and (count_over_time({x}[{slot}]{self._at()})"
                f" < on {target} group_left ()"
                f" max by {target} (count_over_time({y}[{slot}]{self._at()}))))"
            )
        cases.append(f"increase({x}[{slot}]{self._at()})")
        return " or ".join(cases)

    @property
    def _slot_range(self) -> Duration:
        # Two scrapes, or a slow target would be missing from every other slot.
        return max(LEDGER_SLOT, Duration(milliseconds=2 * self._scrape_ms))

    @property
    def _look_back(self) -> Duration:
        return Duration(milliseconds=self._slot_range.milliseconds + 600_000)

    @property
    def _scrape_ms(self) -> int:
        return self.indicator.scrape_interval.milliseconds

    def _rate(self, selector: Selector, extra: Sequence[Matcher]) -> str:
        return f"rate({selector.with_matchers(extra)}[{self.base}]{self._at()})"

    def _increase(self, query: Query, extra: Sequence[Matcher], window: Duration) -> str:
        selector = query.selectors[0].with_matchers(extra)
        return f"sum(increase({selector}[{window}]{self._at()}))"

    def _rendered(self, query: Query, extra: Sequence[Matcher], window: Duration | None) -> str:
        offset = self.indicator.offset
        return render(
            query,
            matchers=extra,
            window=None if window is None else str(window),
            offset=None if offset is None else str(offset),
        )

    def _at(self, minutes: int = 0) -> str:
        """The modifier that reads so many minutes ago, and as late as the indicator asks for."""
        offset = 0 if self.indicator.offset is None else self.indicator.offset.milliseconds
        total = offset + minutes * 60_000
        return f" offset {Duration(milliseconds=total)}" if total else ""

    def _series(self, selector: Selector) -> str:
        selectors = (f"{selector.with_matchers(m)}{self._at()}" for m in self.clusters)
        return f"count({' or '.join(selectors)})"

    def _sum_series(self, leg: Callable[[Sequence[Matcher]], str]) -> str:
        """Sum series of all clusters; one that two clusters select counts once."""
        return f"sum({' or '.join(leg(matchers) for matchers in self.clusters)})"

    def _sum_legs(self, leg: Callable[[Sequence[Matcher]], str]) -> str:
        """Sum one number per cluster, told apart by a label that the sum removes again."""
        legs = [leg(matchers) for matchers in self.clusters]
        if len(legs) == 1:
            return f"sum({legs[0]})"
        labelled = (
            f'label_replace({text}, "{_LEG}", {quote(str(place))}, "", "")'
            for place, text in enumerate(legs)
        )
        return f"sum({' or '.join(labelled)})"


def _seconds(duration: Duration) -> str:
    return f"{(Decimal(duration.milliseconds) / 1000).normalize():f}"
