"""What was read from files that never change, kept while there is room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Held(Generic[_K, _V]):
    """At most so many bytes of things by key; the least recently used go first.

    Threads may share it. Two that miss the same thing at once both make it.
    """

    def __init__(self, most: int, size_of: Callable[[_V], int]) -> None:
        self._most = most
        self._size_of = size_of
        self._lock = Lock()
        self._held: OrderedDict[_K, tuple[_V, int]] = OrderedDict()
        self._bytes = 0

    @property
    def bytes(self) -> int:
        """How much is held."""
        return self._bytes

    def get(self, key: _K) -> _V | None:
        """Return a thing, ``None`` where it is not held."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: _K, value: _V) -> None:
        """Hold a thing, unless it needs more than half of all room."""
        size = self._size_of(value)
        if size > self._most // 2:
            return
        with self._lock:
            before = self._held.pop(key, None)
            self._bytes += size - (0 if before is None else before[1])
            self._held[key] = value, size
            while self._bytes > self._most:
                _, (_, gone) = self._held.popitem(last=False)
                self._bytes -= gone
