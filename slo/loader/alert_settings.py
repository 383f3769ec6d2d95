"""What an SLO's alerts look like, and its own window pairs, out of a specification."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from slo.fields import Fields, Located
from slo.loader.intake import Intake
from slo.loader.labels import own_labels
from slo.model import AlertGuard, AlertSettings, AlertSeverity, BurnPair, Indicator
from slo.problems import Span
from slo.units import Duration
from slo.windows import LEDGER_SLOT, CataloguePair, is_short, pair_factor

_ABSENT_FOR = Duration.of(minutes=10)
_MIN_BAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPair:
    """A window pair written in an SLO, with its place: a factor, or a share of the budget."""

    span: Span
    pair: BurnPair | CataloguePair

    def for_period(self, period: Duration) -> BurnPair:
        """Return the pair with its factor for a budget period."""
        return self.pair if isinstance(self.pair, BurnPair) else self.pair.for_period(period)


def build_alerts(fields: Fields | None, indicator: Indicator, intake: Intake) -> AlertSettings:
    """Return the settings of an SLO's alerts with the defaults for its kind of indicator."""
    if fields is None:
        default = _default_guard(indicator)
        return AlertSettings(page=default, ticket=default, absent_for=_ABSENT_FOR)
    return AlertSettings(
        page=_guard(fields, "page", indicator, intake),
        ticket=_guard(fields, "ticket", indicator, intake),
        absent_for=_absent_for(fields),
        budget_left=tuple(Fraction(each) / 100 for each in fields.each("budgetLeft", Decimal)),
        labels=own_labels(fields, "labels", intake),
        annotations=fields.mapping("annotations", str),
    )


def own_pairs(fields: Fields | None, intake: Intake) -> tuple[OwnPair, ...] | None:
    """Return the window pairs that an SLO brings along, or None when the catalogue's hold."""
    if fields is None or fields.value("windows") is None:
        return None
    pairs = (_own_pair(item, intake) for item in fields.items("windows", Fields))
    return tuple(pair for pair in pairs if pair is not None)


def leg_problem(long: Duration, short: Duration) -> str | None:
    """Return why two windows make no pair, whatever the SLO, or None."""
    if short >= long:
        return f"the short window {short} is not shorter than the long one {long}"
    for leg in (long, short):
        if not is_short(leg) and leg.milliseconds % LEDGER_SLOT.milliseconds:
            return f"{leg} is no multiple of {LEDGER_SLOT}, in which long windows are counted"
    return None


def _own_pair(item: Located[Fields], intake: Intake) -> OwnPair | None:
    fields = item.value
    severity = fields.get("severity", str)
    long, short = fields.get("long", Duration), fields.get("short", Duration)
    factor, budget = fields.get("factor", Decimal), fields.get("budget", Decimal)
    if severity is None or long is None or short is None or (factor is None and budget is None):
        return None
    problem = leg_problem(long, short)
    if problem is not None:
        intake.error("spec/bad-pair", problem, fields.span("short"))
        return None
    legs = {"severity": AlertSeverity(severity), "long": long, "short": short}
    pair: BurnPair | CataloguePair
    if factor is not None:
        pair = BurnPair(**legs, factor=Fraction(factor))
    return OwnPair(span=item.span, pair=pair)


def _guard(alerts: Fields, key: str, indicator: Indicator, intake: Intake) -> AlertGuard:
    value = alerts.value(key)
    if value is None or value is True:
        return _default_guard(indicator)
    if value is False:
        return AlertGuard(enabled=False)
    fields = alerts.need(key, Fields)
    counts = ("minEvents", "minBad")
    if not indicator.counts_events:
        _refuse_counts(fields, counts, intake)
    if all(fields.value(each) is None for each in counts):
        least = _default_guard(indicator)
    else:
        # With a default beside it, a number that the author chose would decide nothing.
        events, bad = (fields.get(each, int) for each in counts)
        least = AlertGuard(min_events=events, min_bad=bad)
    return AlertGuard(
        enabled=fields.get("enabled", bool) is not False,
        min_events=least.min_events,
        min_bad=least.min_bad,
    )


def _default_guard(indicator: Indicator) -> AlertGuard:
    return AlertGuard(min_bad=_MIN_BAD) if indicator.counts_events else AlertGuard()


def _refuse_counts(fields: Fields, keys: Sequence[str], intake: Intake) -> None:
    for key in keys:
        if fields.value(key) is not None:
            message = f'"{key}" counts events, and this indicator measures time'
            intake.error("spec/counts-time", message, fields.key_span(key))


def _absent_for(alerts: Fields) -> Duration | None:
    value = alerts.value("absent")
    if isinstance(value, Fields):
        return value.get("for", Duration) or _ABSENT_FOR
    return _ABSENT_FOR if value is None else None
