"""What an answer of a search lacks, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slo.printable import printable

_LONGEST_QUOTE = 200


def incomplete(answer: Mapping[str, Any]) -> tuple[str, ...]:
    """What is missing from a search's answer: time that ran out, failed shards, lost clusters."""
    return tuple(_lacking(answer))


def lost_shards(shards: Mapping[str, Any]) -> int:
    """How many shards gave nothing; OpenSearch counts those that are nowhere as not failed."""
    total, successful = shards.get("total"), shards.get("successful")
    failed: int = shards.get("failed") or 0
    if isinstance(total, int) and isinstance(successful, int):
        return max(failed, total - successful)
    return failed


def _lacking(answer: Mapping[str, Any]) -> Iterator[str]:
    if answer.get("timed_out"):
        yield "the search ran out of time, and what it had found until then is shown"
    if answer.get("terminated_early"):
        yield "the search was ended early"
    shards = answer.get("_shards")
    if isinstance(shards, Mapping) and (lost := lost_shards(shards)):
        yield f"{lost} of {shards.get('total')} shards failed{_reason(shards)}"
    clusters = answer.get("_clusters")
    if isinstance(clusters, Mapping):
        for state in ("skipped", "failed", "partial"):
            if clusters.get(state):
                yield f"{clusters[state]} of {clusters.get('total')} clusters: {state}"


def _reason(shards: Mapping[str, Any]) -> str:
    failures = shards.get("failures")
    first = failures[0] if isinstance(failures, list) and failures else None
    reason = first.get("reason") if isinstance(first, Mapping) else None
    said = reason.get("reason") or reason.get("type") if isinstance(reason, Mapping) else None
    return f": {printable(str(said))[:_LONGEST_QUOTE]}" if said else ""
