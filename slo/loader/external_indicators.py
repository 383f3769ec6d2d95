"""Indicators that another product counts: their queries are its own, and are passed on unread."""

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.model import External, Indicator
from slo.printable import quote
from slo.workspace import external_kind

_ELSEWHERE = ("latency", "slices", "probe", "logs", "spans")
_HINT = "count with events (total and bad or good) or ratio (error or good) in its own language"


def external_measure(fields: Fields, product: str, intake: Intake) -> External | None:
    """Return what a product is asked for, or None once problems say why it cannot be."""
    events, ratio = fields.get("events", Fields), fields.get("ratio", Fields)
    if events is not None:
        return _events(events)
    if ratio is not None:
        return _ratio(ratio)
    for kind in _ELSEWHERE:
        if fields.value(kind) is not None:
            message = f"an indicator of the kind {kind} cannot be asked of {product}"
            intake.error("spec/bad-source", message, fields.span("source"), hint=_HINT)
    return None


def check_language(
    indicator: Indicator, source: str | None, fields: Fields, intake: Intake
) -> None:
    """Report a source that does not understand the queries which the indicator has already."""
    if source is None:
        return
    theirs, ours = external_kind(source), external_kind(indicator.source)
    external = isinstance(indicator.measure, External)
    # An indicator that is just being made has no source yet; its queries are those of this one.
    if theirs == ours or (external and indicator.source is None):
        return
    if external:
        message = f"the indicator's queries are in the language of {ours}, not of {quote(source)}"
        hint = f"name another source of the kind {ours}, or write an SLO of its own"
    else:
        message = f"the indicator is not in the language of {theirs}"
        hint = f"write an SLO of its own with source: {source} and queries of {theirs}"
    intake.error("spec/bad-source", message, fields.span("source"), hint=hint)


def _events(fields: Fields) -> External | None:
    total = fields.get("total", str)
    bad, good = fields.get("bad", str), fields.get("good", str)
    if total is None or (bad is None and good is None):
        return None
    return External(total=total, bad=bad, good=good)


def _ratio(fields: Fields) -> External | None:
    error, good = fields.get("error", str), fields.get("good", str)
    if error is None and good is None:
        return None
    return External(total=fields.get("weight", str), bad=error, good=good, share=True)
