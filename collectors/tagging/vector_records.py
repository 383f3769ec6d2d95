"""Vector's program for all records, which the programs of the sources hand them to."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.tagging.model import Plan
from collectors.tagging.shipping import (
    CLAIMED_PREFIXES,
    LEVELS,
    MESSAGES,
    PRIVATE_KEY,
    RESERVED,
    claims,
)
from collectors.tagging.vector_programs import at, listed, object_of, quoted, regex, text_of
from slo.collecting import MASK
from slo.portable_regex import escaped

MOST_FIELDS = 256
"""How many fields a record keeps: an object as a map of identifiers has no end of them."""


def masked(plan: Plan, expression: str) -> str:
    """An expression for a text without its secrets."""
    for secret in plan.secrets:
        expression = f"replace({expression}, {regex(secret.pattern)}, {quoted(MASK)})"
    return expression


def of_rejected(plan: Plan) -> str:
    """The program for what another one failed on: its reason, and its text without secrets."""
    return (
        "reason = .metadata.dropped.message\n"
        "text = encode_json(.)\n"
        f"text = {masked(plan, 'text')}\n"
        '. = {"reason": reason, "message": text}\n'
    )


def of_records(plan: Plan) -> str:
    """The program for all records: every field to its place, and secrets out."""
    names = "|".join(map(escaped, claims()))
    prefixes = "|".join(map(escaped, CLAIMED_PREFIXES))
    claimed = regex(f"^(?:(?:{names})$|{prefixes})")
    return (
        "\n".join(
            [
                f"text = {text_of('text')}",
                f'fields = flatten({object_of("fields")}, ".")',
                f"fields = filter(fields) -> |name, _value| {{ !match(name, {claimed}) }}",
                "document = {}",
                *_identifier("trace", "trace.id", 32),
                *_identifier("span", "span.id", 16),
                _VERSION,
                _TIMES,
                _first("level", LEVELS, "!is_object(value) && !is_array(value) && value != null"),
                'if level != null { document = set(document, ["log.level"], level) ?? document }',
                _first("message", MESSAGES, "is_string(value)"),
                "if message != null { text = string(message) ?? text }",
                *_secrets(plan),
                _kept(),
                _PUT_TOGETHER,
            ]
        )
        + "\n"
    )


def _identifier(concept: str, name: str, digits: int) -> list[str]:
    form = regex(f"^[0-9a-fA-F]{{{digits}}}$")
    return [
        f"{concept} = null",
        f"for_each(array({at(concept)}) ?? []) -> |_at, name| {{",
        '  value = string(get(fields, [name]) ?? null) ?? ""',
        f"  if {concept} == null && match(value, {form}) && !match(value, r'^0+\\z') {{",
        f"    {concept} = downcase(value)",
        "    fields = remove(fields, [name]) ?? fields",
        "  }",
        "}",
        f"if {concept} != null {{",
        f"  document = set(document, [{quoted(name)}], {concept}) ?? document",
        "}",
    ]


def _first(variable: str, names: Iterable[str], condition: str) -> str:
    return (
        f"{variable} = null\n"
        f"for_each({listed(names)}) -> |_at, name| {{\n"
        "  value = get(fields, [name]) ?? null\n"
        f"  if {variable} == null && {condition} {{\n"
        f"    {variable} = value\n"
        "    fields = remove(fields, [name]) ?? fields\n"
        "  }\n"
        "}"
    )


_VERSION = """\
for_each(["service.version", "version"]) -> |_at, name| {
  value = get(fields, [name]) ?? null
  if is_string(value) && (get(document, ["service.version"]) ?? null) == null {
    document = set(document, ["service.version"], value) ?? document
    fields = remove(fields, [name]) ?? fields
  }
}"""

# A number of ten digits is in seconds, of thirteen in milliseconds, and so on.
_TIMES = """\
at = null
for_each(array(get(., ["time"]) ?? null) ?? []) -> |_at, name| {
  value = get(fields, [name]) ?? null
  parsed = null
  if is_string(value) {
    parsed = parse_timestamp(replace(string(value) ?? "", ",", "."), "%+") ?? null
  } else if is_integer(value) {
    number = int(value) ?? 0
    if number >= 1000000000000000000 {
      parsed = from_unix_timestamp(number, "nanoseconds") ?? null
    } else if number >= 1000000000000000 {
      parsed = from_unix_timestamp(number, "microseconds") ?? null
    } else if number >= 1000000000000 {
      parsed = from_unix_timestamp(number, "milliseconds") ?? null
    } else if number >= 1000000000 {
      parsed = from_unix_timestamp(number, "seconds") ?? null
    }
  } else if is_float(value) {
    number = float(value) ?? 0.0
    if number >= 1000000000.0 && number < 100000000000.0 {
      parsed = from_unix_timestamp(to_int(number * 1000000.0), "microseconds") ?? null
    }
  }
  if at == null && parsed != null {
    at = parsed
    fields = remove(fields, [name]) ?? fields
  }
}"""

_PUT_TOGETHER = """\
known = filter(object(get(., ["known"]) ?? null) ?? {}) -> |_name, value| { value != null }
read = get(., ["read"]) ?? null
tags = object(get(., ["tags"]) ?? null) ?? {}
document = merge(merge(merge(kept, known), document), tags)
if at == null { at = if is_timestamp(read) { read } else { now() } }
. = unflatten(document, ".")
."@timestamp" = at
.message = text"""


def _secrets(plan: Plan) -> list[str]:
    if not plan.secrets:
        return []
    by_name = []
    if plan.settings.redact_builtin:
        private = f"match(downcase(name), {regex(PRIVATE_KEY)})"
        by_name = [
            "  if is_object(value) {",
            "    inner = object(value) ?? {}",
            "    for_each(inner) -> |name, _part| {",
            f"      if {private} {{ inner = set(inner, [name], {quoted(MASK)}) ?? inner }}",
            "    }",
            "    result = inner",
            "  }",
        ]
    return [
        f"text = {masked(plan, 'text')}",
        # With a second value of any type, the compiler does not know what it will meet.
        'wrapped = map_values({"fields": fields, "any": at}, recursive: true) -> |value| {',
        "  result = value",
        "  if is_string(value) {",
        '    inside = string(value) ?? ""',
        f"    result = {masked(plan, 'inside')}",
        "  }",
        *by_name,
        "  result",
        "}",
        'fields = object(get(wrapped, ["fields"]) ?? null) ?? {}',
    ]


def _kept() -> str:
    return (
        "kept = {}\n"
        "count = 0\n"
        f"for_each(fields) -> |name, value| {{\n"
        "  place = name\n"
        f'  if includes({listed(RESERVED)}, name) {{ place = "labels." + name }}\n'
        "  count = count + 1\n"
        f"  if count <= {MOST_FIELDS} {{ kept = set(kept, [place], value) ?? kept }}\n"
        "}"
    )
