"""What collectors' own programs look into: sources, and what is the same for every record."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from collectors.tagging.model import FileSource, JournalSource, Plan, PodSource, SyslogSource
from collectors.tagging.shipping import (
    CLAIMED_PREFIXES,
    LEVEL,
    LEVEL_WITHIN,
    LEVELS,
    MESSAGES,
    PRIORITIES,
    PRIVATE_KEY,
    RESERVED,
    TIME,
    UNATTRIBUTED,
    Reading,
    claims,
    in_text,
)
from slo.collecting import MASK
from slo.portable_regex import escaped

_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./*@:+-]+")

Entry = dict[str, object]
"""One source: texts, lists of texts, objects of texts, booleans and ``None``."""


def constants(
    plan: Plan, found: Sequence[Reading], expression: Callable[[str], object]
) -> dict[str, object]:
    """Every value that a program is written around, by the name it has there.

    ``expression`` makes of a portable regular expression what the program takes.
    """
    return {
        "SOURCES": table(found, expression),
        "SECRETS": [expression(secret.pattern) for secret in plan.secrets],
        "PRIVATE": expression(PRIVATE_KEY) if plan.settings.redact_builtin else None,
        "MASK": MASK,
        "CLAIMS": list(claims()),
        "CLAIMED": list(CLAIMED_PREFIXES),
        "RESERVED": list(RESERVED),
        "MESSAGES": list(MESSAGES),
        "LEVELS": list(LEVELS),
        "LEVEL": expression(LEVEL),
        "LEVEL_WITHIN": LEVEL_WITHIN,
        "TIME": expression(TIME),
        "PRIORITIES": list(PRIORITIES),
    }


def nobody(plan: Plan) -> dict[str, str]:
    """Where a record goes that nobody owns."""
    return {
        "data_stream.type": "logs",
        "data_stream.dataset": UNATTRIBUTED,
        "data_stream.namespace": plan.streams[0].namespace,
    }


def table(found: Sequence[Reading], expression: Callable[[str], object]) -> dict[str, Entry]:
    """Every source by its name, pods from the narrowest on.

    ``expression`` makes of a portable regular expression what the program takes.
    """
    return {reading.name: entry(reading, expression) for reading in found}


def entry(reading: Reading, expression: Callable[[str], object]) -> Entry:
    """What a program must know of one source."""
    source = reading.source
    known: Entry = {
        "kind": kind(reading),
        "tags": reading.tags,
        "format": source.format,
        "trace": list(source.fields_of("trace")),
        "span": list(source.fields_of("span")),
        "time": list(source.time_fields),
        "hosts": list(reading.hosts),
        "strict": reading.strict,
        "level": reading.searches_level,
    }
    if source.format == "plain":
        known["trace_in"] = expression(in_text(source, "trace"))
        known["span_in"] = expression(in_text(source, "span"))
    if isinstance(source, FileSource) and not _PLAIN_PATH.fullmatch(source.path):
        # Some collectors' patterns of files can only be wider than such a path.
        known["path"] = expression(path_expression(source.path))
    if isinstance(source, SyslogSource):
        known["program"] = source.program
    if isinstance(source, JournalSource):
        known["unit"] = source.unit
    if isinstance(source, PodSource):
        known["pod_namespace"] = source.namespace
        known["pods"] = None if source.pods is None else expression(source.pods)
        known["container"] = source.container
        known["labels"] = dict(source.labels)
    return known


def path_expression(path: str) -> str:
    """A portable expression for a whole path in which ``*`` stands for a part of a name."""
    return f"^{''.join('[^/]*' if char == '*' else escaped(char) for char in path)}$"


def kind(reading: Reading) -> str:
    """What kind of source it is: ``file``, ``journal``, ``syslog`` or ``pods``."""
    if isinstance(reading.source, PodSource):
        return "pods"
    if isinstance(reading.source, SyslogSource):
        return "syslog"
    return "journal" if isinstance(reading.source, JournalSource) else "file"
