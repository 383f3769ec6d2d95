"""Components between lines, or what services send, and an OTLP exporter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collectors.tagging.alloy_parts.syntax import Block, Expression, block, variable
from collectors.tagging.line_fields import DIGITS, LEVEL, TIME, identifier
from collectors.tagging.model import (
    LIFTED_FIELDS,
    STATIC_CONCEPTS,
    Convention,
    Plan,
    Source,
    name_of,
)
from collectors.tagging.otelcol_parts import owners, records, secrets
from collectors.tagging.otelcol_parts.operators import resource_of
from collectors.tagging.otelcol_parts.text import quoted
from slo.collecting import MASK

LOGS, METRICS, TRACES = "logs", "metrics", "traces"
Outputs = Mapping[str, Sequence[Expression]]

_RESOURCE = {
    "dataset": "data_stream.dataset",
    "stream_namespace": "data_stream.namespace",
    "host": "host.name",
    "namespace": "k8s.namespace.name",
    "pod": "k8s.pod.name",
    "container": "k8s.container.name",
    "node": "k8s.node.name",
    "pod_uid": "k8s.pod.uid",
}
_RECORD = {"filename": "log.file.path", "unit": "systemd.unit", "program": "appname"}
_FORMAT = "headroom.format"
_SIGNALS = {LOGS: "log_statements", METRICS: "metric_statements", TRACES: "trace_statements"}


def input_of(of: Block) -> Expression:
    """The reference by which other components send to this one."""
    return of.export("receiver" if of.name.startswith("loki.") else "input")


def of_lines(plan: Plan, to: Expression) -> tuple[Block, ...]:
    """From Loki's lines to OTLP records with their owner on the resource; the first receives."""
    version = _grouped("version", [name_of("version", Convention.OTEL) or ""], to)
    fields = _transform("records", _fields(plan), {LOGS: [input_of(version)]})
    grouped = _grouped("owners", _owner_keys(), input_of(fields))
    owner = _transform("owners", _owner_statements(), {LOGS: [input_of(grouped)]})
    receiver = block("otelcol.receiver.loki", _output({LOGS: [input_of(owner)]}), label="lines")
    return receiver, owner, grouped, fields, version


def of_services(plan: Plan, to: Outputs) -> tuple[Block, ...]:
    """The receiver of what services send, and its way to outputs by signal."""
    owner = _transform("services", owners.services(plan, resource_of), to)
    every = {signal: [input_of(owner)] for signal in _SIGNALS}
    limit = block(
        "otelcol.processor.memory_limiter",
        _output(every),
        label="services",
        check_interval="1s",
        limit_percentage=75,
        spike_limit_percentage=20,
    )
    grpc = variable("HEADROOM_OTLP_GRPC_LISTEN", "127.0.0.1:4317")
    http = variable("HEADROOM_OTLP_HTTP_LISTEN", "127.0.0.1:4318")
    receiver = block(
        "otelcol.receiver.otlp",
        block("grpc", endpoint=grpc),
        block("http", endpoint=http),
        _output({signal: [input_of(limit)] for signal in _SIGNALS}),
        label="services",
    )
    return receiver, limit, owner


def masked(plan: Plan, to: Outputs) -> Block:
    """The component that takes secrets out of fields of logs and attributes of spans."""
    found = secrets.masked(plan.secrets)
    mask = quoted(MASK)
    patterns = [
        f'replace_all_patterns(span.attributes, "value", {quoted(secret.pattern)}, {mask})'
        for secret in plan.secrets
    ]
    spans = [{"context": "span", "statements": patterns}]
    return _transform("secrets", {**found, "trace_statements": spans}, to)


def hinted(to: Expression) -> Block:
    """The component that tells ``otelcol.exporter.loki`` which labels a record has."""
    labels = {
        name_of(concept, Convention.LABEL): name_of(concept, Convention.OTEL)
        for concept in STATIC_CONCEPTS
    }
    statements = [
        f'set(log.attributes["{label}"], resource.attributes["{name}"])'
        for label, name in labels.items()
    ]
    statements += [
        f'set(log.attributes["loki.attribute.labels"], "{", ".join(map(str, labels))}")',
        'set(log.attributes["loki.format"], "json")',
    ]
    groups = {"log_statements": [{"context": "log", "statements": statements}]}
    return _transform("loki", {"error_mode": "silent", **groups}, {LOGS: [to]})


def _transform(label: str, processor: Mapping[str, Any], to: Outputs) -> Block:
    groups = [
        block(
            name,
            context=group["context"],
            conditions=group.get("conditions"),
            statements=group["statements"],
        )
        for signal, name in _SIGNALS.items()
        for group in processor.get(name, ())
        if signal in to
    ]
    mode = processor["error_mode"]
    return block("otelcol.processor.transform", *groups, _output(to), label=label, error_mode=mode)


def _grouped(label: str, keys: Sequence[str], to: Expression) -> Block:
    return block("otelcol.processor.groupbyattrs", _output({LOGS: [to]}), label=label, keys=[*keys])


def _output(to: Outputs) -> Block:
    return Block(name="output", attributes={signal: [*each] for signal, each in to.items()})


def _owner_labels() -> dict[str, str]:
    found = {}
    for concept in STATIC_CONCEPTS:
        label, name = (name_of(concept, each) for each in (Convention.LABEL, Convention.OTEL))
        if label is not None and name is not None:
            found[label] = name
    return {**found, **_RESOURCE}


def _owner_keys() -> list[str]:
    return [*_owner_labels().values()]


def _owner_statements() -> dict[str, Any]:
    """What moves labels to the attributes that they stand for."""
    moved = {**_owner_labels(), **_RECORD, "format": _FORMAT}
    statements = [
        f"set({_at(name)}, {_at(label)}) where {_at(label)} != nil" for label, name in moved.items()
    ]
    gone = [*moved, "loki.attribute.labels", "log.file.name"]
    statements += [f"delete_key(log.attributes, {quoted(label)})" for label in gone]
    return _of_log(statements)


def _fields(plan: Plan) -> dict[str, Any]:
    """What tells the fields of a line apart, as the OpenTelemetry Collector's files do."""
    own = next(
        group["statements"]
        for group in records.processor(plan)["log_statements"]
        if group["context"] == "log"
    )
    path = _at("log.file.path")
    statements = [
        f'set(log.cache["format"], {_at(_FORMAT)})',
        f"delete_key(log.attributes, {quoted(_FORMAT)})",
        f'set(log.cache["path"], {path})',
        *_parsed(plan),
        "flatten(log.attributes)",
        f'set({path}, log.cache["path"]) where log.cache["path"] != nil',
        *_version(),
        *own,
    ]
    return _of_log(statements)


def _parsed(plan: Plan) -> Iterator[str]:
    json_line = 'IsMatch(log.body, "^[[:space:]]*[{]")'
    yield _merged("ParseJSON(log.body)", f'log.cache["format"] == "json" and {json_line}')
    yield _merged('ParseKeyValue(log.body, "=", " ")', 'log.cache["format"] == "logfmt"')
    plain = [source for _, source in plan.of(Source) if source.format == "plain"]
    if not plain:
        return
    patterns = [
        identifier(
            concept,
            dict.fromkeys(field for source in plain for field in source.fields_of(concept)),
            LIFTED_FIELDS[concept][0],
        )
        for concept in DIGITS
    ]
    for pattern in (*patterns, TIME):
        yield _merged(
            f"ExtractPatterns(log.body, {quoted(pattern)})",
            f'log.cache["format"] == "plain" and IsMatch(log.body, {quoted(pattern)})',
        )
    # The journal and syslog have a severity of their own beside the text.
    yield _merged(
        f"ExtractPatterns(log.body, {quoted(LEVEL)})",
        f'log.cache["format"] == "plain" and {_at("level")} == nil '
        f"and IsMatch(log.body, {quoted(LEVEL)})",
    )


def _merged(parsed: str, condition: str) -> str:
    return f'merge_maps(log.attributes, {parsed}, "upsert") where {condition}'


def _version() -> Iterator[str]:
    own, short = LIFTED_FIELDS["version"]
    fits = f"{_at(own)} == nil and IsString({_at(short)})"
    yield f"set({_at(own)}, {_at(short)}) where {fits}"
    yield f"delete_key(log.attributes, {quoted(short)}) where {_at(own)} == {_at(short)}"


def _of_log(statements: Sequence[str]) -> dict[str, Any]:
    return {
        "error_mode": "silent",
        "log_statements": [{"context": "log", "statements": [*statements]}],
    }


def _at(name: str) -> str:
    return f"log.attributes[{quoted(name)}]"
