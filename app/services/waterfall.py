"""How the spans of one trace lie in each other: depth, order, own time, critical path. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One span as far as time is concerned; Unix nanoseconds."""

    id: str
    parent: str | None
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a span belongs in the picture of its trace.

    ``order`` counts from 0 down the picture; ``self_time`` is the part of the span, in
    nanoseconds, in which none of its children ran.
    """

    depth: int
    order: int
    self_time: int
    critical: bool


def waterfall(bars: Sequence[Bar]) -> tuple[Place, ...]:
    """Place every span of a trace; the answer is in the order of the question.

    A span whose parent is not there is a root. Spans that are each other's parents are taken apart
    at the earliest one.
    """
    children, roots = _tree(bars)
    placed = list(_walk(children, roots))
    critical = _critical(bars, children, roots)
    found: dict[int, Place] = {}
    for order, (index, depth) in enumerate(placed):
        found[index] = Place(
            depth=depth,
            order=order,
            self_time=_own(bars[index], [bars[child] for child in children[index]]),
            critical=index in critical,
        )
    return tuple(found[index] for index in range(len(bars)))


_Children = Mapping[int, Sequence[int]]


def _tree(bars: Sequence[Bar]) -> tuple[_Children, list[int]]:
    """Children and roots by place, earliest first; every span hangs below one root."""
    first: dict[str, int] = {}
    for index, bar in enumerate(bars):
        first.setdefault(bar.id, index)
    parents = [
        None if bar.parent is None or bar.parent == bar.id else first.get(bar.parent)
        for bar in bars
    ]
    times = sorted(range(len(bars)), key=lambda index: (bars[index].start, -bars[index].end))
    safe: set[int] = set()
    for index in times:
        path: list[int] = []
        current: int | None = index
        while current is not None and current not in safe and current not in path:
            path.append(current)
            current = parents[current]
        if current is not None and current in path:
            circle = path[path.index(current) :]
            parents[min(circle, key=times.index)] = None
        safe.update(path)
    children: dict[int, list[int]] = {index: [] for index in range(len(bars))}
    for index in times:
        if (parent := parents[index]) is not None:
            children[parent].append(index)
    return children, [index for index in times if parents[index] is None]


def _walk(children: _Children, roots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each span with its depth, parents before children."""
    waiting = [(root, 0) for root in reversed(roots)]
    while waiting:
        index, depth = waiting.pop()
        yield index, depth
        waiting.extend((child, depth + 1) for child in reversed(children[index]))


def _own(bar: Bar, children: Sequence[Bar]) -> int:
    """The time of a span that no child covers; children come by start."""
    covered, reached = 0, bar.start
    for child in children:
        start, end = max(child.start, reached), min(child.end, bar.end)
        if end > start:
            covered += end - start
            reached = end
    return max(0, bar.end - bar.start - covered)


def _critical(bars: Sequence[Bar], children: _Children, roots: Sequence[int]) -> set[int]:
    """The spans that the trace's end waited for.

    From the end of the longest root backwards, time belongs to the child that ended last before
    it, and then to the one that ended last before that child began (CRISP, USENIX ATC 2022).
    """
    if not roots:
        return set()
    longest = max(roots, key=lambda index: bars[index].end - bars[index].start)
    found = {longest}
    waiting = [longest]
    while waiting:
        parent = bars[index := waiting.pop()]
        cursor = parent.end
        for child in sorted(children[index], key=lambda place: bars[place].end, reverse=True):
            bar = bars[child]
            # Clocks differ a little between machines; what outlives its parent by more than that
            # was not waited for.
            end = min(bar.end, parent.end)
            if end <= cursor and bar.end - end <= max(0, end - bar.start):
                found.add(child)
                waiting.append(child)
                cursor = max(bar.start, parent.start)
    return found
