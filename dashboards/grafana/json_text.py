"""JSON as people and diffs like it: the bytes of the standard library, and several times sooner.

The library's compiled encoder writes one line; asked for indentation, it goes on in Python, a
generator per level.
"""

from __future__ import annotations

import json

_TEXT = json.JSONEncoder(ensure_ascii=False)


def json_text(value: object, indent: str = "") -> str:
    """Return JSON data as text with sorted keys, two spaces to a level, and letters as they are.

    ``indent`` is what the lines after the first begin with. Keys must be texts.
    """
    if isinstance(value, str):
        return _TEXT.encode(value)
    inner = f"{indent}  "
    if isinstance(value, dict) and value:
        items = [f"{_TEXT.encode(key)}: {json_text(value[key], inner)}" for key in sorted(value)]
        return _enclosed("{", items, "}", indent)
    if isinstance(value, list) and value:
        return _enclosed("[", [json_text(item, inner) for item in value], "]", indent)
    if type(value) is int:
        return str(value)
    return json.dumps(value)


def _enclosed(opening: str, items: list[str], closing: str, indent: str) -> str:
    inside = f",\n{indent}  ".join(items)
    return f"{opening}\n{indent}  {inside}\n{indent}{closing}"
