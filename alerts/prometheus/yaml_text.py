"""Rule files as YAML text: the bytes that PyYAML writes, and sooner.

Written is what `yaml.dump` writes in block style for mappings, lists of mappings and texts of one
line; for everything else there is no text, and the caller asks PyYAML.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

import yaml

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,100}")
_ONE_LINE = re.compile("[ -~\u00a1-\u1fff\u3001-\ud7ff]{1,8000}")
_NOT_PLAIN = re.compile(r"[#,\[\]{}&*!|>'\"%@` ]|[-?:](?: |$)|---|\.\.\.")


class _OtherError(Exception):
    """The data holds something whose form only PyYAML knows."""


def block(data: Mapping[str, object]) -> str | None:
    """Return the document of a mapping in block style, or None where PyYAML must write it."""
    lines: list[str] = []
    try:
        _write(lines, data, "", "")
    except _OtherError:
        return None
    return "\n".join([*lines, ""])


def _write(lines: list[str], data: Mapping[str, object], lead: str, indent: str) -> None:
    """Add a mapping's lines: `lead` begins the first of them, `indent` the others."""
    for key, value in data.items():
        head = f"{lead}{_key(key)}:"
        lead = indent
        if isinstance(value, str):
            lines.append(f"{head} {_text(value)}")
        elif isinstance(value, dict):
            lines.append(head if value else f"{head} {{}}")
            _write(lines, value, indent + "  ", indent + "  ")
        elif isinstance(value, list):
            lines.append(head if value else f"{head} []")
            for item in value:
                if not isinstance(item, dict) or not item:
                    raise _OtherError
                _write(lines, item, f"{indent}- ", indent + "  ")
        else:
            raise _OtherError


@lru_cache(maxsize=1024)
def _key(key: str) -> str:
    if not _KEY.fullmatch(key) or _means_more(key):
        raise _OtherError
    return key


@lru_cache(maxsize=4096)
def _text(text: str) -> str:
    if not text:
        return "''"
    if not _ONE_LINE.fullmatch(text):
        raise _OtherError
    if _NOT_PLAIN.match(text) or _ends_early(text) or _means_more(text):
        return "'" + text.replace("'", "''") + "'"
    return text


def _ends_early(text: str) -> bool:
    """Whether a plain scalar would be read as a key, or with its end as a comment or lost."""
    return text.endswith((":", " ")) or ": " in text or " #" in text


def _means_more(text: str) -> bool:
    """Whether a plain scalar would be read as a number, a boolean, a date or nothing."""
    resolvers = yaml.SafeDumper.yaml_implicit_resolvers
    candidates = [*resolvers.get(text[0], ()), *resolvers.get(None, ())]
    return any(pattern.match(text) for _, pattern in candidates)
