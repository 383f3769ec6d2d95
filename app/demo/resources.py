"""Senders of telemetry, and what they send, put together into OTLP requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from app.demo import wire
from app.demo.timeline import Pod
from slo.records import dataclass

LARGEST = 2_000_000
"""About how many bytes a request has at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A sender: its resource message, and the library that wrote for it."""

    resource: bytes
    scope: bytes

    @classmethod
    def of(cls, pod: Pod) -> Resource:
        """The sender that a pod is."""
        return _of_pod(pod)

    @classmethod
    def named(cls, attributes: Mapping[str, str], scope: str) -> Resource:
        """A sender with these attributes."""
        return cls(
            resource=wire.message(1, wire.attributes(1, attributes)),
            scope=wire.message(1, wire.text(1, scope)),
        )


@cache
def _of_pod(pod: Pod) -> Resource:
    return Resource.named(pod.attributes(), f"airline.{pod.service.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What one sender sends: ``content`` is a run of records as fields of their scope."""

    resource: Resource
    content: bytes
    records: int

    def encoded(self) -> bytes:
        """The ``ResourceMetrics``, ``ResourceSpans`` or ``ResourceLogs`` as a request's field."""
        scope = wire.message(2, self.resource.scope + self.content)
        return wire.message(1, self.resource.resource + scope)


def requests(payloads: Iterable[Payload]) -> Iterator[tuple[bytes, int]]:
    """Put payloads into requests of a reasonable size; with each, how many records it has."""
    parts: list[bytes] = []
    size = records = 0
    for payload in payloads:
        part = payload.encoded()
        if parts and size + len(part) > LARGEST:
            yield b"".join(parts), records
            parts, size, records = [], 0, 0
        parts.append(part)
        size += len(part)
        records += payload.records
    if parts:
        yield b"".join(parts), records
