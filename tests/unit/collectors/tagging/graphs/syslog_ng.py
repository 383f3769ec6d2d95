"""The ways of records through a configuration of syslog-ng, read as its own lexer reads it."""

import re
from collections.abc import Iterator, Mapping, Sequence

from tests.unit.collectors.tagging.graphs.model import Path

Node = str | list["Node"]

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|(?P<pragma>@[^\n]*)|(?P<space>\s+)|(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<other>'[^']*')|(?P<sign>=>|[(){};,])|(?P<word>[^\s(){};,"'#]+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|(.))|(``)", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r"}


def tokens(text: str) -> list[str]:
    """The tokens of a file without comments; a text that is none is a failure."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, f"no token begins here: {text[at : at + 60]!r}"
        if not any(match[name] for name in ("comment", "pragma", "space")):
            found.append(match.group())
        at = match.end()
    return found


def text_of(token: str) -> str:
    """What a string stands for where no variable is within."""
    assert token[0] == '"', f"no string: {token}"

    def one(match: re.Match[str]) -> str:
        if match[3]:
            return "`"
        return chr(int(match[1], 16)) if match[1] else _NAMED.get(match[2], match[2])

    return _ESCAPE.sub(one, token[1:-1])


def literal(token: str) -> str:
    """The text of a template that expands nothing."""
    text = text_of(token)
    assert "$" not in text.replace("$$", ""), f"a template that is none of a text: {text!r}"
    return text.replace("$$", "$")


def blocks(text: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """The top-level statements: the words before a block, and the tokens within."""
    every, at = tokens(text), 0
    while at < len(every):
        start = every.index("{", at)
        end = closing(every, start)
        assert every[end + 1] == ";"
        yield tuple(every[at:start]), every[start + 1 : end]
        at = end + 2


def closing(every: Sequence[str], at: int) -> int:
    """Where the block or the list ends that begins at a place."""
    depth = 0
    for place in range(at, len(every)):
        depth += (every[place] in "({") - (every[place] in ")}")
        if depth == 0:
            return place
    raise AssertionError("a block without an end")


def paths(*files: str) -> tuple[Path, ...]:
    """Every way from a source to a destination."""
    named: dict[tuple[str, ...], list[str]] = {}
    logs = []
    for file in files:
        for words, body in blocks(file):
            if words == ("log",):
                logs.append(body)
            else:
                assert words not in named
                named[words] = body
    return tuple(path for log in logs for path in _ways(log, named))


def _ways(log: list[str], named: Mapping[tuple[str, ...], list[str]]) -> Iterator[Path]:
    (source,) = _arguments(log, "source")
    (destination,) = _arguments(log, "destination")
    output = text_of(next(_arguments(named["destination", destination], "url")))
    for at, name in _places(log, "rewrite"):
        if not name.startswith("r_owner_"):
            continue
        part = log[at : _end(log, at)]
        yield Path(
            source=f"{source} {_condition(log, at)}",
            tags=_tags(named["rewrite", name]),
            lifted=frozenset(concept for concept, field in _LIFTED.items() if f'"{field}"' in part),
            output=output,
        )


_LIFTED = {
    "trace": ".ecs.trace.id",
    "span": ".ecs.span.id",
    "version": ".ecs.service.version",
}


def _arguments(every: Sequence[str], name: str) -> Iterator[str]:
    for _, argument in _places(every, name):
        yield argument


def _places(every: Sequence[str], name: str) -> Iterator[tuple[int, str]]:
    for at, token in enumerate(every):
        if token == name and every[at + 1] == "(":
            yield at, every[at + 2]


def _end(every: Sequence[str], at: int) -> int:
    """Where the branch ends that a place is in."""
    depth = 0
    for place in range(at, len(every)):
        depth += (every[place] == "{") - (every[place] == "}")
        if depth < 0:
            return place
    return len(every)


def _condition(every: Sequence[str], at: int) -> str:
    if at < 2 or every[at - 1] != "{" or every[at - 2] != ")":
        return "(all)"
    start = max(place for place in range(at) if every[place] in {"if", "elif"})
    texts = every[start + 1 : at - 1]
    return " ".join(text_of(each) if each[0] == '"' else each for each in texts)


def _tags(every: Sequence[str]) -> dict[str, str]:
    found = {}
    for at, value in _places(every, "set"):
        assert every[at + 3 : at + 5] == ["value", "("]
        name = text_of(every[at + 5])
        if name.startswith(".ecs."):
            found[name.removeprefix(".ecs.")] = literal(value)
    return found
