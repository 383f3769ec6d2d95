"""Tags and processing rules of the Datadog agent."""

from __future__ import annotations

from typing import Any

from collectors.tagging.masking import maskings
from collectors.tagging.model import Convention, Plan, Source, Stream


def tags(stream: Stream) -> list[str]:
    """The tags of a stream as the agent writes them; its service is not among them."""
    return [f"{name}:{value}" for name, value in tag_values(stream).items()]


def tag_values(stream: Stream) -> dict[str, str]:
    """The tags of a stream besides its service, which Datadog has a place of its own for."""
    found = stream.tags(Convention.LABEL)
    found.pop("service")
    return {**found, "component": stream.component.name}


def rules(plan: Plan, source: Source) -> dict[str, Any]:
    """The processing rules of a source, which run in this order."""
    lines = [] if source.multiline is None else [_lines(source.multiline)]
    found = [*lines, *mask_rules(plan)]
    return {"log_processing_rules": found} if found else {}


def _lines(pattern: str) -> dict[str, str]:
    return {"type": "multi_line", "name": "record_start", "pattern": pattern}


def mask_rules(plan: Plan) -> list[dict[str, str]]:
    """The rules that take secrets out of a line."""
    return [
        {
            "type": "mask_sequences",
            "name": f"mask_{rule.name}",
            "replace_placeholder": rule.replacement("${{{}}}"),
            "pattern": rule.pattern,
        }
        for rule in maskings(plan)
    ]
