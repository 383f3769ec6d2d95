"""The dataclass decorator of this project: the standard one, and quick to define classes with.

The standard decorator compiles up to six methods for every class while its module is imported.
With two hundred classes that was two fifths of the work in which ``headroom gate`` starts, and
pipelines wait for it. Here a frozen class with slots and keywords compiles ``__init__`` alone; its
other methods are the same few functions for all classes. Such a class does what it does with the
standard decorator, and ``dataclasses.fields``, ``replace`` and ``asdict`` work on it; but classes
of the two decorators cannot inherit from each other.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - type checkers know this one
else:

    def dataclass(cls: type | None = None, /, **options: bool) -> object:
        """Make a dataclass of a class; takes what the standard decorator takes."""
        make = _frozen if options == _FROZEN else dataclasses.dataclass(**options)
        return make if cls is None else make(cls)


_FROZEN = {"frozen": True, "slots": True, "kw_only": True}
_ABSENT = object()

_Fields = tuple[dataclasses.Field[Any], ...]
_Values = Callable[[object], tuple[object, ...]]


def _frozen(cls: type) -> type:
    declared = {name: vars(cls).get(name) for name in ("__repr__", "__eq__", "__hash__")}
    make = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)
    made: type = make(cls)
    fields = dataclasses.fields(made)
    compared = [each.name for each in fields if each.compare]
    hashed = [each.name for each in fields if (each.compare if each.hash is None else each.hash)]
    methods: dict[str, object] = {
        "__init__": _initialiser(made, fields),
        "__repr__": _representation([each.name for each in fields if each.repr]),
        "__eq__": _equality(_values(compared)),
        "__hash__": _hash(_values(hashed)),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__getstate__": _state,
        "__setstate__": _restore,
    }
    for name, method in methods.items():
        setattr(made, name, declared.get(name) or method)
    return made


def _initialiser(made: type, fields: _Fields) -> object:
    """Compile ``__init__``; defaults are set afterwards, since keywords have no order."""
    if not all(each.init for each in fields):
        raise TypeError(f"every field of {made.__qualname__} must be one that is given")
    names: dict[str, object] = {"_set": object.__setattr__, "_absent": _ABSENT}
    defaults = {}
    lines = ["pass"]
    for each in fields:
        value = each.name
        if each.default_factory is not dataclasses.MISSING:
            names[f"_new_{value}"] = each.default_factory
            defaults[value] = _ABSENT
            value = f"_new_{value}() if {value} is _absent else {value}"
        elif each.default is not dataclasses.MISSING:
            defaults[value] = each.default
        lines.append(f"_set(self, {each.name!r}, {value})")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    keywords = ", ".join(["self", "*", *(each.name for each in fields)] if fields else ["self"])
    exec(f"def __init__({keywords}):\n  " + "\n  ".join(lines), names)  # noqa: S102 - our own text
    initialiser: Any = names["__init__"]
    initialiser.__kwdefaults__ = defaults
    initialiser.__annotations__ = {each.name: each.type for each in fields} | {"return": None}
    initialiser.__qualname__ = f"{made.__qualname__}.__init__"
    initialiser.__module__ = made.__module__
    return initialiser


def _values(names: list[str]) -> _Values:
    """What reads the named attributes as a tuple; `attrgetter` makes one of two names or more."""
    if not names:
        return lambda _: ()
    first = attrgetter(*names)
    return first if len(names) > 1 else lambda record: (first(record),)


def _representation(names: list[str]) -> Callable[[object], str]:
    def __repr__(self: object) -> str:  # noqa: N807 - the method it becomes
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{type(self).__qualname__}({shown})"

    return __repr__


def _equality(values: _Values) -> Callable[[object, object], bool]:
    def __eq__(self: object, other: object) -> bool:  # noqa: N807 - as above
        return values(self) == values(other) if type(other) is type(self) else NotImplemented

    return __eq__


def _hash(values: _Values) -> Callable[[object], int]:
    def __hash__(self: object) -> int:  # noqa: N807 - as above
        return hash(values(self))

    return __hash__


def _refuse_to_set(_: object, name: str, value: object) -> None:  # noqa: ARG001 - the protocol
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
