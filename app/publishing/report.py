"""What publishing is asked to do and what it tells: the same for every kind of server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Protocol

from app.publishing.files import OutputFile
from collectors.readers.prometheus.clock import Clock, Deadline
from slo.errors import PublishError
from slo.records import dataclass
from slo.units import Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishReport:
    """What was done, or with a dry run would be, by the names that the server knows.

    ``messages`` are what a person should know although it is no failure.
    """

    done: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rolled_back: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()

    @property
    def is_current(self) -> bool:
        """Whether there was nothing to do."""
        return not (self.done or self.removed)


class PublishRefusedError(PublishError):
    """The server did not take what was published; ``report`` says what was taken back."""

    def __init__(self, message: str, report: PublishReport, *, hint: str | None = None) -> None:
        self.report = report
        super().__init__(message, hint=hint)


def _unseen(done: int, total: int) -> None:
    """Take no notice."""


def _untold(message: str) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long to wait for a server, on which clock.

    ``seen`` hears how many groups are healthy of how many, ``told`` what is waited for.
    """

    timeout: Duration
    clock: Clock = field(default_factory=Clock)
    seen: Callable[[int, int], None] = _unseen
    told: Callable[[str], None] = _untold

    def deadline(self) -> Deadline:
        """Return a deadline that starts to run now."""
        return Deadline(self.clock, self.timeout)


class Publisher(Protocol):
    """Puts files to work on one kind of server; safe to repeat, also after it was interrupted."""

    def publish(self, files: Sequence[OutputFile], *, dry_run: bool, wait: Wait) -> PublishReport:
        """Make the server run these files and nothing else of ours.

        A dry run asks servers but changes nothing. Raises ``PublishRefusedError`` when the server
        refused and its former state was restored, and other ``HeadroomError`` when it was never
        touched.
        """
        ...
