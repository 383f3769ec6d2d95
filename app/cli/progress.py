"""A progress bar for work that takes longer than one likes to look at a silent terminal."""

from collections.abc import Callable
from dataclasses import field
from typing import TextIO

from slo.records import dataclass

_PATIENCE = 2.0
_REDRAW = 0.1
_BAR = 24


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far some work is; drawn on a terminal, and only once it lasted over two seconds.

    `stream` is None where nothing is to be drawn. `ticks` gives seconds that only ever grow.
    """

    total: int
    label: str
    stream: TextIO | None
    width: int
    ticks: Callable[[], float]
    done: int = 0
    _started: float = field(init=False)
    _drawn: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._started = self.ticks()

    def advance(self, steps: int = 1) -> None:
        """Say that so many more steps are done."""
        self.done += steps
        if self.stream is None:
            return
        now = self.ticks()
        due = self._started + _PATIENCE if self._drawn is None else self._drawn + _REDRAW
        if now >= due:
            self._drawn = now
            self._draw(self.stream)

    def finish(self) -> None:
        """Take the bar away, if it was drawn."""
        if self.stream is not None and self._drawn is not None:
            self.stream.write("\r" + " " * (self.width - 1) + "\r")
            self.stream.flush()

    def _draw(self, stream: TextIO) -> None:
        share = min(1.0, self.done / self.total) if self.total > 0 else 1.0
        filled = int(share * _BAR)
        bar = "#" * filled + "-" * (_BAR - filled)
        line = f"{self.label} [{bar}] {self.done}/{self.total}"
        room = self.width - 1
        stream.write("\r" + line[:room].ljust(room))
        stream.flush()
