"""Join health as data, the same from the command and from the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.services.joins.model import Gap, JoinHealth, Share
from slo.printable import printable


def join_json(found: JoinHealth, written: Callable[[int], str]) -> dict[str, object]:
    """Return shares and gaps; ``written`` writes Unix nanoseconds."""
    return {
        "shares": [_share(each) for each in found.shares],
        "gaps": [_gap(each, written) for each in found.gaps],
    }


def _share(share: Share) -> Mapping[str, object]:
    return {
        "app": share.app,
        "signal": share.signal,
        "source": share.source,
        "unit": share.unit,
        "records": share.records,
        "attributed": share.attributed,
        "share": share.part(),
        "rungs": [
            {"rung": rung, "records": count, "share": share.part(rung)}
            for rung, count in share.rungs.items()
        ],
    }


def _gap(gap: Gap, written: Callable[[int], str]) -> Mapping[str, object]:
    return {
        "signal": gap.signal,
        "source": gap.source,
        "unit": gap.unit,
        "records": gap.records,
        "share": gap.part,
        "missing": gap.missing,
        "claimants": list(gap.claimants),
        "app": gap.app,
        "service": gap.service,
        "host": gap.host,
        "namespace": gap.namespace,
        "stream": gap.stream,
        "first": None if gap.first is None else written(gap.first),
        "last": None if gap.last is None else written(gap.last),
        "example": None if gap.example is None else printable(gap.example),
        "todo": gap.remedy.todo,
        "files": list(gap.remedy.files),
        "command": gap.remedy.command,
    }
