"""Text of the Collector's files: variables, quoting and the sign that begins an expansion."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from collectors.tagging.texts import yaml_text
from slo.portable_regex import escaped

Tree = Mapping[str, Any]
"""A part of a configuration: mappings, lists, texts, numbers and booleans."""

# Text of a user never holds it, so it tells our own variables from a `$` that a value has.
_VARIABLE = "\0"


def variable(name: str, default: str | int = "") -> str:
    """A place that the Collector fills from its environment."""
    safe = quote(str(default), safe=":/?#[]@!&'()*+,;=%~ ")
    return f"{_VARIABLE}{{env:{name}:-{safe}}}"


def quoted(text: str) -> str:
    """A text as a literal of OTTL and of the operators' expressions."""
    return json.dumps(text, ensure_ascii=False)


def listed(texts: Sequence[str]) -> str:
    """A list of texts as a literal of OTTL and of the operators' expressions."""
    return f"[{', '.join(quoted(text) for text in texts)}]"


def config_text(config: Tree, header: Sequence[str]) -> str:
    """A whole configuration as YAML in which only our own variables are expanded."""
    return yaml_text(expandable(config), header)


def expandable(value: Any) -> Any:
    """A part of a configuration with every ``$`` of a value doubled, as the Collector wants it."""
    if isinstance(value, str):
        return value.replace("$", "$$").replace(_VARIABLE, "$")
    if isinstance(value, Mapping):
        return {key: expandable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [expandable(each) for each in value]
    return value


def glob_path(path: str) -> str:
    """A path whose only special sign is ``*`` as the Collector's pattern of files."""
    return "".join(f"\\{char}" if char in "\\[]{}?" else char for char in path)


def glob_regex(text: str) -> str:
    """A text whose only special signs are ``*`` and ``?`` as a whole regular expression."""
    parts = {"*": ".*", "?": "."}
    return f"^{''.join(parts.get(char, escaped(char)) for char in text)}$"
