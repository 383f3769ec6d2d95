"""Indicators out of a specification, one builder for each kind."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from slo.fields import Fields
from slo.loader import shapes_indicator
from slo.loader.boundaries import check_boundary
from slo.loader.external_indicators import check_language, external_measure
from slo.loader.intake import Intake
from slo.loader.queries import (
    counted,
    histogram,
    log_query,
    momentary,
    plain_selector,
    selector,
    vector_query,
    windowed,
)
from slo.loader.references import source_reference
from slo.model import (
    Comparison,
    Events,
    Indicator,
    Latency,
    Logs,
    Measure,
    Probe,
    Ratio,
    Slices,
    Spans,
    TimeUnit,
)
from slo.printable import quote
from slo.shape import UNREADABLE
from slo.units import Duration
from slo.windows import LEDGER_SLOT
from slo.workspace import external_kind

_CONDITION = re.compile(
    r"\s*(<=|>=|==|!=|<|>)\s*([-+]?(?:[0-9]{1,40}(?:\.[0-9]{1,40})?|\.[0-9]{1,40}))\s*"
)


def build_indicator(fields: Fields, intake: Intake) -> Indicator | None:
    """Return the indicator of an SLO, its template expanded, or None once problems say why."""
    template = fields.get("template", str)
    base = None if template is None else _expanded(fields, template, intake)
    if template is not None and base is None:
        return None
    measure = _measure(fields if base is None else base, intake)
    if measure is None:
        return None
    indicator = Indicator(
        measure=measure, scrape_interval=intake.defaults.scrape_interval, template=template
    )
    if base is not None:
        indicator = with_common(indicator, base, intake)
    return with_common(indicator, fields, intake)


def with_common(indicator: Indicator, fields: Fields, intake: Intake) -> Indicator:
    """Return the indicator with the keys that say where and how it is read."""
    source = source_reference(fields, intake)
    check_language(indicator, source, fields, intake)
    offset = fields.get("offset", Duration) or indicator.offset
    proven = fields.get("proven", bool)
    return replace(
        indicator,
        offset=offset,
        scrape_interval=fields.get("scrapeInterval", Duration) or indicator.scrape_interval,
        target=fields.each("target", str) or indicator.target,
        proven=indicator.proven if proven is None else proven,
        source=source or indicator.source,
    )


def _expanded(fields: Fields, template: str, intake: Intake) -> Fields | None:
    if "with" in fields.unread:
        return None
    if intake.templates is None:
        message = f"there is no template {quote(template)}"
        intake.error("spec/unknown-template", message, fields.span("template"))
        return None
    node = intake.templates.expand(
        template, fields.node("with"), intake.problems, fields.span("template")
    )
    if node is None:
        return None
    expanded = shapes_indicator.EXPANDED.read(node, intake.problems)
    return None if expanded is UNREADABLE else expanded


def _measure(fields: Fields, intake: Intake) -> Measure | None:
    product = external_kind(fields.get("source", str))
    if product is not None:
        return external_measure(fields, product, intake)
    for kind, build in _BUILDERS.items():
        if fields.value(kind) is not None:
            return build(fields, intake)
    return None


def _events(indicator: Fields, intake: Intake) -> Events | None:
    fields = indicator.need("events", Fields)
    total = counted(fields, "total", intake)
    bad, good = counted(fields, "bad", intake), counted(fields, "good", intake)
    if total is None or (bad is None and good is None):
        return None
    return Events(total=total, bad=bad, good=good)


def _latency(indicator: Fields, intake: Intake) -> Latency | None:
    fields = indicator.need("latency", Fields)
    query = histogram(fields, "histogram", intake)
    threshold = fields.get("threshold", Duration)
    if query is None or threshold is None:
        return None
    latency = Latency(
        histogram=query,
        threshold=threshold,
        native=fields.get("native", bool) or False,
        unit=TimeUnit(fields.get("unit", str) or TimeUnit.SECONDS),
        buckets=tuple(sorted(fields.each("buckets", Decimal))),
    )
    return check_boundary(latency, fields, intake)


def _ratio(indicator: Fields, intake: Intake) -> Ratio | None:
    fields = indicator.need("ratio", Fields)
    error, good = windowed(fields, "error", intake), windowed(fields, "good", intake)
    weight = windowed(fields, "weight", intake)
    if error is None and good is None:
        return None
    return Ratio(error=error, good=good, weight=weight)


def _slices(indicator: Fields, intake: Intake) -> Slices | None:
    fields = indicator.need("slices", Fields)
    expr = momentary(fields, "expr", intake)
    good_when = _condition(fields, intake)
    length = _slice(fields, intake)
    if expr is None or good_when is None or length is None:
        return None
    return Slices(expr=expr, good_when=good_when, slice=length)


def _probe(indicator: Fields, intake: Intake) -> Probe | None:
    fields = (
        indicator.get("probe", Fields) if isinstance(indicator.value("probe"), Fields) else None
    )
    if fields is None:
        query = vector_query(indicator, "probe", intake)
        chosen = plain_selector(query, indicator.span("probe"), intake)
        length: Duration | None = Duration.of(minutes=1)
    else:
        chosen, length = selector(fields, "selector", intake), _slice(fields, intake)
    if chosen is None or length is None:
        return None
    return Probe(selector=chosen, slice=length)


def _logs(indicator: Fields, intake: Intake) -> Logs | None:
    fields = indicator.need("logs", Fields)
    query, bad = log_query(fields, "query", intake), log_query(fields, "bad", intake)
    return None if query is None or bad is None else Logs(query=query, bad=bad)


def _spans(indicator: Fields, intake: Intake) -> Spans | None:
    del intake
    fields = indicator.need("spans", Fields)
    service = fields.get("service", str)
    if service is None:
        return None
    return Spans(
        service=service,
        operation=fields.get("operation", str),
        bad_error=fields.get("bad", str) is not None,
        slower_than=fields.get("slowerThan", Duration),
    )


_BUILDERS: Mapping[str, Callable[[Fields, Intake], Measure | None]] = MappingProxyType(
    {
        "events": _events,
        "latency": _latency,
        "ratio": _ratio,
        "slices": _slices,
        "probe": _probe,
        "logs": _logs,
        "spans": _spans,
    }
)


def _condition(fields: Fields, intake: Intake) -> Comparison | None:
    text = fields.get("goodWhen", str)
    if text is None:
        return None
    match = _CONDITION.fullmatch(text)
    if match is None:
        intake.error(
            "spec/bad-condition",
            f"{quote(text)} is no condition on a number",
            fields.span("goodWhen"),
            hint='write an operator and a number, such as "< 0.3"; '
            "the operators are < <= > >= == !=",
        )
        return None
    return Comparison(operator=match[1], value=Decimal(match[2]))


def _slice(fields: Fields, intake: Intake) -> Duration | None:
    length = fields.get("slice", Duration)
    if length is None:
        return None
    if length < Duration.of(seconds=1) or LEDGER_SLOT.milliseconds % length.milliseconds:
        intake.error(
            "spec/bad-slice",
            f"{LEDGER_SLOT} cannot be divided into slices of {length}",
            fields.span("slice"),
            hint=f"good and bad time is added up every {LEDGER_SLOT}; "
            "choose 10s, 15s, 30s, 1m or 5m",
        )
        return None
    return length
