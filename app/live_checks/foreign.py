"""Whether an SLO counts series that are another application's by the ladder of keys."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from app.live_checks.scopes import Scope, totals
from collectors.joining import Joiner
from slo.model import SloKey
from slo.promql import Selector, is_label_name
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """A selector of an SLO and how many of its series are whose, its own application left out."""

    key: SloKey
    place: str
    selector: Selector
    owners: Mapping[str, int]
    total: int


def foreign_series(scope: Scope, joiner: Joiner) -> Iterator[Foreign]:
    """Yield the totals of a service level that select series of other applications."""
    own = scope.level.app.name
    labels = ", ".join(sorted(key for key in joiner.keys if is_label_name(key)))
    for selector in totals(scope):
        counts: dict[str | None, int] = defaultdict(int)
        query = f"count by ({labels}) (last_over_time({selector}[15m]))"
        for group, count in scope.server.groups(query):
            counts[joiner.join(group, {}).app] += count
        others = {app: n for app, n in counts.items() if app is not None and app != own}
        if others:
            yield Foreign(
                key=scope.level.key,
                place=f"{scope.server.reference}, {scope.place}",
                selector=selector,
                owners=dict(sorted(others.items())),
                total=sum(counts.values()),
            )
