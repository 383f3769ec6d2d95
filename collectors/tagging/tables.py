"""The table of sources that collectors' own programs look into."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from collectors.tagging.model import JournalSource, PodSource, SyslogSource
from collectors.tagging.shipping import Reading, in_text

Entry = dict[str, object]
"""One source: texts, lists of texts, objects of texts, booleans and ``None``."""


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


def kind(reading: Reading) -> str:
    """What kind of source it is: ``file``, ``journal``, ``syslog`` or ``pods``."""
    if isinstance(reading.source, PodSource):
        return "pods"
    if isinstance(reading.source, SyslogSource):
        return "syslog"
    return "journal" if isinstance(reading.source, JournalSource) else "file"
