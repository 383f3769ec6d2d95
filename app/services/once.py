"""What several askers want to know at once or shortly after another, found out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

from slo.records import dataclass

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held(Generic[V]):
    """An answer or who is finding it; ``since`` is when it was asked for, in seconds."""

    answer: Future[V | None]
    since: float


class Once(Generic[K, V]):
    """Answers by key, each found by one asker while the others wait; threads may share it.

    At most ``most`` are held, none for longer than ``keep`` seconds of ``ticks``. An answer that
    is not ``worth`` keeping goes to those who wait for it and to nobody else.
    """

    def __init__(
        self,
        *,
        most: int,
        keep: float,
        ticks: Callable[[], float],
        worth: Callable[[V], bool] = lambda _: True,
    ) -> None:
        self._most = most
        self._keep = keep
        self._ticks = ticks
        self._worth = worth
        self._lock = Lock()
        self._held: OrderedDict[K, _Held[V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def all(self, keys: Sequence[K], find: Callable[[Sequence[K]], Mapping[K, V]]) -> dict[K, V]:
        """Return what is known of keys after asking ``find`` for those that nobody asked for.

        What ``find`` leaves out is left out; what it raises is raised to all who wait for it.
        """
        mine, answers = self._claim(keys)
        if mine:
            self._find(mine, find)
        # Whoever finds never waits before having found: two who wait for each other cannot be.
        found = {key: answer.result() for key, answer in answers.items()}
        return {key: value for key, value in found.items() if value is not None}

    def forget(self) -> None:
        """Forget everything; who is waiting still gets an answer."""
        with self._lock:
            self._held.clear()

    def _claim(
        self, keys: Iterable[K]
    ) -> tuple[dict[K, Future[V | None]], dict[K, Future[V | None]]]:
        """Return what this asker has to find, and all that was asked for."""
        mine: dict[K, Future[V | None]] = {}
        answers: dict[K, Future[V | None]] = {}
        with self._lock:
            now = self._ticks()
            for key in dict.fromkeys(keys):
                held = self._held.get(key)
                if held is None or (held.answer.done() and now - held.since > self._keep):
                    held = _Held(answer=Future(), since=now)
                    self._held[key] = held
                    mine[key] = held.answer
                self._held.move_to_end(key)
                answers[key] = held.answer
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return mine, answers

    def _find(
        self,
        mine: Mapping[K, Future[V | None]],
        find: Callable[[Sequence[K]], Mapping[K, V]],
    ) -> None:
        try:
            found = find(tuple(mine))
        except BaseException as error:
            self._drop(mine)
            for answer in mine.values():
                answer.set_exception(error)
            raise
        self._drop({key: mine[key] for key in mine if not self._is_worth(found.get(key))})
        for key, answer in mine.items():
            answer.set_result(found.get(key))

    def _is_worth(self, value: V | None) -> bool:
        return value is not None and self._worth(value)

    def _drop(self, answers: Mapping[K, Future[V | None]]) -> None:
        with self._lock:
            for key, answer in answers.items():
                held = self._held.get(key)
                if held is not None and held.answer is answer:
                    del self._held[key]
