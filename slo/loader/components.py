"""Components out of a specification."""

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.model import Component, ComponentKind, LogSource
from slo.portable_regex import unportable
from slo.printable import quote
from slo.promql import regex_problem

_LOG_KINDS = ("kubernetes", "path", "journald", "syslog")


def build_component(fields: Fields, intake: Intake) -> Component | None:
    """Return a component, or None once problems say why there is none."""
    logs = tuple(_log_source(each, intake) for each in fields.each("logs", Fields))
    name, kind = fields.get("name", str), fields.get("kind", str)
    if name is None or kind is None:
        return None
    kubernetes = fields.get("kubernetes", Fields)
    cloudwatch = fields.get("cloudwatch", Fields)
    return Component(
        name=name,
        kind=ComponentKind(kind),
        service=fields.get("service", str),
        engine=fields.get("engine", str),
        address=fields.get("address", str),
        namespace=None if kubernetes is None else kubernetes.get("namespace", str),
        workload=None if kubernetes is None else kubernetes.get("workload", str),
        pod_labels={} if kubernetes is None else kubernetes.mapping("labels", str),
        hosts=fields.each("hosts", str),
        images=fields.each("images", str),
        logs=logs,
        share=fields.mapping("share", str),
        cloudwatch_namespace=None if cloudwatch is None else cloudwatch.get("namespace", str),
        cloudwatch_dimensions={} if cloudwatch is None else cloudwatch.mapping("dimensions", str),
        metrics=fields.each("metrics", str),
        depends_on=fields.each("dependsOn", str),
    )


def _log_source(fields: Fields, intake: Intake) -> LogSource:
    pattern = fields.get("multiline", str)
    problem = None if pattern is None else regex_problem(pattern)
    if problem is not None:
        message = f"this regular expression cannot be read: {problem}"
        intake.error("spec/bad-regex", message, fields.span("multiline"))
    elif pattern is not None and (construct := unportable(pattern)) is not None:
        intake.error(
            "spec/bad-regex",
            f"{quote(construct)} does not mean the same in every collector",
            fields.span("multiline"),
            hint="write classes such as [0-9], [A-Za-z] and (a|b); no flags, no \\b",
        )
    kind = next((each for each in _LOG_KINDS if fields.value(each) is not None), "")
    return LogSource(
        kind="file" if kind == "path" else kind,
        path=fields.get("path", str)
        or fields.get("journald", str)
        or fields.get("syslog", str)
        or fields.get("container", str),
        format=fields.get("format", str) or "json",
        multiline=pattern,
        trace_id=fields.get("traceId", str),
        span_id=fields.get("spanId", str),
        time=fields.get("time", str),
    )
