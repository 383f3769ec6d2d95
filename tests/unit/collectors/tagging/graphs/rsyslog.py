"""The ways of records through a configuration of rsyslog, read as its own lexer reads it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.unit.collectors.tagging.graphs.model import Path

_TOKEN = re.compile(
    r"""(?P<comment>(?<![^\s])\#[^\n]*)|(?P<space>\s+)
    |(?P<text>'(?:[^'\\]|\\['"\\$bntr]|\\x[0-9a-f]{2}|\\[0-7]{3})*'
      |"(?:[^"\\]|\\['"?\\$abfnrtv]|\\[0-7]{3})*"|`[^`\\]*`)
    |(?P<word>[$][$!./]?[@A-Za-z_][!@A-Za-z0-9\-_.\[\]]*|[A-Za-z_][A-Za-z0-9_.]*)
    |(?P<number>[0-9]+)|(?P<sign>==|!=|<=|>=|<>|[-(){}\[\],;=<>&+*/%])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|([0-7]{3})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An object with its parameters and, of a ruleset, its statements as tokens."""

    kind: str
    parameters: Mapping[str, str]
    body: Sequence[str] = field(default_factory=tuple)


def tokens(text: str) -> list[str]:
    """The tokens of a file without comments; a text that is none is a failure."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        assert match is not None, f"no token begins here: {text[at : at + 60]!r}"
        if match["comment"] is None and match["space"] is None:
            found.append(match.group())
        at = match.end()
    return found


def text_of(token: str) -> str:
    """What a literal stands for; of one in backticks what stands between them."""
    if token[0] == "`":
        return token[1:-1]

    def one(match: re.Match[str]) -> str:
        if match[1] or match[2]:
            return chr(int(match[1], 16) if match[1] else int(match[2], 8))
        return _NAMED.get(match[3], match[3])

    return _ESCAPE.sub(one, token[1:-1])


def items(text: str) -> list[Item]:
    """The objects of a file, and what stands between them as rulesets of its own."""
    every, found, at = tokens(text), list[Item](), 0
    while at < len(every):
        kind = every[at]
        if kind == "if":
            start = every.index("{", at)
            end = _closing(every, start)
            found.append(Item(kind="main", parameters={}, body=tuple(every[at : end + 1])))
            at = end + 1
            continue
        assert every[at + 1] == "(", f"{kind} is no object"
        end = every.index(")", at)
        parameters = dict(_parameters(every[at + 2 : end]))
        body: tuple[str, ...] = ()
        at = end + 1
        if at < len(every) and every[at] == "{":
            end = _closing(every, at)
            body, at = tuple(every[at + 1 : end]), end + 1
        found.append(Item(kind=kind, parameters=parameters, body=body))
    return found


def _parameters(every: Sequence[str]) -> Iterator[tuple[str, str]]:
    assert len(every) % 3 == 0
    for at in range(0, len(every), 3):
        assert every[at + 1] == "="
        yield every[at].lower(), text_of(every[at + 2])


def _closing(every: Sequence[str], at: int) -> int:
    depth = 0
    for place in range(at, len(every)):
        depth += {"{": 1, "}": -1}.get(every[place], 0)
        if depth == 0:
            return place
    raise AssertionError("a block without an end")


def paths(*files: str) -> tuple[Path, ...]:
    """Every way from an input to a destination."""
    every = [item for file in files for item in items(file)]
    rulesets = {item.parameters["name"]: item for item in every if item.kind == "ruleset"}
    inputs = [item for item in every if item.kind == "input"]
    found: list[Path] = []
    for item in inputs:
        if not item.parameters.get("file", "").startswith("echo $HEADROOM_STATE"):
            found.extend(_ways(item.parameters, rulesets, inputs))
    if any(item.kind == "module" and item.parameters["load"] == "imjournal" for item in every):
        assert [1] == [1 for item in every if item.kind == "main"]
        found.extend(_ways({"type": "imjournal", "ruleset": "headroom_journal"}, rulesets, inputs))
    return tuple(found)


def _ways(
    source: Mapping[str, str], rulesets: Mapping[str, Item], inputs: Sequence[Item]
) -> Iterator[Path]:
    entry = rulesets[source["ruleset"]]
    for at, name in _calls(entry.body):
        tags = _tags(rulesets[name].body)
        if tags is None:
            continue
        reached = _reached(name, rulesets)
        kind = source["type"]
        detail = source["file"] if kind == "imfile" else _condition(entry.body, at)
        yield Path(
            source=f"{kind} {detail}",
            tags=tags,
            lifted=frozenset(_lifted(reached, rulesets)),
            output=_output(reached, rulesets, inputs),
        )


def _calls(body: Sequence[str]) -> Iterator[tuple[int, str]]:
    for at, token in enumerate(body):
        if token == "call":
            yield at, body[at + 1]


def _reached(name: str, rulesets: Mapping[str, Item]) -> set[str]:
    found, more = set[str](), {name}
    while more:
        each = more.pop()
        found.add(each)
        more |= {called for _, called in _calls(rulesets[each].body)} - found
    return found


def _tags(body: Sequence[str]) -> dict[str, str] | None:
    for at, token in enumerate(body):
        if body[at - 1 : at + 2] == ("set", "$.tags", "=") and body[at + 2].startswith("'"):
            tags: dict[str, str] = json.loads("{" + text_of(body[at + 2]).removeprefix(",") + "}")
            return tags
        del token
    return None


def _condition(body: Sequence[str], at: int) -> str:
    start = max((place for place in range(at) if body[place] == "if"), default=None)
    if start is None or "{" not in body[start:at] or "}" in body[start:at]:
        return "(all others)"
    return " ".join(
        text_of(token) if token[0] == "'" else token
        for token in body[start + 1 : at]
        if token not in {"then", "{"}
    )


def _lifted(reached: set[str], rulesets: Mapping[str, Item]) -> Iterator[str]:
    finish = rulesets["headroom_finish"].body
    for concept in ("trace", "span", "version"):
        assigned = any(
            rulesets[name].body[at : at + 2] == ("set", f"$.{concept}")
            for name in reached
            for at in range(len(rulesets[name].body))
        )
        if assigned and f"$.{concept}" in finish:
            yield concept


def _output(reached: set[str], rulesets: Mapping[str, Item], inputs: Sequence[Item]) -> str:
    """Through the spool that is written, by the input that reads it, to the action behind it."""
    (spool,) = {path for name in reached for path in _actions(rulesets[name].body, "omfile")}
    (reader,) = [item for item in inputs if item.parameters.get("file") == spool]
    ((server),) = _actions(rulesets[reader.parameters["ruleset"]].body, "omelasticsearch")
    return server


def _actions(body: Sequence[str], kind: str) -> Iterator[str]:
    for at, token in enumerate(body):
        if token == "action":
            end = at + list(body[at:]).index(")")
            parameters = dict(_parameters(body[at + 2 : end]))
            if parameters["type"] == kind:
                yield parameters["file" if kind == "omfile" else "server"]
