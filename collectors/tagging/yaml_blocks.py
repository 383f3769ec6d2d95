"""YAML in blocks, for what configuration files hold.

Written is what PyYAML writes for mappings, lists and texts, and sooner: rare scalars alone are
left to it.
"""

from __future__ import annotations

import re
import sys
from typing import Any

import yaml

_DEEPER = "  "
_LISTS = {list, tuple}
_BLOCKS = {dict, *_LISTS}
_LONGEST_KEY = 122  # PyYAML counts the key's tag, too
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"}
_PLAIN = re.compile(r"[\w./-]+")
_SPACE_AT_END = re.compile(r"[^\S\n](?:\n|\Z)")
_LINES = re.compile(
    "[ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010fffe\n]+"
)
_BREAK = re.compile("[\n\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """YAML without aliases: a reader of a configuration file looks for the value itself."""

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True

    def increase_indent(self, *args: object, **options: object) -> None:
        # Items of a list stand deeper than its key, as collectors' own examples have it.
        super().increase_indent(flow=bool(args and args[0]) or bool(options.get("flow")))


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=_style(value))


_Dumper.add_representer(str, _text)


def block(value: object) -> str:
    """Mappings, lists and scalars as YAML, in the order given; same value, same bytes.

    Raises ``yaml.representer.RepresenterError`` for anything else.
    """
    lines: list[str] = []
    _write(lines, value, "", "")
    return "\n".join([*lines, ""])


def dumped(value: object) -> str:
    """What PyYAML writes in the same style."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize
    )
    return text


def _write(lines: list[str], value: Any, lead: str, indent: str) -> None:
    """Add a node's lines: ``lead`` begins the first of them, ``indent`` the others."""
    kind = type(value)
    if kind is dict and value:
        for key, each in value.items():
            if _is_simple(key):
                _write_value(lines, each, f"{lead}{_scalar(key, indent)}:", indent)
            else:
                _write(lines, key, f"{lead}? ", indent + _DEEPER)
                _write(lines, each, f"{indent}: ", indent + _DEEPER)
            lead = indent
    elif kind in _LISTS and value:
        for each in value:
            _write(lines, each, f"{lead}- ", indent + _DEEPER)
            lead = indent
    else:
        lines.append(lead + _scalar(value, indent))


def _write_value(lines: list[str], value: Any, head: str, indent: str) -> None:
    deeper = indent + _DEEPER
    if type(value) in _BLOCKS and value:
        lines.append(head)
        _write(lines, value, deeper, deeper)
    else:
        lines.append(f"{head} {_scalar(value, deeper)}")


def _is_simple(key: object) -> bool:
    """Whether a key can stand before a colon without a question mark."""
    if type(key) is not str:
        return type(key) not in _BLOCKS
    return 0 < len(key) <= _LONGEST_KEY and not _BREAK.search(key)


def _scalar(value: Any, indent: str) -> str:
    if type(value) is str:
        style = _style(value)
        if style is None:
            return value
        if style == "'":
            return "'" + value.replace("'", "''") + "'"
        if style == "|":
            return _literal(value, indent)
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    # PyYAML writes a scalar alone as a document with an end of its own.
    return dumped([value]).removeprefix("- ").removesuffix("\n")


def _literal(value: str, indent: str) -> str:
    starts = "2" if value[0] in " \n" else ""
    ends = "" if value.endswith("\n") else "-"
    if value == "\n" or value.endswith("\n\n"):
        ends = "+"
    whole = value.removesuffix("\n").split("\n")
    return "\n".join([f"|{starts}{ends}", *(line and indent + line for line in whole)])


def _style(value: str) -> str | None:
    """Several lines as a literal block; everything that YAML could take for another type quoted."""
    if "\n" in value and _LINES.fullmatch(value) and not _SPACE_AT_END.search(value):
        return "|"
    # YAML 1.1 and 1.2 differ in what is a number or a boolean: `on`, `1_0`, `0o7`, `1:30`.
    if value[:1].isalpha() and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return None
    return "'" if value.isprintable() else '"'
