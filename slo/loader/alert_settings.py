"""What an SLO's alerts look like, and its own window pairs, out of a specification."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from slo.fields import Fields
from slo.loader.annotations import own_annotations
from slo.loader.intake import Intake
from slo.loader.labels import own_labels
from slo.loader.pairs import OwnPair, read_pair
from slo.model import AlertGuard, AlertSettings, Indicator
from slo.units import Duration

_ABSENT_FOR = Duration.of(minutes=10)
_MIN_BAD = 2


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
        annotations=own_annotations(fields, "annotations", intake),
    )


def own_pairs(fields: Fields | None, intake: Intake) -> tuple[OwnPair, ...] | None:
    """Return the window pairs that an SLO brings along, or None when the catalogue's hold."""
    if fields is None or fields.value("windows") is None:
        return None
    pairs = (read_pair(item, intake.problems) for item in fields.items("windows", Fields))
    return tuple(pair for pair in pairs if pair is not None)


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
