"""What a record gives back once it is read: values by key, with their places."""

from collections.abc import Collection, Iterator
from typing import Generic, TypeVar

from slo.nodes import Node
from slo.problems import Span
from slo.records import dataclass

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Located(Generic[T_co]):
    """A value and the place it was read from."""

    value: T_co
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair(Generic[T_co]):
    """A key and a value of a mapping whose keys are the user's own."""

    key: Located[str]
    value: Located[T_co]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A key of a record as it was found, or its default (then without a node and a key place)."""

    value: object
    node: Node | None
    key_span: Span | None


class Fields:
    """The values of one record by key, with the places of keys and values.

    A key that is absent, or whose value could not be read, gives None: its problem is already
    reported. `complete` tells whether the record and all below it were read without an error,
    `unread` names the keys that are there and could not be read.
    """

    __slots__ = ("_slots", "_span", "complete", "unread")

    def __init__(
        self, slots: dict[str, Slot], span: Span, *, complete: bool, unread: Collection[str] = ()
    ) -> None:
        self._slots = slots
        self._span = span
        self.complete = complete
        self.unread = unread

    def __contains__(self, key: str) -> bool:
        return key in self._slots

    def __iter__(self) -> Iterator[str]:
        return iter(self._slots)

    def value(self, key: str) -> object:
        """Return the value of a key whatever its type, or None."""
        slot = self._slots.get(key)
        return None if slot is None else slot.value

    def get(self, key: str, kind: type[T]) -> T | None:
        """Return the value of a key, or None; raises `TypeError` for a value of another type."""
        value = self.value(key)
        if value is None:
            return None
        return _checked(key, value, kind)

    def need(self, key: str, kind: type[T]) -> T:
        """Return the value of a key that is there for certain; raises `KeyError` otherwise."""
        if self.value(key) is None:
            raise KeyError(key)
        return _checked(key, self.value(key), kind)

    def items(self, key: str, kind: type[T]) -> tuple[Located[T], ...]:
        """Return the items of a list with their places; an absent list has none."""
        located: tuple[Located[object], ...] = self.get(key, tuple) or ()
        return tuple(
            Located(value=_checked(key, item.value, kind), span=item.span) for item in located
        )

    def each(self, key: str, kind: type[T]) -> tuple[T, ...]:
        """Return the items of a list; an absent list has none."""
        return tuple(item.value for item in self.items(key, kind))

    def pairs(self, key: str, kind: type[T]) -> tuple[Pair[T], ...]:
        """Return keys and values of a mapping with their places; an absent one has none."""
        found: tuple[Pair[object], ...] = self.get(key, tuple) or ()
        return tuple(
            Pair(
                key=pair.key,
                value=Located(value=_checked(key, pair.value.value, kind), span=pair.value.span),
            )
            for pair in found
        )

    def mapping(self, key: str, kind: type[T]) -> dict[str, T]:
        """Return a mapping whose keys are the user's own; an absent one is empty."""
        return {pair.key.value: pair.value.value for pair in self.pairs(key, kind)}

    def node(self, key: str) -> Node | None:
        """Return the node that a value was read from; none for a default."""
        slot = self._slots.get(key)
        return None if slot is None else slot.node

    def span(self, key: str | None = None) -> Span:
        """Return the place of a key's value; of the record if there is none or no key is given."""
        node = None if key is None else self.node(key)
        return self._span if node is None else node.span

    def key_span(self, key: str) -> Span:
        """Return the place of a key, or of the record when the key is not there."""
        slot = self._slots.get(key)
        return self._span if slot is None or slot.key_span is None else slot.key_span


def _checked(key: str, value: object, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{key} is {type(value).__name__}, not {kind.__name__}")
    return value
