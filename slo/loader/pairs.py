"""Window pairs out of an SLO or a catalogue file."""

from decimal import Decimal
from fractions import Fraction

from slo.fields import Fields, Located
from slo.model import AlertSeverity, BurnPair
from slo.problems import Problem, Span, error
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT, CataloguePair, is_short


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPair:
    """A window pair written in an SLO, with its place: a factor, or a share of the budget."""

    span: Span
    pair: BurnPair | CataloguePair

    def for_period(self, period: Duration) -> BurnPair:
        """Return the pair with its factor for a budget period."""
        return self.pair if isinstance(self.pair, BurnPair) else self.pair.for_period(period)


def read_pair(item: Located[Fields], problems: list[Problem]) -> OwnPair | None:
    """Return the pair of a record, or None once problems say why there is none."""
    fields = item.value
    severity = fields.get("severity", str)
    long, short = fields.get("long", Duration), fields.get("short", Duration)
    factor, budget = fields.get("factor", Decimal), fields.get("budget", Decimal)
    if severity is None or long is None or short is None:
        return None
    obstacle = _obstacle(long, short)
    if obstacle is not None:
        problems.append(error("spec/bad-pair", obstacle, item.span))
        return None
    pair: BurnPair | CataloguePair
    if factor is not None:
        pair = BurnPair(
            severity=AlertSeverity(severity), long=long, short=short, factor=Fraction(factor)
        )
    elif budget is not None:
        pair = CataloguePair(
            severity=AlertSeverity(severity), long=long, short=short, budget=Fraction(budget) / 100
        )
    else:
        return None
    return OwnPair(span=item.span, pair=pair)


def _obstacle(long: Duration, short: Duration) -> str | None:
    """Return why two windows make no pair, whatever the SLO, or None."""
    if short >= long:
        return f"the short window {short} is not shorter than the long one, {long}"
    for leg in (long, short):
        if not is_short(leg) and leg.milliseconds % LEDGER_SLOT.milliseconds:
            return f"{leg} is no multiple of {LEDGER_SLOT}, in which long windows are counted"
    return None
