"""What depends on what: as applications declare it, and as their calls and messages show it. Pure.

Nodes are services, named ``app/service``, and what services talk to, named as they name it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from app.services.components import is_peer
from slo.model import App, Catalog, Component
from slo.records import dataclass

SERVICE, APP = "service", "app"
MESSAGING = "messaging"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A service of an application, an application as a whole, or what is talked to."""

    app: str | None
    name: str
    kind: str

    @property
    def id(self) -> str:
        """The name that edges know it by."""
        return self.name if self.app is None or self.kind == APP else f"{self.app}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Calls from one node to another; ``count`` is 0 for a link that was declared only.

    Durations are nanoseconds.
    """

    source: Node
    target: Node
    count: float = 0.0
    errors: float = 0.0
    p50: float | None = None
    p99: float | None = None
    declared: bool = False

    @property
    def observed(self) -> bool:
        """Whether there were any."""
        return self.count > 0


def with_declared(links: Sequence[Link], catalog: Catalog, apps: Collection[str]) -> list[Link]:
    """Mark the links that these applications declare, and add those that were never seen."""
    owners = [app for app in catalog.apps if app.name in apps]
    wanted = [pair for app in owners for pair in _wanted(app, catalog, links)]
    consumed = set(_through_topics(links))
    marked = [
        link
        if not link.observed
        else _marked(link, declared=_is_declared(link, wanted, catalog, consumed))
        for link in links
    ]
    seen = {(link.source.id, link.target.id) for link in marked}
    for source, target in wanted:
        if _observed(source, target, links, consumed) or (source.id, target.id) in seen:
            continue
        seen.add((source.id, target.id))
        marked.append(Link(source=source, target=target, declared=True))
    return marked


def dependents(app: str, catalog: Catalog, links: Sequence[Link]) -> list[str]:
    """Return the applications that depend on one, directly or through others, nearest first.

    Who calls an application depends on it, and so does who takes its messages.
    """
    by: dict[str, set[str]] = defaultdict(set)
    for one in catalog.apps:
        for other in one.depends_on:
            by[other].add(one.name)
    for link in links:
        source, target = link.source.app, link.target.app
        if link.observed and source and target and source != target:
            by[target].add(source)
    for producer, consumer in _through_topics(links):
        by[producer].add(consumer)
    found: dict[str, None] = {}
    edge = [app]
    while edge:
        edge = sorted({who for each in edge for who in by[each]} - {app, *found})
        found.update(dict.fromkeys(edge))
    return list(found)


def node_of_peer(peer: str, kind: str, catalog: Catalog, asker: str | None) -> Node:
    """Return the node of what was called: a known service, the caller's component, or its name.

    A shared thing keeps its name and belongs to nobody.
    """
    if kind == SERVICE:
        owners = {
            app.name
            for app in catalog.apps
            for part in app.components
            if peer in {part.service, part.name} and part.service is not None
        }
        return Node(app=owners.pop() if len(owners) == 1 else None, name=peer, kind=SERVICE)
    for app in catalog.apps:
        if app.name == asker:
            for part in app.components:
                if is_peer(part, peer):
                    return Node(app=None, name=peer, kind=part.kind.value)
    return Node(app=None, name=peer, kind=kind)


def _through_topics(links: Iterable[Link]) -> Iterator[tuple[str, str]]:
    """Pairs of applications, the second of which takes messages of the first."""
    writers: dict[str, set[str]] = defaultdict(set)
    readers: dict[str, set[str]] = defaultdict(set)
    for link in links:
        if link.observed and link.target.app is None and link.source.app:
            writers[link.target.id].add(link.source.app)
        if link.observed and link.source.app is None and link.target.app:
            readers[link.source.id].add(link.target.app)
    for topic, apps in writers.items():
        yield from ((one, two) for one in apps for two in readers[topic] if one != two)


def _wanted(app: App, catalog: Catalog, links: Sequence[Link]) -> Iterator[tuple[Node, Node]]:
    """The dependencies that an application declares: on others, and between its parts."""
    for other in app.depends_on:
        if catalog.app(other) is not None:
            yield _anchor(app.name, links), _anchor(other, links)
    parts = {part.name: part for part in app.components}
    needed: set[str] = set()
    for part in app.components:
        for name in part.depends_on:
            if name in parts:
                needed.add(name)
                yield _node(app, part, links), _node(app, parts[name], links)
    for part in app.components:
        if part.address is not None and part.name not in needed and part.service is None:
            yield _anchor(app.name, links), _node(app, part, links)


def _anchor(app: str, links: Sequence[Link]) -> Node:
    """What stands for an application: its busiest service, or itself when none was seen."""
    busy: dict[Node, float] = defaultdict(float)
    for link in links:
        for node in (link.source, link.target):
            if node.app == app and node.kind == SERVICE:
                busy[node] += link.count
    if not busy:
        return Node(app=app, name=app, kind=APP)
    return max(busy, key=lambda node: (busy[node], node.id))


def _node(app: App, part: Component, links: Sequence[Link]) -> Node:
    names = {part.service, part.name} - {None}
    for link in links:
        for node in (link.source, link.target):
            if node.app == app.name and node.name in names:
                return node
            if node.app is None and link.source.app == app.name and is_peer(part, node.name):
                return node
    kind = SERVICE if part.service is not None else part.kind.value
    return Node(app=app.name, name=part.service or part.name, kind=kind)


def _observed(
    source: Node, target: Node, links: Sequence[Link], consumed: Collection[tuple[str, str]]
) -> bool:
    across = source.app and target.app and source.app != target.app
    if across and (str(target.app), str(source.app)) in consumed:
        return True
    return any(
        link.observed
        and (
            (link.source.app, link.target.app) == (source.app, target.app)
            if across
            else (link.source.id, link.target.id) == (source.id, target.id)
            or (target.app is None and link.target == target and link.source.app == source.app)
        )
        for link in links
    )


def _is_declared(
    link: Link,
    wanted: Sequence[tuple[Node, Node]],
    catalog: Catalog,
    consumed: Collection[tuple[str, str]],
) -> bool:
    source, target = link.source.app, link.target.app
    declared = {(one.name, other) for one in catalog.apps for other in one.depends_on}
    if source and target:
        if source != target:
            return (source, target) in declared
        return (link.source, link.target) in wanted or not _says_inside(catalog.app(source))
    if source is None and target is not None:
        # Messages that somebody takes: of an application it depends on, or of a queue it names.
        writers = {one for one, two in consumed if two == target}
        own = catalog.app(target)
        named = own is not None and any(is_peer(p, link.source.name) for p in own.components)
        return named or any((target, writer) in declared for writer in writers)
    own = catalog.app(source) if source else None
    return own is not None and any(is_peer(part, link.target.name) for part in own.components)


def _says_inside(app: App | None) -> bool:
    """Whether an application says anything about what its own parts call."""
    return app is not None and any(part.depends_on for part in app.components)


def _marked(link: Link, *, declared: bool) -> Link:
    return Link(
        source=link.source,
        target=link.target,
        count=link.count,
        errors=link.errors,
        p50=link.p50,
        p99=link.p99,
        declared=declared,
    )


def by_id(links: Iterable[Link]) -> Mapping[str, Node]:
    """Return every node of some links."""
    return {node.id: node for link in links for node in (link.source, link.target)}
