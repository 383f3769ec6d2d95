"""Splunk's .conf syntax: stanzas of settings, one a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from slo.records import dataclass

_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """A stanza; no value may hold a line break."""

    name: str | None
    settings: Mapping[str, str]


def stanza(name: str | None, settings: Mapping[str, object]) -> Stanza:
    """A stanza of settings, in which booleans are words."""
    return Stanza(name=name, settings={key: _text(value) for key, value in settings.items()})


def written(stanzas: Iterable[Stanza], header: str = "") -> str:
    """A file of stanzas.

    Raises ``ValueError`` for a value that the syntax cannot hold: one with a line break, with
    space around it, or that ends with a backslash, which would take the next line in.
    """
    parts = []
    for each in stanzas:
        lines = [] if each.name is None else [f"[{_checked(each.name)}]"]
        lines += [f"{key} = {_checked(value)}" for key, value in each.settings.items()]
        parts.append("".join(f"{line}\n" for line in lines))
    return header + "\n".join(parts)


def field(name: str, value: str) -> str:
    """An indexed field as ``_meta`` and ``FORMAT`` write it."""
    if _PLAIN.fullmatch(value):
        return f"{name}::{value}"
    return f"{name}::{literal(value)}"


def literal(value: str) -> str:
    """A text in quotes, for fields and for eval expressions."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _checked(value: str) -> str:
    if "\n" in value or "\r" in value or value != value.strip() or value.endswith("\\"):
        raise ValueError(f"a .conf file cannot hold {value!r}")
    return value
