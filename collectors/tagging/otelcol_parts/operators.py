"""Operators of receivers: what happens to a record before any processor sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collectors.tagging.model import (
    LIFTED_FIELDS,
    Convention,
    FileSource,
    PodSource,
    Source,
    Stream,
)
from collectors.tagging.otelcol_parts.text import quoted
from slo.portable_regex import escaped

Operator = dict[str, Any]
Resource = Callable[[Stream], Mapping[str, str]]

END = "end"
"""The operator where the branches of a receiver meet."""

FLUSH = "2s"
"""How long an unfinished record waits for its next line."""

MAX_RECORD = "1MiB"

FILE_PATH = 'attributes["log.file.path"]'
"""Where a record says which file it was read from."""

_LEVEL = (
    "^.{0,80}?(?:^|[^A-Za-z])"
    "(?P<level>TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|FATAL|CRITICAL)(?:[^A-Za-z]|$)"
)
_TIME = (
    "^[^0-9]{0,3}(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    "(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2}))"
)
_IS_TEXT = 'type(body) == "string" and body matches '


def resource_of(stream: Stream) -> dict[str, str]:
    """The attributes that say whose a record is and which stream it goes to."""
    return {
        **stream.tags(Convention.OTEL),
        "data_stream.dataset": stream.dataset,
        "data_stream.namespace": stream.namespace,
    }


def branch(
    stream: Stream, source: Source, name: str, resource: Resource, joined_by: str
) -> list[Operator]:
    """The operators for one source: its owner, its lines joined, its fields told apart.

    The first is called ``<name>_tags``. Lines are joined that have the same ``joined_by``.
    """
    tags = [
        {
            "id": f"{name}_tags" if number == 1 else f"{name}_tags_{number}",
            "type": "add",
            "field": f"resource[{quoted(key)}]",
            "value": literal(value),
        }
        for number, (key, value) in enumerate(resource(stream).items(), 1)
    ]
    steps = [*tags, *_joined(source, name, joined_by), *fields(source, name)]
    return [*steps[:-1], {**steps[-1], "output": END}]


def literal(text: str) -> str:
    """A text that operators take for one, not for an expression, whatever it looks like."""
    if "EXPR(" not in text:
        return text
    apart = quoted(text).replace("EXPR(", 'EX" + "PR(')
    return f"EXPR({apart})"


def finish() -> Operator:
    """The operator that branches end in."""
    return {"id": END, "type": "noop"}


def _joined(source: Source, name: str, joined_by: str) -> list[Operator]:
    if source.multiline is None:
        return []
    return [
        {
            "id": f"{name}_join",
            "type": "recombine",
            "combine_field": "body",
            "is_first_entry": _IS_TEXT + quoted(source.multiline),
            "source_identifier": joined_by,
            "max_log_size": MAX_RECORD,
            "force_flush_period": FLUSH,
        }
    ]


def fields(source: Source, name: str) -> list[Operator]:
    """The operators that tell the fields of a record apart; there is at least one."""
    if source.format == "plain":
        return _plain(source, name)
    return [json_fields(name) if source.format == "json" else _logfmt(name), *_version(name)]


def json_fields(name: str) -> Operator:
    """The operator that reads the fields of a JSON object; other lines stay as they are."""
    return {
        "id": f"{name}_json",
        "type": "json_parser",
        "if": _IS_TEXT + quoted("^[[:space:]]*[{]"),
        "parse_to": "attributes",
        "parse_ints": True,
        "on_error": "send_quiet",
    }


def _logfmt(name: str) -> Operator:
    return {
        "id": f"{name}_logfmt",
        "type": "key_value_parser",
        "if": _IS_TEXT + quoted("^[^ =]+="),
        "parse_to": "attributes",
        "on_error": "send_quiet",
    }


def _version(name: str) -> list[Operator]:
    # A processor could not: records that were read together share one resource there.
    flat, short = LIFTED_FIELDS["version"]
    target = f"resource[{quoted(flat)}]"
    places = (
        (f"attributes[{quoted(flat)}]", ""),
        ("attributes.service.version", ' and type(attributes.service) == "map"'),
        (f"attributes.{short}", ""),
    )
    return [
        {
            "id": f"{name}_version_{number}",
            "type": "move",
            "if": f'{target} == nil{guard} and type({at}) == "string"',
            "from": at,
            "to": target,
        }
        for number, (at, guard) in enumerate(places, 1)
    ]


def _plain(source: Source, name: str) -> list[Operator]:
    found = {
        "trace": _named(source.fields_of("trace"), "trace_id", 32),
        "span": _named(source.fields_of("span"), "span_id", 16),
        "time": _TIME,
    }
    # The journal and syslog have a severity of their own beside the text.
    if isinstance(source, FileSource | PodSource):
        found["level"] = _LEVEL
    return [
        {
            "id": f"{name}_{what}",
            "type": "regex_parser",
            "regex": regex,
            "parse_to": "attributes",
            "on_error": "send_quiet",
        }
        for what, regex in found.items()
    ]


def _named(fields: tuple[str, ...], name: str, digits: int) -> str:
    names = "|".join(escaped(field) for field in fields)
    return (
        f"(?:^|[^A-Za-z0-9_.])(?:{names})[\"']?[=: ]+[\"']?"
        f"(?P<{name}>[0-9a-fA-F]{{{digits}}})(?:[^0-9a-fA-F]|$)"
    )
