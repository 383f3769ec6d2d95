"""From the parser's events to nodes, with every limit checked before anything grows."""

import re
from dataclasses import field
from typing import Protocol

import yaml

from slo._positions import Positions
from slo.nodes import Dangling, Entry, Mapping, Node, Scalar, Sequence, Style
from slo.printable import quote
from slo.problems import Problem, Span, error
from slo.records import dataclass


class _Mark(Protocol):
    @property
    def index(self) -> int: ...


_SURROGATE = re.compile("[\ud800-\udfff]")
_STYLES = {"'": Style.QUOTED, '"': Style.QUOTED, "|": Style.BLOCK, ">": Style.BLOCK}
_KNOWN_TAGS = {
    yaml.ScalarEvent: "tag:yaml.org,2002:str",
    yaml.SequenceStartEvent: "tag:yaml.org,2002:seq",
    yaml.MappingStartEvent: "tag:yaml.org,2002:map",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one file may hold; nodes are counted as if every alias were written out."""

    characters: int = 1_048_576
    depth: int = 64
    nodes: int = 100_000
    scalar: int = 65_536
    syntax_errors: int = 20


class LimitReached(Exception):  # noqa: N818 - not an error of the program
    """The file asks for more than its limits; carries the problem to report."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(problem.message)


@dataclass(slots=True, kw_only=True)
class _Open:
    """A collection whose end has not come yet; in a mapping keys and values alternate."""

    is_mapping: bool
    start: int
    anchor: str | None
    nodes: list[Node] = field(default_factory=list)
    seen: dict[str, Span] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    size: int = 1
    height: int = 1
    last: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    """A finished node with what it weighs once its aliases are written out."""

    node: Node
    size: int
    height: int
    end: int


class Builder:
    """The documents of one file as they grow; `feed` takes events in order."""

    def __init__(self, positions: Positions, limits: Limits, problems: list[Problem]) -> None:
        self._positions = positions
        self._limits = limits
        self._problems = problems
        self._total = 0
        self._open: list[_Open] = []
        self._anchors: dict[str, _Built] = {}
        self._root: Node | None = None

    def feed(self, event: yaml.Event, offset: int) -> Node | None:
        """Take one event; return the root when a document ends, or nothing for an empty one.

        `offset` is where the text given to the parser starts in the file. Raises `LimitReached`.
        """
        start, end = _index(event.start_mark) + offset, _index(event.end_mark) + offset
        if isinstance(event, yaml.DocumentStartEvent):
            self._open, self._anchors, self._root = [], {}, None
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event, start, end)
        elif isinstance(event, yaml.ScalarEvent):
            self._scalar(event, start, end)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event, start, end)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._finish(start, end)
        elif isinstance(event, yaml.DocumentEndEvent):
            root = self._root
            return None if isinstance(root, Scalar) and root.is_null else root
        return None

    def _begin(self, event: yaml.CollectionStartEvent, start: int, end: int) -> None:
        self._check_tag(event, start, end)
        self._count(1, start, end)
        self._check_depth(1, start, end)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        self._open.append(_Open(is_mapping=is_mapping, start=start, anchor=event.anchor))

    def _finish(self, start: int, end: int) -> None:
        done = self._open.pop()
        # A block collection "ends" at the next token, past blank lines and comments.
        last = end if end > start else max(done.last, done.start)
        span = self._positions.span(done.start, last)
        node: Node = (
            Mapping(entries=tuple(done.entries), span=span)
            if done.is_mapping
            else Sequence(items=tuple(done.nodes), span=span)
        )
        built = _Built(node=node, size=done.size, height=done.height, end=last)
        self._keep(done.anchor, built)
        self._add(built)

    def _scalar(self, event: yaml.ScalarEvent, start: int, end: int) -> None:
        tagged = self._check_tag(event, start, end)
        self._count(1, start, end)
        span = self._positions.span(start, end)
        text, style = event.value, _STYLES.get(event.style or "", Style.PLAIN)
        if len(text) > self._limits.scalar:
            message = f"this value has {len(text)} characters; at most {self._limits.scalar} fit"
            self._problems.append(error("yaml/scalar-too-long", message, span))
            text = text[: self._limits.scalar]
        if _SURROGATE.search(text):
            message = "this value holds half of a surrogate pair"
            self._problems.append(error("yaml/control-character", message, span))
            text = _SURROGATE.sub("\ufffd", text)
        if tagged and style is Style.PLAIN:
            style = Style.QUOTED
        built = _Built(node=Scalar(text=text, style=style, span=span), size=1, height=0, end=end)
        self._keep(event.anchor, built)
        self._add(built)

    def _alias(self, event: yaml.AliasEvent, start: int, end: int) -> None:
        name, span = event.anchor or "", self._positions.span(start, end)
        target = self._anchors.get(name)
        if any(each.anchor == name for each in self._open):
            message = f"the alias {quote('*' + name)} refers to a value that contains it"
            target = self._dangling(error("yaml/self-reference", message, span), end)
        elif target is None:
            message = f"there is no anchor {quote('&' + name)} before this alias"
            target = self._dangling(error("yaml/unknown-alias", message, span), end)
        self._count(target.size, start, end)
        self._check_depth(target.height, start, end)
        self._add(_Built(node=target.node, size=target.size, height=target.height, end=end))

    def _dangling(self, problem: Problem, end: int) -> _Built:
        assert problem.span is not None
        self._problems.append(problem)
        node = Dangling(text="", style=Style.PLAIN, span=problem.span, problem=problem)
        return _Built(node=node, size=1, height=0, end=end)

    def _keep(self, anchor: str | None, built: _Built) -> None:
        if anchor is not None:
            self._anchors[anchor] = built

    def _add(self, built: _Built) -> None:
        if not self._open:
            self._root = built.node
            return
        parent = self._open[-1]
        parent.size += built.size
        parent.height = max(parent.height, built.height + 1)
        parent.last = built.end
        parent.nodes.append(built.node)
        if parent.is_mapping and len(parent.nodes) == 2:  # noqa: PLR2004 - a key and its value
            key, value = parent.nodes
            parent.nodes.clear()
            self._add_entry(parent, key, value)

    def _add_entry(self, parent: _Open, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            message = "a key must be a single value, not a list or a mapping"
            self._problems.append(error("yaml/complex-key", message, key.span))
        elif isinstance(key, Dangling):
            return
        elif key.is_null:
            hint = 'quote a key that is text: "null"' if key.text else None
            self._problems.append(error("yaml/null-key", "this key is empty", key.span, hint=hint))
        elif key.text == "<<" and key.style is Style.PLAIN:
            hint = "write the keys out, or put an alias in their place"
            self._problems.append(
                error("yaml/merge-key", "merge keys are not supported", key.span, hint=hint)
            )
        elif key.text in parent.seen:
            related = ((parent.seen[key.text], "first set here"),)
            message = f"the key {quote(key.text)} is set twice"
            self._problems.append(error("yaml/duplicate-key", message, key.span, related=related))
        else:
            parent.seen[key.text] = key.span
            parent.entries.append(Entry(key=key, value=value))

    def _check_tag(
        self, event: yaml.ScalarEvent | yaml.CollectionStartEvent, start: int, end: int
    ) -> bool:
        """Tell whether the event carries a tag that says what is known anyway; refuse others."""
        if event.tag is None:
            return False
        if event.tag == "!" or event.tag == _KNOWN_TAGS[type(event)]:
            return True
        message = f"the tag {quote(event.tag)} is not supported"
        span = self._positions.span(start, end)
        self._problems.append(error("yaml/tag", message, span, hint="leave the tag out"))
        return False

    def _count(self, size: int, start: int, end: int) -> None:
        self._total += size
        if self._total > self._limits.nodes:
            message = f"this file holds more than {self._limits.nodes} values"
            hint = "every alias counts as much as what it stands for"
            span = self._positions.span(start, end)
            raise LimitReached(error("yaml/too-many-nodes", message, span, hint=hint))

    def _check_depth(self, height: int, start: int, end: int) -> None:
        if len(self._open) + height > self._limits.depth:
            message = f"this file is nested more than {self._limits.depth} levels deep"
            raise LimitReached(error("yaml/too-deep", message, self._positions.span(start, end)))


def _index(mark: _Mark | None) -> int:
    assert mark is not None, "both parsers mark every event"
    return mark.index
