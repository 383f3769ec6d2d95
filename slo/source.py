"""YAML text to trees of nodes with their places; knows nothing of what the trees mean.

Headroom takes YAML's mappings, lists and scalars, several documents, anchors and aliases. It does
not take tags, merge keys, keys that are not scalars, or a key twice. No scalar is resolved to a
type: `no`, `12:30:00` and `1.10` keep their text, and the shape that reads them decides.

The parser's events are read rather than its nodes: the C composer recurses and crashes the
interpreter on deep nesting, and both composers share aliases without counting what they expand to.
"""

import re

import yaml

from slo._builder import Builder, LimitReached, Limits
from slo._positions import Positions
from slo._syntax import error_index, syntax_problem
from slo._yaml_text import decode, readable
from slo.nodes import Document, Entry, Mapping, Node, Scalar, Sequence, Style, to_plain
from slo.problems import Problem, error, in_order

__all__ = [
    "DEFAULT_LIMITS",
    "Document",
    "Entry",
    "Limits",
    "Mapping",
    "Node",
    "Scalar",
    "Sequence",
    "Style",
    "decode",
    "parse_documents",
    "to_plain",
]

DEFAULT_LIMITS = Limits()
"""1 MiB of text, 64 levels, 100,000 nodes, 65,536 characters in a value."""

PARSER: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The C parser where PyYAML was built with it, ten times as fast as the other."""

_DOCUMENT_START = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


def parse_documents(
    text: str, file: str, *, limits: Limits = DEFAULT_LIMITS
) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """Return the documents of a file that could be parsed, and every problem, in order.

    Empty documents are left out. After a syntax error parsing goes on at the next `---`; a limit
    ends the file. Never raises, whatever the text.
    """
    text = text.removeprefix("\ufeff")
    if len(text) > limits.characters:
        message = f"this file has {len(text)} characters; at most {limits.characters} are read"
        return (), (error("yaml/too-large", message, Positions(file, "").span(0, 0)),)
    positions = Positions(file, text)
    clean, problems = readable(text, positions)
    reader = _Reader(clean, positions, limits, problems)
    roots = reader.read()
    return tuple(Document(file=file, root=root) for root in roots), in_order(problems)


class _Reader:
    """The reading of one file, which starts again after each syntax error."""

    def __init__(
        self, text: str, positions: Positions, limits: Limits, problems: list[Problem]
    ) -> None:
        self._text = text
        self._positions = positions
        self._limits = limits
        self._problems = problems
        self._builder = Builder(positions, limits, problems)
        self._roots: list[Node] = []

    def read(self) -> list[Node]:
        """Return the roots of all documents without a syntax error."""
        offset: int | None = 0
        for _ in range(self._limits.syntax_errors):
            if offset is None:
                return self._roots
            offset = self._read_from(offset)
        if offset is not None:
            span = self._positions.span(offset, offset + 3)
            self._problems.append(
                error("yaml/syntax", "too many syntax errors; the rest is not read", span)
            )
        return self._roots

    def _read_from(self, offset: int) -> int | None:
        """Read up to the end or a syntax error; return where to go on."""
        try:
            for event in yaml.parse(self._text[offset:], Loader=PARSER):
                root = self._builder.feed(event, offset)
                if root is not None:
                    self._roots.append(root)
        except LimitReached as limit:
            self._problems.append(limit.problem)
        # The pure parser lets a few ValueErrors of escapes and directives through.
        except (yaml.YAMLError, ValueError, OverflowError) as cause:
            self._problems.append(syntax_problem(cause, self._text, offset, self._positions))
            start = max(error_index(cause, offset), offset + 1)
            following = _DOCUMENT_START.search(self._text, start)
            return None if following is None else following.start()
        return None
