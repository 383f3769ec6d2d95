"""Frozen records: what the standard decorator gives such classes, ours gives them too."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """A record with every kind of field."""

    name: str
    size: int = 1
    tags: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)
    secret: str = dataclasses.field(default="", repr=False)
    note: str = dataclasses.field(default="", compare=False)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The same record by the standard decorator."""

    name: str
    size: int = 1
    tags: dict[str, str] = dataclasses.field(default_factory=dict, hash=False)
    secret: str = dataclasses.field(default="", repr=False)
    note: str = dataclasses.field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Ours):
    """A record that inherits, and that looks at its values."""

    limit: int = 10

    def __post_init__(self) -> None:
        if self.size > self.limit:
            raise ValueError(f"{self.size} is too much")


@pytest.mark.parametrize(
    "ask",
    [
        lambda kind: repr(kind(name="a", secret="s", tags={"k": "v"})).partition("(")[2],
        lambda kind: hash(kind(name="a", tags={"k": "v"})),
        lambda kind: kind(name="a") == kind(name="a", note="other"),
        lambda kind: kind(name="a") == kind(name="a", secret="other"),
        lambda kind: kind(name="a") == "a",
        lambda kind: dataclasses.asdict(kind(name="a", size=2)),
        lambda kind: dataclasses.replace(kind(name="a"), size=3).size,
        lambda kind: [each.name for each in dataclasses.fields(kind)],
        lambda kind: kind(name="a").tags is kind(name="a").tags,
        lambda kind: kind.__slots__,
        lambda kind: kind.__init__.__annotations__,
        lambda kind: hasattr(kind(name="a"), "__dict__"),
    ],
)
def test_a_record_does_what_a_standard_one_does(ask: Callable[[Any], object]) -> None:
    """Printing, comparing, hashing, copying and asking for fields give the same answers."""
    assert ask(Standard) == ask(Ours)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda kind: kind(),
        lambda kind: kind("a"),
        lambda kind: kind(name="a", other=1),
        lambda kind: setattr(kind(name="a"), "name", "b"),
        lambda kind: delattr(kind(name="a"), "name"),
    ],
)
def test_a_record_refuses_what_a_standard_one_refuses(attempt: Callable[[Any], object]) -> None:
    """Missing, positional and unknown values, and every change, raise the same errors."""
    with pytest.raises((TypeError, AttributeError)) as standard:
        attempt(Standard)
    with pytest.raises((TypeError, AttributeError)) as ours:
        attempt(Ours)

    assert (standard.type, str(standard.value).replace("Standard", "Ours")) == (
        ours.type,
        str(ours.value),
    )


def test_records_are_copied_and_pickled() -> None:
    """A frozen record with slots survives a copy of every kind."""
    record = Checked(name="a", size=2, tags={"k": "v"})

    assert record == pickle.loads(pickle.dumps(record)) == copy.deepcopy(record)
    assert record == copy.copy(record)


def test_a_record_that_inherits_has_all_fields_and_its_check() -> None:
    """Fields of the base come first; `__post_init__` sees all of them."""
    assert ["name", "size", "tags", "secret", "note", "limit"] == [
        each.name for each in dataclasses.fields(Checked)
    ]
    with pytest.raises(ValueError, match="11 is too much"):
        Checked(name="a", size=11)


def test_other_options_are_the_standard_decorator_s() -> None:
    """A record that may change, or that has an order, is an ordinary dataclass."""

    @dataclass(slots=True, order=True)
    class Plain:
        value: int

    changed = Plain(1)
    changed.value = 3

    assert Plain(2) < changed
