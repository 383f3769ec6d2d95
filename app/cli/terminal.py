"""Where a command writes, and what it may know of the world around it."""

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import Self, TextIO

from app.cli.progress import Progress
from slo.records import dataclass

_DEFAULT_WIDTH = 80
_NARROWEST = 40


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """The streams of a command, what they can show, its environment variables and its clock.

    Results go to `stdout`, everything else to `stderr`. `clock` is the only source of "now" in a
    command; `ticks` measures how long work takes.
    """

    stdout: TextIO
    stderr: TextIO
    width: int = _DEFAULT_WIDTH
    color: bool = False
    error_color: bool = False
    interactive: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], datetime] = _utc_now
    ticks: Callable[[], float] = time.monotonic

    @classmethod
    def of_process(cls) -> Self:
        """Return the terminal this process runs in.

        Its streams are told to escape what their encoding cannot express, rather than to fail.
        """
        stdout, stderr = _forgiving(sys.stdout), _forgiving(sys.stderr)
        paints = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        return cls(
            stdout=stdout,
            stderr=stderr,
            width=_width(os.environ.get("COLUMNS", ""), stdout),
            color=paints and stdout.isatty(),
            error_color=paints and stderr.isatty(),
            interactive=stderr.isatty(),
            environment=os.environ,
        )

    def without_color(self) -> "Terminal":
        """Return the same terminal, to be written to in plain text."""
        return replace(self, color=False, error_color=False)

    def line(self, text: str = "") -> None:
        """Write a line of the result."""
        self.stdout.write(f"{text}\n")

    def note(self, text: str) -> None:
        """Write a line that is not part of the result."""
        self.stderr.write(f"{text}\n")

    def can_show(self, text: str) -> bool:
        """Tell whether the encoding of the result can express a text, such as a block drawing."""
        try:
            text.encode(self.stdout.encoding or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    @contextmanager
    def progress(self, total: int, label: str) -> Iterator[Progress]:
        """Show how far the work of the block is, on a terminal, once it lasted two seconds."""
        bar = Progress(
            total=total,
            label=label,
            stream=self.stderr if self.interactive else None,
            width=self.width,
            ticks=self.ticks,
        )
        try:
            yield bar
        finally:
            bar.finish()


def _forgiving(stream: TextIO | None) -> TextIO:
    if stream is None:  # the caller closed it: `headroom ... >&-`
        return io.StringIO()
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


def _width(columns: str, stdout: TextIO) -> int:
    if columns.isascii() and columns.isdigit() and int(columns[:6]) > 0:
        return max(_NARROWEST, int(columns[:6]))
    try:
        width = os.get_terminal_size(stdout.fileno()).columns
    except (OSError, ValueError):
        return _DEFAULT_WIDTH
    return max(_NARROWEST, width) if width > 0 else _DEFAULT_WIDTH
