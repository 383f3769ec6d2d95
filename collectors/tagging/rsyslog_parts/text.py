"""Text of rsyslog's files: literals of expressions and of objects' parameters, and variables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from slo.portable_regex import to_posix

_CONTROL = frozenset(map(chr, (*range(32), 127)))
_NAMED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str) -> str:
    """A text as a literal of an expression, in which nothing is expanded."""
    return "'" + "".join(_NAMED.get(char) or _coded(char, "\\x{:02x}") for char in text) + "'"


def parameter(text: str) -> str:
    """A text as the value of an object's parameter."""
    named = {**_NAMED, "'": "'", '"': '\\"'}
    return '"' + "".join(named.get(char) or _coded(char, "\\{:03o}") for char in text) + '"'


def _coded(char: str, form: str) -> str:
    return form.format(ord(char)) if char in _CONTROL else char


def variable(name: str, rest: str = "") -> str:
    """The value of a parameter that comes from the environment; ``rest`` begins with a slash."""
    return f"`echo ${name}{rest}`"


def regex(pattern: str) -> str:
    """A portable regular expression as a literal of an expression."""
    return quoted(to_posix(pattern))


def listed(texts: Iterable[str]) -> str:
    """A list of texts to compare with."""
    return f"[{', '.join(quoted(text) for text in texts)}]"


def json_fields(values: Mapping[str, str]) -> str:
    """Fields of a JSON object with a comma before each."""
    return "".join(
        f",{json.dumps(name, ensure_ascii=False)}:{json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
    )


def called(*steps: str) -> str:
    """Statements that run rulesets in turn."""
    return "".join(f"  call {step}\n" for step in steps)


def ruleset(name: str, body: str, *, parameters: str = "") -> str:
    """A ruleset; without parameters it runs where it is called."""
    more = f" {parameters}" if parameters else ""
    return f'ruleset(name="{name}"{more}) {{\n{body}}}\n'
