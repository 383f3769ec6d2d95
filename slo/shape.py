"""Shapes of data, from which both the strict reader and the JSON Schema come.

A shape reads a node into a value and collects every problem on the way; it also states itself as
JSON Schema. This module has the shapes that hold others; `slo.scalars` has those of single values.
"""

from collections.abc import Mapping as MappingOf
from dataclasses import field
from typing import TypeVar

from slo._shape import UNREADABLE, NotRead, Shape, Unreadable
from slo.fields import Fields, Located, Pair, Slot
from slo.nodes import Entry, Mapping, Node, Scalar, Sequence, Style
from slo.printable import quote
from slo.problems import Problem, Span, error, has_errors
from slo.records import dataclass
from slo.scalars import (
    Anything,
    Choice,
    Date,
    DurationText,
    Flag,
    Integer,
    Number,
    Percent,
    ScalarShape,
    Text,
    Url,
    one_of,
)
from slo.suggest import suggest

__all__ = [
    "UNREADABLE",
    "Anything",
    "Choice",
    "Date",
    "DurationText",
    "Either",
    "Field",
    "Fields",
    "Flag",
    "Integer",
    "ListOf",
    "Located",
    "MapOf",
    "Number",
    "Pair",
    "Percent",
    "Record",
    "Shape",
    "Text",
    "Unreadable",
    "Url",
    "Variant",
    "schema_document",
]

T = TypeVar("T")

# Looking for the word that was meant is slow; a file with more problems has other worries.
_SUGGESTED = 200
_SHORT_TEXT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A key of a record; a `default` is written as in a file and only single values have one."""

    shape: Shape[object]
    required: bool = False
    default: str | None = None
    description: str = ""

    def default_value(self, span: Span) -> object:
        """Return the default as the shape reads it; raises `ValueError` if it cannot."""
        problems: list[Problem] = []
        node = Scalar(text=self.default or "", style=Style.PLAIN, span=span)
        value = self.shape.read(node, problems)
        if problems:
            raise ValueError(problems[0].message)
        return value

    def json_schema(self) -> dict[str, object]:
        """Return the shape's schema with the field's description and default."""
        schema = self.shape.json_schema()
        if self.description:
            schema = {**schema, "description": self.description}
        if self.default is not None and isinstance(self.shape, ScalarShape):
            schema = {**schema, "default": self.shape.literal_default(self.default)}
        return schema


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf(Shape[tuple[Located[T], ...]]):
    """A list; `unique_by` names the key by which its records differ, `unique` is for scalars."""

    shape: Shape[T]
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    unique_by: str | None = None

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a list"

    def read(self, node: Node, problems: list[Problem]) -> tuple[Located[T], ...] | NotRead:
        """Return the items that could be read, each with its place."""
        if not isinstance(node, Sequence):
            return self.refuse(node, problems, hint=_list_hint(node))
        if len(node.items) < self.min_items:
            message = f"expected at least {_items(self.min_items)}, found {len(node.items)}"
            problems.append(error("spec/too-few-items", message, node.span))
        if self.max_items is not None and len(node.items) > self.max_items:
            message = f"expected at most {_items(self.max_items)}, found {len(node.items)}"
            problems.append(error("spec/too-long", message, node.span))
        located = []
        for item in node.items:
            value = self.shape.read(item, problems)
            if value is not UNREADABLE:
                located.append(Located(value=value, span=item.span))
        self._check_unique(located, problems)
        return tuple(located)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of an array; that records differ by a key is beyond it."""
        schema: dict[str, object] = {"type": "array", "items": self.shape.json_schema()}
        if self.min_items:
            schema["minItems"] = self.min_items
        if self.max_items is not None:
            schema["maxItems"] = self.max_items
        if self.unique:
            schema["uniqueItems"] = True
        return self.described(schema)

    def _check_unique(self, items: list[Located[T]], problems: list[Problem]) -> None:
        seen: dict[object, Span] = {}
        for item in items:
            value, span = self._identity(item)
            if value is None:
                continue
            first = seen.setdefault(value, span)
            if first is not span:
                what = (
                    f"{self.unique_by} {quote(str(value))}" if self.unique_by else quote(str(value))
                )
                related = ((first, "first used here"),)
                message = f"{what} is used twice in this list"
                problems.append(error("spec/duplicate-item", message, span, related=related))

    def _identity(self, item: Located[T]) -> tuple[object, Span]:
        value: object = item.value
        if self.unique:
            return value, item.span
        if self.unique_by is not None and isinstance(value, Fields):
            return value.value(self.unique_by), value.span(self.unique_by)
        return None, item.span


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOf(Shape[tuple[Pair[T], ...]]):
    """A mapping whose keys are the user's own, such as labels."""

    key: Shape[str]
    shape: Shape[T]
    min_items: int = 0

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a mapping"

    def read(self, node: Node, problems: list[Problem]) -> tuple[Pair[T], ...] | NotRead:
        """Return the pairs that could be read, in the order of the file."""
        if not isinstance(node, Mapping):
            return self.refuse(node, problems)
        if len(node.entries) < self.min_items:
            message = (
                f"expected at least {_items(self.min_items, 'key')}, found {len(node.entries)}"
            )
            problems.append(error("spec/too-few-items", message, node.span))
        pairs = []
        for entry in node.entries:
            key = self.key.read(entry.key, problems)
            value = self.shape.read(entry.value, problems)
            if key is not UNREADABLE and value is not UNREADABLE:
                pairs.append(
                    Pair(
                        key=Located(value=key, span=entry.key.span),
                        value=Located(value=value, span=entry.value.span),
                    )
                )
        return tuple(pairs)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of an object with any keys of the right form."""
        schema: dict[str, object] = {
            "type": "object",
            "propertyNames": self.key.json_schema(),
            "additionalProperties": self.shape.json_schema(),
        }
        if self.min_items:
            schema["minProperties"] = self.min_items
        return self.described(schema)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record(Shape[Fields]):
    """A mapping with known keys.

    `exactly_one_of` and `at_least_one_of` hold groups of keys, `forbid_together` groups of which
    at most one may be set, `needs` the keys that a key cannot be without.
    """

    fields: MappingOf[str, Field]
    exactly_one_of: tuple[tuple[str, ...], ...] = ()
    at_least_one_of: tuple[tuple[str, ...], ...] = ()
    forbid_together: tuple[tuple[str, ...], ...] = ()
    needs: MappingOf[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a mapping"

    def read(self, node: Node, problems: list[Problem]) -> Fields | NotRead:
        """Return what could be read; problems elsewhere in the record do not stop it."""
        if not isinstance(node, Mapping):
            hint = f"its keys are {', '.join(self.fields)}" if self.fields else None
            return self.refuse(node, problems, hint=hint)
        before = len(problems)
        slots: dict[str, Slot] = {}
        meant, unread = set(), []
        for entry in node.entries:
            known = self.fields.get(entry.key.text)
            if known is None:
                meant.add(self._unknown(entry, problems))
                continue
            value = known.shape.read(entry.value, problems)
            if value is UNREADABLE:
                unread.append(entry.key.text)
            else:
                slots[entry.key.text] = Slot(value=value, node=entry.value, key_span=entry.key.span)
        keys = {entry.key.text: entry.key.span for entry in node.entries}
        self._check_present(node, {*keys, *meant}, problems)
        self._check_together(keys, problems)
        for key, each in self.fields.items():
            if each.default is not None and key not in keys:
                value = each.default_value(node.span)
                slots[key] = Slot(value=value, node=None, key_span=None)
        sound = not has_errors(problems[before:])
        return Fields(slots, node.span, complete=sound, unread=unread)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of an object that takes no other keys."""
        schema: dict[str, object] = {
            "type": "object",
            "properties": {key: each.json_schema() for key, each in self.fields.items()},
            "additionalProperties": False,
        }
        required = [key for key, each in self.fields.items() if each.required]
        if required:
            schema["required"] = required
        if self.needs:
            schema["dependentRequired"] = {key: list(keys) for key, keys in self.needs.items()}
        groups = self._groups_schema()
        if groups:
            schema["allOf"] = groups
        return self.described(schema)

    def with_field(self, key: str, added: Field) -> "Record":
        """Return the record with one more key, in front of the others."""
        return Record(
            description=self.description,
            fields={key: added, **self.fields},
            exactly_one_of=self.exactly_one_of,
            at_least_one_of=self.at_least_one_of,
            forbid_together=self.forbid_together,
            needs=self.needs,
        )

    def _unknown(self, entry: Entry, problems: list[Problem]) -> str | None:
        """Report a key that is not known here, and return the one it probably stands for."""
        name = entry.key.text
        meant = suggest(name, self.fields) if len(problems) < _SUGGESTED else None
        ending = "" if meant is None else f'; did you mean "{meant}"?'
        hint = f"known here: {', '.join(self.fields)}" if meant is None and self.fields else None
        message = f"unknown key {quote(name)}{ending}"
        problems.append(error("spec/unknown-key", message, entry.key.span, hint=hint))
        return meant

    def _check_present(self, node: Mapping, keys: set[str | None], problems: list[Problem]) -> None:
        for key, each in self.fields.items():
            if each.required and key not in keys:
                message = f'missing key "{key}"'
                hint = each.description or each.shape.description or None
                problems.append(error("spec/missing-key", message, node.span, hint=hint))
        for group in (*self.exactly_one_of, *self.at_least_one_of):
            if not keys & set(group):
                message = f"missing one of the keys {one_of(group)}"
                problems.append(error("spec/missing-key", message, node.span))

    def _check_together(self, keys: dict[str, Span], problems: list[Problem]) -> None:
        for group in (*self.exactly_one_of, *self.forbid_together):
            first, *others = [key for key in keys if key in group] or [""]
            for other in others:
                message = f'"{other}" cannot be set together with "{first}"'
                related = ((keys[first], f'"{first}" is set here'),)
                problems.append(error("spec/exclusive-keys", message, keys[other], related=related))
        for key, needed in self.needs.items():
            for other in needed:
                if key in keys and other not in keys:
                    message = f'"{key}" needs "{other}" beside it'
                    problems.append(error("spec/needs-key", message, keys[key]))

    def _groups_schema(self) -> list[object]:
        groups: list[object] = [
            {"oneOf": [{"required": [key]} for key in group]} for group in self.exactly_one_of
        ]
        groups += [
            {"anyOf": [{"required": [key]} for key in group]} for group in self.at_least_one_of
        ]
        for group in self.forbid_together:
            groups += [
                {"not": {"required": [first, second]}}
                for index, first in enumerate(group)
                for second in group[index + 1 :]
            ]
        return groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Either(Shape[object]):
    """A value that may be written in several ways, told apart by the kind of node."""

    scalar: Shape[object] | None = None
    sequence: Shape[object] | None = None
    mapping: Shape[object] | None = None

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return " or ".join(shape.wanted for shape in self._shapes())

    def read(self, node: Node, problems: list[Problem]) -> object:
        """Return what the shape for this kind of node reads."""
        shape = self.scalar
        if isinstance(node, Sequence):
            shape = self.sequence
        elif isinstance(node, Mapping):
            shape = self.mapping
        elif node.is_null:
            shape = None
        return self.refuse(node, problems) if shape is None else shape.read(node, problems)

    def json_schema(self) -> dict[str, object]:
        """Return the schemas as alternatives."""
        return self.described({"anyOf": [shape.json_schema() for shape in self._shapes()]})

    def _shapes(self) -> list[Shape[object]]:
        return [shape for shape in (self.scalar, self.sequence, self.mapping) if shape is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Shape[Fields]):
    """Records told apart by the value of one key, which every variant has without listing it."""

    tag: str
    records: MappingOf[str, Record]

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a mapping"

    def read(self, node: Node, problems: list[Problem]) -> Fields | NotRead:
        """Return what the record of this node's variant reads."""
        if not isinstance(node, Mapping):
            return self.refuse(node, problems)
        tag = node.get(self.tag)
        if tag is None:
            message = f'missing key "{self.tag}": {one_of(tuple(self.records))}'
            problems.append(error("spec/missing-key", message, node.span))
            return UNREADABLE
        name = Choice(choices=tuple(self.records)).read(tag, problems)
        return UNREADABLE if name is UNREADABLE else self._record(name).read(node, problems)

    def json_schema(self) -> dict[str, object]:
        """Return the schemas as alternatives, each with its own value of the tag."""
        return self.described(
            {
                "type": "object",
                "required": [self.tag],
                "properties": {self.tag: {"type": "string", "enum": list(self.records)}},
                "oneOf": [self._record(name).json_schema() for name in self.records],
            }
        )

    def _record(self, name: str) -> Record:
        return self.records[name].with_field(
            self.tag, Field(shape=Choice(choices=(name,)), required=True)
        )


def schema_document(shape: Shape[object], *, title: str) -> dict[str, object]:
    """Return a JSON Schema that stands alone, draft 2020-12."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **shape.json_schema(),
    }


def _list_hint(node: Node) -> str | None:
    if not isinstance(node, Scalar) or node.is_null or len(node.text) > _SHORT_TEXT:
        return None
    return f"a list of one is written [{node.text}]"


def _items(count: int, noun: str = "item") -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
