"""SLOs out of a specification, before any environment changes them."""

from decimal import Decimal

from slo.fields import Fields
from slo.loader.alert_settings import build_alerts, own_pairs
from slo.loader.indicators import build_indicator
from slo.loader.intake import Intake
from slo.loader.labels import own_labels
from slo.loader.pairs import OwnPair
from slo.model import Objective, Slo
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT

_SHORTEST = Duration.of(hours=1)
_LONGEST = Duration.of(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSlo:
    """An SLO as the app has it, and the window pairs it brings along."""

    slo: Slo
    pairs: tuple[OwnPair, ...] | None


def build_slo(fields: Fields, intake: Intake) -> DraftSlo | None:
    """Return an SLO, or None once problems say why there is none."""
    name = fields.get("name", str)
    objective = build_objective(fields)
    window = build_window(fields, intake) or intake.defaults.window
    indicator_fields = fields.get("indicator", Fields)
    indicator = None if indicator_fields is None else build_indicator(indicator_fields, intake)
    labels = own_labels(fields, "labels", intake)
    alerts = fields.get("alerts", Fields)
    pairs = own_pairs(alerts, intake)
    if name is None or objective is None or indicator is None:
        return None
    slo = Slo(
        name=name,
        objective=objective,
        window=window,
        indicator=indicator,
        title=fields.get("title", str) or "",
        description=fields.get("description", str) or "",
        alerts=build_alerts(alerts, indicator, intake),
        pairs=None if pairs is None else tuple(pair.for_period(window) for pair in pairs),
        labels=labels,
        annotations=fields.mapping("annotations", str),
        runbook=fields.get("runbook", str),
        span=fields.span("name"),
    )
    return DraftSlo(slo=slo, pairs=pairs)


def build_objective(fields: Fields) -> Objective | None:
    """Return the objective of a record with the digits its author wrote."""
    percent = fields.get("objective", Decimal)
    return None if percent is None else Objective(text=str(percent), percent=percent)


def build_window(fields: Fields, intake: Intake, key: str = "window") -> Duration | None:
    """Return the budget's period, whole slots of the ledger and neither too short nor too long."""
    window = fields.get(key, Duration)
    if window is None:
        return None
    message, hint = "", None
    if window < _SHORTEST:
        message = f"a budget's period is at least {_SHORTEST}"
        hint = f"the budget is counted every {LEDGER_SLOT}; a shorter period has too few counts"
    elif window > _LONGEST:
        message = f"a budget's period is at most {_LONGEST}"
        hint = "a budget that lasts longer than a year steers nobody; 30d is usual"
    elif window.milliseconds % LEDGER_SLOT.milliseconds:
        message = f"a budget's period is a multiple of {LEDGER_SLOT}"
        hint = f"the budget is counted in slots of {LEDGER_SLOT}"
    else:
        return window
    intake.error("spec/bad-window", f"{message}, and {window} is not", fields.span(key), hint=hint)
    return None
