"""The processor for what was read as lines: every field to the place that OTLP has for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from collectors.tagging.model import (
    LEVEL_FIELDS,
    LIFTED_FIELDS,
    STATIC_CONCEPTS,
    TIME_FIELDS,
    Convention,
    Plan,
    Stream,
    name_of,
)
from collectors.tagging.otelcol_parts.hosts import HOST
from collectors.tagging.otelcol_parts.text import quoted, variable
from slo.portable_regex import escaped

Statements = list[str]

MOST_FIELDS = 256
"""How many attributes a record keeps: an object as a map of identifiers has no end of them."""

_MESSAGES = ("message", "msg", "log", "body")
_HEX = {"trace": ("trace_id", "TraceID", 32), "span": ("span_id", "SpanID", 16)}
_LEVELS = {
    "TRACE": "TRACE|VERBOSE|FINE(ST|R)",
    "DEBUG": "DEBUG|FINE",
    "INFO": "INFO|INFORMATION|INFORMATIONAL|NOTICE",
    "WARN": "WARN|WARNING",
    "ERROR": "ERR|ERROR|SEVERE",
    "FATAL": "FATAL|CRIT|CRITICAL|ALERT|EMERG|EMERGENCY|PANIC",
}
_LEVEL_NUMBERS = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARN", 50: "ERROR", 60: "FATAL"}
_ISO = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{4})$"


def processor(plan: Plan) -> dict[str, Any]:
    """The processor for what was read as lines: every field to the place that OTLP has for it."""
    host = variable(HOST)
    sender = 'resource.attributes["host.name"]'
    statements = [
        "flatten(log.attributes)",
        f"delete_matching_keys(log.attributes, {quoted(_claims())})",
        *_own_fields(plan),
        *_identifiers(),
        *_time(),
        *_severity(),
        *_message(),
        f'limit(log.attributes, {MOST_FIELDS}, ["log.file.path"])',
    ]
    named = f'set({sender}, "{host}") where {sender} == nil and "{host}" != ""'
    return {
        "error_mode": "silent",
        "log_statements": [
            {"context": "resource", "statements": [named]},
            {"context": "log", "statements": statements},
        ],
    }


def _claims() -> str:
    """A regular expression for what a record may say of its owner: the owner is known better."""
    spoken = (Convention.OTEL, Convention.ECS)
    names = [name_of(concept, each) for concept in STATIC_CONCEPTS for each in spoken]
    known = dict.fromkeys(name for name in names if name is not None)
    exact = "|".join(map(escaped, (*known, "deployment.environment")))
    return f"^(({exact})$|data_stream[.]|elasticsearch[.])"


def _at(field: str) -> str:
    return f"log.attributes[{quoted(field)}]"


def _own_fields(plan: Plan) -> Statements:
    """Copies of fields that only some streams' records have, to the usual ones."""
    found: Statements = []
    for stream in plan.streams:
        for source in stream.sources:
            found += _own_identifier(stream, "trace", source.trace_id)
            found += _own_identifier(stream, "span", source.span_id)
            if source.time not in {None, *TIME_FIELDS}:
                own = _at(source.time or "")
                found.append(
                    f"set({_at(TIME_FIELDS[0])}, {own}) where {_of(stream)} and {own} != nil"
                )
    return list(dict.fromkeys(found))


def _own_identifier(stream: Stream, concept: str, field: str | None) -> Statements:
    if field is None or field == LIFTED_FIELDS[concept][0]:
        return []
    usual, (_, _, digits) = LIFTED_FIELDS[concept][0], _HEX[concept]
    fit = f'{_of(stream)} and IsMatch({_at(field)}, "^[0-9a-fA-F]{{{digits}}}$")'
    return [
        f"set({_at(usual)}, {_at(field)}) where {fit}",
        f"delete_key(log.attributes, {quoted(field)}) where {fit}",
    ]


def _of(stream: Stream) -> str:
    return (
        f'resource.attributes["data_stream.dataset"] == {quoted(stream.dataset)} and '
        f'resource.attributes["data_stream.namespace"] == {quoted(stream.namespace)}'
    )


def _identifiers() -> Iterator[str]:
    for concept, (place, kind, digits) in _HEX.items():
        empty = f"log.{place} == {kind}(0x{'0' * digits})"
        for field in LIFTED_FIELDS[concept]:
            fit = f'IsMatch({_at(field)}, "^[0-9a-fA-F]{{{digits}}}$")'
            lower = f'ConvertCase({_at(field)}, "lower")'
            yield f"set(log.{place}.string, {lower}) where {empty} and {fit}"
            yield (
                f"delete_key(log.attributes, {quoted(field)}) "
                f"where {fit} and {lower} == log.{place}.string"
            )


def _time() -> Iterator[str]:
    yield 'set(log.cache["before"], log.time_unix_nano)'
    yield from _first("time", TIME_FIELDS)
    at = 'log.cache["time"]'
    text = f"IsString({at})"
    yield f'replace_pattern({at}, "^([0-9-]{{10}}) ", "${{1}}T") where {text}'
    yield f'replace_pattern({at}, "([+-][0-9]{{2}}):([0-9]{{2}})$", "${{1}}${{2}}") where {text}'
    iso = f"{text} and IsMatch({at}, {quoted(_ISO)})"
    yield f'set(log.time, Time({at}, "%Y-%m-%dT%H:%M:%S%z")) where {iso}'
    # A number of ten digits is in seconds, of thirteen in milliseconds, and so on.
    bounds = (10**18, 10**15, 10**12, 10**9)
    for place, bound in enumerate(bounds):
        scale = 1000**place
        below = "" if place == 0 else f" and {at} < {bounds[place - 1]}"
        value = at if scale == 1 else f"{at} * {scale}"
        yield f"set(log.time_unix_nano, {value}) where IsInt({at}) and {at} >= {bound}{below}"
    precise = f"Int({at} * 1000000.0) * 1000"
    fits = f"IsDouble({at}) and {at} >= 1000000000.0 and {at} < 100000000000.0"
    yield f"set(log.time_unix_nano, {precise}) where {fits}"
    for field in TIME_FIELDS:
        yield (
            f"delete_key(log.attributes, {quoted(field)}) "
            'where log.time_unix_nano != log.cache["before"]'
        )


def _first(name: str, fields: Sequence[str], fit: str = "{} != nil") -> Iterator[str]:
    """The first of some fields that a record has, kept aside."""
    place = f"log.cache[{quoted(name)}]"
    for field in fields:
        yield f"set({place}, {_at(field)}) where {place} == nil and {fit.format(_at(field))}"


def _severity() -> Iterator[str]:
    level = 'log.cache["level"]'
    yield from _first("level", LEVEL_FIELDS)
    yield f"set(log.severity_text, String({level})) where {level} != nil"
    for name, words in _LEVELS.items():
        match = f'IsString({level}) and IsMatch({level}, "(?i)^({words})$")'
        yield f"set(log.severity_number, SEVERITY_NUMBER_{name}) where {match}"
    for number, name in _LEVEL_NUMBERS.items():
        match = f"IsInt({level}) and {level} >= {number}"
        yield f"set(log.severity_number, SEVERITY_NUMBER_{name}) where {match}"
    for field in LEVEL_FIELDS:
        yield f"delete_key(log.attributes, {quoted(field)}) where {_at(field)} == {level}"


def _message() -> Iterator[str]:
    message = 'log.cache["message"]'
    yield from _first("message", _MESSAGES, "IsString({})")
    yield f"set(log.body, {message}) where {message} != nil"
    for field in _MESSAGES:
        yield f"delete_key(log.attributes, {quoted(field)}) where {_at(field)} == {message}"
