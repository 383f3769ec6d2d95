"""Whether the series that an application counts are its own, and no other's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from app.live_checks.findings import listing
from app.live_checks.scopes import Scope, totals
from slo.printable import quote
from slo.problems import Severity
from slo.promql import Selector

OWNER_LABELS = ("app", "namespace")
"""The labels whose values usually tell applications apart."""

_MOST_PAIRS = 500
_PAIRS_PER_QUERY = 20
_PAIR = "headroom_pair"

Owned = tuple[Scope, Selector]


def check_mixture(scope: Scope) -> None:
    """Report a total that spans several values of an owner label, with nothing to choose one."""
    if scope.cluster.match:
        return
    for selector in totals(scope):
        chosen = {matcher.name for matcher in selector.matchers}
        for label in OWNER_LABELS:
            if label in chosen:
                continue
            values = scope.server.values(label, selector)
            if len(values) > 1:
                shown = listing([quote(value) for value in values], 5)
                scope.report(
                    "live/mixed-series",
                    Severity.WARNING,
                    f"{quote(str(selector))} matches series of several applications: "
                    f"{label} is {shown}",
                    hint=f"choose one with {label} in the selector, or in the environment's match",
                )


def check_shared(scopes: Sequence[Scope]) -> None:
    """Report series that two applications count; each pair of selectors once."""
    pairs = list(_pairs(scopes))
    for start in range(0, min(len(pairs), _MOST_PAIRS), _PAIRS_PER_QUERY):
        batch = pairs[start : min(start + _PAIRS_PER_QUERY, _MOST_PAIRS)]
        by_server: dict[int, list[tuple[Owned, Owned]]] = defaultdict(list)
        for pair in batch:
            by_server[id(pair[0][0].server)].append(pair)
        for group in by_server.values():
            _check_pairs(group)
    if len(pairs) > _MOST_PAIRS:
        first = pairs[_MOST_PAIRS][0][0]
        first.report(
            "live/shared-series",
            Severity.NOTE,
            f"{len(pairs)} pairs of selectors could select the same series; "
            f"{_MOST_PAIRS} were compared",
        )


def _check_pairs(pairs: Sequence[tuple[Owned, Owned]]) -> None:
    legs = [
        f"label_replace(count(({_recent(one)}) and ({_recent(other)})), "
        f'"{_PAIR}", "{place}", "", "")'
        for place, ((_, one), (_, other)) in enumerate(pairs)
    ]
    shared = pairs[0][0][0].server.numbers(" or ".join(legs), by=_PAIR)
    for place, (mine, yours) in enumerate(pairs):
        if str(place) in shared:
            _report(mine, yours, shared[str(place)])


def _report(mine: Owned, yours: Owned, count: int) -> None:
    (scope, selector), (other, _) = mine, yours
    slo, its = scope.level, other.level
    place = () if its.slo.span is None else ((its.slo.span, f"{its.key} counts them too"),)
    scope.report(
        "live/shared-series",
        Severity.WARNING,
        f"{slo.app.name} and {its.app.name} count the same series: {count} of those that "
        f"{quote(str(selector))} selects",
        hint=f"{slo.key} and {its.key} move together; give each app a selector of its own",
        related=place,
    )


def _pairs(scopes: Iterable[Scope]) -> Iterator[tuple[Owned, Owned]]:
    """Yield selectors of different applications on one server that could overlap."""
    alike: dict[tuple[int, str | None], dict[tuple[str, str], Owned]] = defaultdict(dict)
    for scope in sorted(scopes, key=lambda one: (one.level.key, one.cluster.name)):
        for selector in totals(scope):
            owner = (scope.level.app.name, str(selector))
            alike[id(scope.server), selector.metric].setdefault(owner, (scope, selector))
    for found in alike.values():
        for mine, yours in combinations(found.values(), 2):
            different = mine[0].level.app.name != yours[0].level.app.name
            if different and not _disjoint(mine[1], yours[1]):
                yield mine, yours


def _disjoint(one: Selector, other: Selector) -> bool:
    """Tell whether two selectors ask for different values of one label."""
    wanted = {each.name: each.value for each in one.matchers if each.op == "="}
    return any(
        each.op == "=" and wanted.get(each.name, each.value) != each.value
        for each in other.matchers
    )


def _recent(selector: Selector) -> str:
    return f"last_over_time({selector}[15m])"
