"""Tables of the keys of a document, made from its JSON Schema."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias, cast

from slo.units import DURATION_PATTERN, PERCENT_PATTERN

Schema: TypeAlias = Mapping[str, object]

_URL = "^(?:https?://"
_NAME = "^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)$"
_BOUNDS = (
    ("minimum", "from {}"),
    ("exclusiveMinimum", "above {}"),
    ("maximum", "up to {}"),
    ("exclusiveMaximum", "below {}"),
)


def key_tables(schema: Schema) -> str:
    """Return one section with a table for each mapping in a document, outermost first."""
    return "\n".join(_sections(schema, "", {}))


def _sections(schema: Schema, path: str, seen: dict[str, str]) -> Iterator[str]:
    yield f"## {_heading(path)}\n"
    text = str(schema.get("description", ""))
    if text:
        yield f"{text}\n"
    content = json.dumps({key: schema[key] for key in schema if key != "description"})
    first = seen.setdefault(content, path)
    if first != path:
        yield f"The keys are those of [`{first}`]({_anchor(first)}).\n"
        return
    yield from _table(schema, path)
    for key, each in _properties(schema).items():
        for inner, place in _mappings(each, f"{path}.{key}" if path else key):
            yield from _sections(inner, place, seen)


def _table(schema: Schema, path: str) -> Iterator[str]:
    yield "| key | takes | default | |\n|---|---|---|---|"
    required = cast("list[str]", schema.get("required", []))
    for key, each in _properties(schema).items():
        default = "*required*" if key in required else _default(each)
        about = str(each.get("description", "")).replace("|", "\\|")
        takes = _takes(each, f"{path}.{key}" if path else key)
        yield f"| `{key}` | {takes} | {default} | {about} |"
    rules = list(_rules(schema))
    yield "" if not rules else "\n" + " ".join(rules) + "\n"


def _heading(path: str) -> str:
    return f"`{path}`" if path else "The document"


def _anchor(path: str) -> str:
    kept = "".join(c for c in path.lower() if c.isalnum() or c in "-_ ")
    return f"#{kept.replace(' ', '-')}"


def _properties(schema: Schema) -> Mapping[str, Schema]:
    found = dict(cast("Mapping[str, Schema]", schema.get("properties", {})))
    # Variants of a mapping are told apart by one key; each gets a section of its own.
    return {} if "oneOf" in schema else found


def _mappings(schema: Schema, path: str) -> Iterator[tuple[Schema, str]]:
    """Yield the mappings with known keys that a value may be, however it is wrapped."""
    for each in cast("list[Schema]", schema.get("oneOf", [])):
        if "properties" in each:
            tag = _variant(each)
            yield each, f"{path} of type {tag}"
    if schema.get("type") == "array":
        yield from _mappings(cast("Schema", schema["items"]), f"{path}[]")
    elif "anyOf" in schema:
        for each in cast("list[Schema]", schema["anyOf"]):
            yield from _mappings(each, path)
    elif isinstance(schema.get("additionalProperties"), Mapping):
        yield from _mappings(cast("Schema", schema["additionalProperties"]), f"{path}.NAME")
    elif "oneOf" not in schema and schema.get("properties"):
        yield schema, path


def _variant(schema: Schema) -> str:
    properties = cast("Mapping[str, Schema]", schema["properties"])
    first = next(iter(properties.values()))
    return str(cast("list[str]", first["enum"])[0])


def _takes(schema: Schema, path: str) -> str:
    if "anyOf" in schema:
        alternatives = cast("list[Schema]", schema["anyOf"])
        several = " or ".join(_takes(each, path) for each in alternatives)
        return "percentage" if _is_percentage(schema) else several
    if "oneOf" in schema:
        places = [place for _, place in _mappings(schema, path)]
        return " or ".join(f"[{place.rpartition(' ')[2]}]({_anchor(place)})" for place in places)
    kind = str(schema.get("type", "anything"))
    read = _KINDS.get(kind)
    return kind if read is None else read(schema, path)


def _list(schema: Schema, path: str) -> str:
    return f"list of: {_takes(cast('Schema', schema['items']), f'{path}[]')}"


def _flag(schema: Schema, path: str) -> str:
    del schema, path
    return "`true` or `false`"


def _object(schema: Schema, path: str) -> str:
    if schema.get("properties") and not isinstance(schema.get("additionalProperties"), Mapping):
        return f"[mapping]({_anchor(path)})"
    inner = cast("Schema", schema["additionalProperties"])
    return f"names, each with: {_takes(inner, f'{path}.NAME')}"


def _number(schema: Schema, path: str) -> str:
    del path
    noun = "whole number" if schema["type"] == "integer" else "number"
    bounds = [words.format(schema[key]) for key, words in _BOUNDS if key in schema]
    return " ".join([noun, *bounds])


def _text(schema: Schema, path: str) -> str:
    del path
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in cast("list[str]", schema["enum"]))
    pattern = str(schema.get("pattern", ""))
    if pattern == DURATION_PATTERN:
        return "duration"
    if pattern == _NAME:
        return "name"
    return "URL" if pattern.startswith(_URL) else "text"


def _is_percentage(schema: Schema) -> bool:
    inner = cast("list[Schema]", schema["anyOf"])
    return any(each.get("pattern") == PERCENT_PATTERN for each in inner)


def _default(schema: Schema) -> str:
    value = schema.get("default")
    if value is None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _rules(schema: Schema) -> Iterator[str]:
    """Yield what the groups of keys ask for, each as a sentence."""
    apart: dict[str, list[str]] = {}
    for group in cast("list[Schema]", schema.get("allOf", [])):
        for word, key in (("Exactly one", "oneOf"), ("At least one", "anyOf")):
            if key in group:
                keys = [
                    cast("list[str]", e["required"])[0] for e in cast("list[Schema]", group[key])
                ]
                yield f"{word} of {_listed(keys)} is set."
        if "not" in group:
            first, second = cast("list[str]", cast("Schema", group["not"])["required"])
            apart.setdefault(first, []).append(second)
    for first, others in apart.items():
        yield f"`{first}` excludes {_listed(others)}."
    needs = cast("Mapping[str, list[str]]", schema.get("dependentRequired", {}))
    for key, needed in needs.items():
        yield f"`{key}` needs {_listed(needed)} beside it."


def _listed(keys: list[str]) -> str:
    return ", ".join(f"`{key}`" for key in keys)


_KINDS: Mapping[str, Callable[[Schema, str], str]] = {
    "array": _list,
    "boolean": _flag,
    "integer": _number,
    "number": _number,
    "object": _object,
    "string": _text,
    # Text that may be written like a number or a boolean.
    "['string', 'number', 'boolean']": _text,
}
