"""Text of syslog-ng's files: strings, templates, expressions and variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.tagging.expressions import written

JSON = ".json."
"""What stands before the names of a record's own fields."""

ECS = ".ecs."
"""What stands before the names of what we say of a record."""

_ESCAPES = str.maketrans(
    {chr(code): f"\\x{code:02x}" for code in (*range(32), 127)}
    | {"\\": "\\\\", '"': '\\"', "`": "``", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
)


def quoted(text: str) -> str:
    """A text as a string, in which the lexer would fill in what stands in backticks."""
    return f'"{text.translate(_ESCAPES)}"'


def template(text: str) -> str:
    """A text as a template that expands to nothing but itself."""
    return quoted(text.replace("$", "$$"))


def variable(name: str, before: str = "", after: str = "") -> str:
    """A string with a value from the environment within."""
    return f'"{before}`{name}`{after}"'


def regex(pattern: str) -> str:
    """A portable regular expression as a string."""
    return quoted(pcre(pattern))


def pcre(pattern: str) -> str:
    """A portable regular expression without a sign that templates or strings could take."""
    return written(pattern, "^", "\\z")


def matches(pattern: str, value: str) -> str:
    """The condition that a value matches; ``pattern`` is a string already."""
    return f"match({pattern} value({quoted(value)}) type(pcre) flags(store-matches))"


def is_text(left: str, right: str) -> str:
    """The condition that a template expands to a text; the template is a string already."""
    return f"({left} eq {template(right)})"


def one_of(left: str, texts: Iterable[str]) -> str:
    """The condition that a template expands to one of some texts."""
    return "(" + " or ".join(is_text(left, text) for text in texts) + ")"


def sets(values: Mapping[str, str]) -> str:
    """Rewrite rules that give values their texts."""
    return "".join(
        f"  set({template(value)} value({quoted(name)}));\n" for name, value in values.items()
    )


def rewritten(*rules: str) -> str:
    """Rewrite rules where a log path takes them."""
    return f"rewrite {{ {' '.join(rules)} }};"


def block(kind: str, name: str, body: str) -> str:
    """A named object of the configuration."""
    return f"{kind} {name} {{\n{body}}};\n"
