"""The service map: who calls whom, how well, what was declared, and what a change touches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.dependencies import (
    MESSAGING,
    SERVICE,
    Link,
    Node,
    by_id,
    dependents,
    node_of_peer,
    with_declared,
)
from app.services.judging import judged
from app.services.results import ServiceMap
from app.services.subjects import subject
from app.services.times import instant
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange, Where
from slo.errors import SourceError, UsageError
from slo.evaluate import Evaluation, State
from slo.ports import NoDataReason
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd

_WORST_FIRST = (State.EXHAUSTED, State.BURNING, State.OK, State.NO_DATA)
_NODES = ("id", "app", "name", "kind", "state", "budget_remaining", "rate", "error_ratio", "own")
_EDGES = ("source", "target", "rate", "error_ratio", "p50", "p99", "declared", "observed")

SOMEBODY = "another app"
"""What stands for an application that the asker may not see."""


def service_map(
    world: World, scope: Scope, app: str | None, env: str, range_: TimeRange
) -> Answered[ServiceMap]:
    """Return the map around one application, or of all that the asker sees.

    Of what the asker may not see there is one nameless node for each application, and only where
    it talks to what may be seen. Of a shared database or load balancer only the calls of visible
    applications are shown. Rates are of calls that arrive at a node; the state is that of the
    application's worst SLO at the range's end.
    """
    if app is None:
        world.project.levels(None, env)
    else:
        subject(world, scope, app, env)
    visible = {each.name for each in world.project.catalog.apps if scope.sees(each.name, env)}
    asked = world.reader("calls").edges(Where(app=None, env=env, range=range_), range_)
    links = _links(asked.value, world)
    catalog = world.project.catalog
    central = visible if app is None else {app}
    everything = with_declared(links, catalog, {each.name for each in catalog.apps})
    kept = _around(everything, central)
    touched = [] if app is None else dependents(app, catalog, links)
    unseen = [name for name in touched if name not in visible]
    shown = _disguised(kept, visible)
    states, notes = _states(world, {n.app for n in by_id(shown).values() if n.app}, env, range_)
    if unseen:
        notes = (*notes, f"{len(unseen)} more apps depend on it that you may not see")
    seconds = max(1, range_.length) / 1e9
    value = ServiceMap(
        nodes=_node_frame(shown, states, central, seconds),
        edges=_edge_frame(shown, seconds),
        touched=tuple(name for name in touched if name in visible),
        notes=notes,
    )
    return replace(asked.giving(value), notes=(*asked.notes, *notes))


def _links(frame: pd.DataFrame, world: World) -> list[Link]:
    """Links of calls, with names found in the catalogue."""
    catalog = world.project.catalog
    topics = {
        str(row["target"])
        for row in frame.to_dict("records")
        if _text(row["target_app"]) is None and row["target_kind"] != SERVICE
    }
    found = []
    for row in frame.to_dict("records"):
        source_app, target_app = _text(row["source_app"]), _text(row["target_app"])
        source, target, kind = str(row["source"]), str(row["target"]), str(row["target_kind"])
        if source_app is None and (source in topics or "/" in source):
            start = Node(app=None, name=source, kind=MESSAGING)
        else:
            start = Node(app=source_app, name=source, kind=SERVICE)
        end = (
            Node(app=target_app, name=target, kind=SERVICE)
            if target_app is not None
            else node_of_peer(target, kind, catalog, source_app)
        )
        found.append(
            Link(
                source=start,
                target=end,
                count=float(row["count"]),
                errors=float(row["errors"]),
                p50=float(row["p50"]),
                p99=float(row["p99"]),
            )
        )
    return found


def _around(links: Sequence[Link], central: Collection[str]) -> list[Link]:
    """The links of some applications, and who else takes or sends the messages they exchange."""
    mine = set(central)
    direct = [link for link in links if mine & {link.source.app, link.target.app}]
    topics = {
        node.id
        for link in direct
        for node in (link.source, link.target)
        if node.app is None and _carries_messages(node)
    }
    return [
        link
        for link in links
        if mine & {link.source.app, link.target.app}
        or link.source.id in topics
        or link.target.id in topics
    ]


def _carries_messages(node: Node) -> bool:
    return node.kind in {MESSAGING, "queue"}


def _disguised(links: Sequence[Link], visible: Collection[str]) -> list[Link]:
    """The same links with what may not be seen made nameless, and links between such left out."""
    hidden = sorted(
        {n.app for n in by_id(links).values() if n.app is not None and n.app not in visible}
    )
    names = {name: f"{SOMEBODY} {place}" for place, name in enumerate(hidden, start=1)}

    def shown(node: Node) -> Node:
        if node.app in names:
            return Node(app=None, name=names[node.app], kind=SERVICE)
        return node

    both: dict[tuple[Node, Node], list[Link]] = defaultdict(list)
    for link in links:
        source, target = shown(link.source), shown(link.target)
        if source != target or link.source == link.target:
            both[source, target].append(link)
    masked = {Node(app=None, name=name, kind=SERVICE) for name in names.values()}
    return [
        _sum(source, target, each)
        for (source, target), each in both.items()
        if not (source in masked and target in masked)
    ]


def _sum(source: Node, target: Node, links: Sequence[Link]) -> Link:
    seen = [link for link in links if link.observed]
    return Link(
        source=source,
        target=target,
        count=sum(link.count for link in seen),
        errors=sum(link.errors for link in seen),
        p50=max((link.p50 for link in seen if link.p50 is not None), default=None),
        p99=max((link.p99 for link in seen if link.p99 is not None), default=None),
        declared=any(link.declared for link in links),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """The worst that is known of an application."""

    state: State
    remaining: float | None


def _states(
    world: World, apps: Collection[str], env: str, range_: TimeRange
) -> tuple[Mapping[str, _Judged], tuple[str, ...]]:
    levels = [level for level in world.project.catalog.levels(sorted(apps)) if level.key.env == env]
    try:
        found = judged(world, levels, instant(range_.end))
    except (SourceError, UsageError) as error:
        return {}, (f"states are not known: {error}",)
    by_app: dict[str, list[Evaluation]] = defaultdict(list)
    unread = set()
    for one in found:
        if one.no_data is not None and one.no_data.reason is NoDataReason.SOURCE_FAILED:
            unread.add(one.key.app)
        else:
            by_app[one.key.app].append(one)
    notes = (f"not every SLO could be read: {', '.join(sorted(unread))}",) if unread else ()
    return {app: _judged(mine) for app, mine in by_app.items()}, notes


def _judged(found: Sequence[Evaluation]) -> _Judged:
    left = [float(one.budget.remaining) for one in found if one.budget is not None]
    return _Judged(
        state=min((one.state for one in found), key=_WORST_FIRST.index),
        remaining=min(left, default=None),
    )


def _node_frame(
    links: Sequence[Link],
    states: Mapping[str, _Judged],
    central: Collection[str],
    seconds: float,
) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    arriving: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        if link.observed:
            arriving[link.target.id].append(link)
    rows = []
    for name, node in sorted(by_id(links).items()):
        calls = sum(link.count for link in arriving[name])
        judged = states.get(node.app) if node.app is not None else None
        rows.append(
            {
                "id": name,
                "app": node.app,
                "name": node.name,
                "kind": node.kind,
                "state": None if judged is None else judged.state.value,
                "budget_remaining": None if judged is None else judged.remaining,
                "rate": calls / seconds if calls else None,
                "error_ratio": sum(link.errors for link in arriving[name]) / calls
                if calls
                else None,
                "own": node.app in central,
            }
        )
    frame = pd.DataFrame(rows, columns=list(_NODES))
    numbers = ["budget_remaining", "rate", "error_ratio"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def _edge_frame(links: Sequence[Link], seconds: float) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - loaded with the first question

    rows = [
        {
            "source": link.source.id,
            "target": link.target.id,
            "rate": link.count / seconds if link.observed else None,
            "error_ratio": link.errors / link.count if link.observed else None,
            "p50": link.p50,
            "p99": link.p99,
            "declared": link.declared,
            "observed": link.observed,
        }
        for link in sorted(links, key=lambda link: (-link.count, link.source.id, link.target.id))
    ]
    frame = pd.DataFrame(rows, columns=list(_EDGES))
    return frame.astype(dict.fromkeys(["rate", "error_ratio", "p50", "p99"], "float64"))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
