"""The workbench: the folders and the log of one build."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_TAIL_LINES = 15
_WORTH_TELLING = 1.0


class BuildError(Exception):
    """A part that could not be built; the message says why in a sentence or a log's tail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """Where one part is built: ``part`` is what will be kept, ``scratch`` is thrown away."""

    part: Path
    scratch: Path
    log: Path
    tell: Callable[[str], None]

    @property
    def bin(self) -> Path:
        """The folder for executables by plain name."""
        return self.part / "bin"

    def run(self, *command: str, must_succeed: bool = True) -> str:
        """Run a command in the scratch folder, log it, and return what it printed.

        Raises BuildError with the log's tail when it fails and must not.
        """
        began = time.monotonic()
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a", encoding="utf-8") as log:
            print("$", *command, file=log, flush=True)
            code = subprocess.run(
                command,
                cwd=self.scratch,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            ).returncode
        with self.log.open("rb") as log_again:
            log_again.seek(before)
            printed = log_again.read().decode("utf-8", errors="replace").partition("\n")[2]
        if code and must_succeed:
            raise BuildError(f"`{' '.join(command[:3])}` exited with {code}:\n{_tail(printed)}")
        if (took := time.monotonic() - began) >= _WORTH_TELLING:
            self.tell(f"{Path(command[0]).name} {' '.join(command[1:3])} ({took:.1f} s)")
        return printed


def _tail(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-_TAIL_LINES:])
