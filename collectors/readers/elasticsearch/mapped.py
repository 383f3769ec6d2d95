"""Which fields the indices of a pattern have, and of which types: asked once, and kept a while."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any

from collectors.readers.elasticsearch.columns import Column, Place
from slo.records import dataclass

NUMBERS = frozenset(
    (
        *("long", "integer", "short", "byte", "double", "float", "half_float", "scaled_float"),
        "unsigned_long",
    )
)
_LARGEST: Mapping[str, int] = {
    "byte": 2**7 - 1,
    "short": 2**15 - 1,
    "half_float": 65_504,
    "integer": 2**31 - 1,
    "long": 2**63 - 1,
    "unsigned_long": 2**63 - 1,
    "scaled_float": 2**63 - 1,
    "float": 3 * 10**38,
    "double": 10**308,
}
KEYWORDS = frozenset(("keyword", "constant_keyword", "wildcard"))
"""Every kind of keyword; some servers tell the family of a type, which is the first of these."""
FREE_FORM = frozenset(("flattened", "flat_object"))
TEXTS = frozenset(("text", "match_only_text"))

MOST_FIELDS = 20_000
"""How many fields of a pattern are remembered; a mapping past this is broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """The fields of a pattern's indices; ``indices`` is how many there are.

    ``stated`` are the values of fields that an index states once for all its documents.
    """

    types: Mapping[str, frozenset[str]]
    indices: int
    stated: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Mapped:
        """Read the answer of the field capabilities API."""
        fields = answer.get("fields")
        found: dict[str, frozenset[str]] = {}
        for name, kinds in (fields if isinstance(fields, Mapping) else {}).items():
            if len(found) >= MOST_FIELDS:
                break
            # A field that some indices do not map is "unmapped" there.
            found[name] = frozenset(kinds) - {"unmapped"}
        indices = answer.get("indices")
        return cls(types=found, indices=len(indices) if isinstance(indices, list) else 1)

    def stating(self, answer: object) -> Mapped:
        """The same, with the values of constant fields that the mapping API tells."""
        found: dict[str, dict[str, str]] = {}
        for index, told in (answer if isinstance(answer, Mapping) else {}).items():
            fields = told.get("mappings", {}) if isinstance(told, Mapping) else {}
            for path, one in fields.items():
                kinds = one.get("mapping", {}) if isinstance(one, Mapping) else {}
                for kind in kinds.values():
                    value = kind.get("value") if isinstance(kind, Mapping) else None
                    if isinstance(value, str):
                        found.setdefault(index, {})[path] = value
        return replace(self, stated=found)

    def of_path(self, path: str) -> frozenset[str]:
        """The types of a field, which may be a key of a free-form one; none if unmapped."""
        found = self.types.get(path)
        if found is not None:
            return found
        parts = path.split(".")
        for end in range(len(parts) - 1, 0, -1):
            free = self.types.get(".".join(parts[:end]), frozenset()) & FREE_FORM
            if free:
                return free
        return frozenset()

    def holds(self, place: Place) -> bool:
        """Whether any index maps a place."""
        return bool(self.of_path(place.path))

    def only(self, places: Iterable[Place]) -> Column:
        """The places that any index maps."""
        return tuple(each for each in places if self.holds(each))

    def exact(self, path: str) -> str | None:
        """The field that holds a text whole, the one itself or one beside it; none if unmapped."""
        types = self.of_path(path)
        if not types:
            return None
        if types <= TEXTS:
            beside = (f"{path}.{name}" for name in ("keyword", "raw"))
            return next((each for each in beside if self.types.get(each, types) <= KEYWORDS), None)
        return path

    def largest(self, path: str) -> int:
        """The largest number that every index can compare a field with."""
        return min(_LARGEST[each] for each in self.of_path(path) & NUMBERS)
