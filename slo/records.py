"""The dataclass decorator of this project: the standard one, defined faster where it matters.

The standard decorator compiles up to six methods for every class while its module is imported.
With two hundred classes that is two fifths of the time in which ``headroom gate`` starts, and
pipelines wait for it. A frozen class with slots and keywords compiles only ``__init__`` here; the
other methods are the same few functions for all. What such a class does is what it does with the
standard decorator, and ``dataclasses.fields``, ``replace`` and ``asdict`` work on it. It can be
the base of such classes only, which holds for this decorator's other classes as well.
"""

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - handed on to type checkers
else:

    def dataclass(cls=None, /, **options):
        """Make a dataclass of a class; the options are the standard ones."""
        make = _frozen if options == _FROZEN else dataclasses.dataclass(**options)
        return make if cls is None else make(cls)


_FROZEN = {"frozen": True, "slots": True, "kw_only": True}
_MISSING = object()


def _frozen(cls: type) -> type:
    """Make a frozen dataclass with slots and keywords."""
    own = vars(cls)
    declared = {name: own[name] for name in ("__repr__", "__eq__", "__hash__") if own.get(name)}
    bare = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True, kw_only=True)
    made: type = bare(cls)
    fields = dataclasses.fields(made)
    methods = {
        "__init__": _initialiser(made, fields),
        "__repr__": _representation([each.name for each in fields if each.repr]),
        "__eq__": _equality(_values([each.name for each in fields if each.compare])),
        "__hash__": _hashing(
            _values([e.name for e in fields if (e.compare if e.hash is None else e.hash)])
        ),
        "__setattr__": _refuse_to_set,
        "__delattr__": _refuse_to_delete,
        "__getstate__": _state,
        "__setstate__": _restore,
    }
    for name, method in {**methods, **declared}.items():
        setattr(made, name, method)
    return made
