"""JSON objects as log records: read within bounds, given an owner, put into a batch."""

from __future__ import annotations

import re
from collections.abc import Mapping

from collectors.receive.batch import Batch, Memory
from collectors.receive.groups import Source
from collectors.receive.json_text import read_json, without_surrogates
from collectors.receive.limits import Limits
from collectors.receive.plain import FieldMap, read_line
from collectors.receive.values import dumps

_MOST_SOURCES = 4096
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")  # an escape that may be half a character


def read_object(line: bytes, limits: Limits) -> dict[str, object]:
    """Read a line as a JSON object; raises ``Refused`` or ``ValueError`` for what is none."""
    if len(line) > limits.line:
        raise ValueError(f"longer than {limits.line} bytes")
    value = read_json(line, limits.depth)
    if not isinstance(value, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one error for bad input
    return value


def mended(line: bytes, value: dict[str, object]) -> dict[str, object]:
    """The object that was read from a line, without halves of characters."""
    return without_surrogates(value) if _HALF.search(line) else value


class PlainRecords:
    """Adds objects to batches as log records, remembering who sent them."""

    def __init__(self, memory: Memory, fields: FieldMap) -> None:
        self._memory = memory
        self._fields = fields
        self._sources: dict[tuple[tuple[str, str], ...], Source] = {}

    def add(self, batch: Batch, value: Mapping[str, object]) -> None:
        """Add a row; raises ``ValueError`` for a time that cannot be read."""
        line = read_line(value, self._fields, batch.at, self._memory.limits)
        source = self._source(line.resource)
        owner = source.known.join(line.attributes)
        row = (
            batch.group(owner, source, None),
            line.time,
            None,
            line.severity,
            line.severity_text,
            line.event,
            line.body,
            line.trace_id,
            line.span_id,
            None,
            dumps(line.attributes) if line.attributes else None,
        )
        batch.rows.append(row)

    def _source(self, resource: Mapping[str, str]) -> Source:
        key = tuple(resource.items())
        found = self._sources.get(key)
        if found is None:
            if len(self._sources) >= _MOST_SOURCES:
                self._sources.clear()
            text = dumps(resource) if resource else None
            found = Source(self._memory.joiner, dict(resource), text, self._memory.limits)
            self._sources[key] = found
        return found
