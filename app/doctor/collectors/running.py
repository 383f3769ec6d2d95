"""A validator as a process: no shell, a bare environment, bounded time, bounded words."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from slo.records import dataclass

LONGEST = 64 * 1024
"""How many bytes of what a program says are read."""

KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "JAVA_HOME", "RSYSLOG_MODDIR", "GEM_HOME", "GEM_PATH")
"""Variables that programs may need to start; all others, secrets among them, stay here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a program ended and what it said; ``code`` is None when its time was over."""

    code: int | None
    text: str


def run(
    command: Sequence[str | Path], variables: Mapping[str, str], scratch: Path, seconds: float
) -> Said:
    """Run a program to its end, or end it and all that it started.

    Its home and working directory are the folder ``scratch``. Raises ``OSError`` when it cannot be
    started.
    """
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch)}
    environment |= {"TMPDIR": str(scratch), **variables}
    words = scratch / "said"
    with words.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - no shell; the program is found or given
            list(map(str, command)),
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code: int | None = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return Said(code=code, text=_read(words))


def _read(file: Path) -> str:
    with file.open("rb") as words:
        return words.read(LONGEST).decode("utf-8", "replace")
