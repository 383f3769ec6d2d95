"""Tags that a service must send itself, where a collector cannot add them to OTLP."""

from __future__ import annotations

from urllib.parse import quote

from collectors.tagging.header import header
from collectors.tagging.model import Convention, OtlpSource, Plan, Stream
from collectors.tagging.texts import comment


def resource_files(plan: Plan, collector: str) -> dict[str, str]:
    """An environment file for each service, by path, that makes its SDK send the tags."""
    return {
        f"services/{stream.identifier}.env": _text(plan, collector, stream)
        for stream in plan.streams
        if stream.of(OtlpSource)
    }


def resource_attributes(stream: Stream) -> str:
    """The value of ``OTEL_RESOURCE_ATTRIBUTES`` for a stream, percent-encoded as it asks."""
    tags = stream.tags(Convention.OTEL)
    return ",".join(f"{name}={quote(value, safe='')}" for name, value in tags.items())


def _text(plan: Plan, collector: str, stream: Stream) -> str:
    about = header(
        plan,
        collector,
        f"For the service {stream.service}: this collector adds no tags to what it sends.",
    )
    return f"{comment(about)}OTEL_RESOURCE_ATTRIBUTES={resource_attributes(stream)}\n"
