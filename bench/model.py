"""What a benchmark is given and what it answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.provision.cache import Missing, find

NEWEST, OLDEST = "prometheus-3.11", "prometheus-2.42"
"""The servers that are measured."""


class UnavailableError(Exception):
    """A benchmark that cannot run here; the message names what is missing."""


class FailedError(Exception):
    """A tool that gave a wrong answer or none: what it took for that is no figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: ``value`` is compared with ``target``, smaller is better.

    ``unit`` is empty for a ratio of ours to a peer's. ``figures`` holds what the value was made
    from. A figure without a target is for information; one without a value was not measured, and
    ``figures`` says why.
    """

    bench: str
    what: str
    value: float | None
    target: float | None = None
    unit: str = ""
    figures: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; ``None`` where there is nothing to compare."""
        if self.value is None or self.target is None:
            return None
        return self.value <= self.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one benchmark found; ``detail`` is printed below the table."""

    rows: Sequence[Row]
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the benchmarks: ``folder`` is empty and thrown away after each of them."""

    quick: bool
    folder: Path
    tell: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A benchmark by name.

    It raises ``UnavailableError`` when it cannot run, ``FailedError`` when it went wrong.
    """

    name: str
    about: str
    run: Callable[[Run], Result]


def expect(expected: object, actual: object, what: str) -> None:
    """Raise ``FailedError`` unless a tool did what was asked of it."""
    if expected != actual:
        raise FailedError(f"{what}: {actual}, expected {expected}")


def binaries(part: str) -> Path:
    """The folder of a server's or a peer's executables."""
    found = find(part)
    if isinstance(found, Missing):
        raise UnavailableError(str(found))
    return found
