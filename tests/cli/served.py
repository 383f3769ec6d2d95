"""`headroom serve` as a process of a test: started on a free port, ended or killed."""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.cli.installed import BYTECODE, PROGRAM

_PATIENCE = 60


@dataclass(frozen=True, kw_only=True)
class Served:
    """A server that has said where it listens; `log` holds the rest of what it prints."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def end(self, how: int = signal.SIGTERM) -> int:
        """Send a signal and wait; returns the exit code."""
        self.process.send_signal(how)
        return self.process.wait(_PATIENCE)

    @property
    def memory(self) -> int:
        """The most memory that it has had so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [each for each in status.splitlines() if each.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024


@contextmanager
def served(
    folder: Path,
    *arguments: str,
    console: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """Serve what is in a folder, without the console unless asked; nothing is left running."""
    flags = ["--port", "0", *([] if console else ["--no-console"])]
    log = folder / f"serve-{time.monotonic_ns()}.log"
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("OTEL_")}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [PROGRAM, "serve", *flags, *arguments],
            cwd=folder,
            env={**inherited, "PYTHONPYCACHEPREFIX": str(BYTECODE), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    try:
        yield Served(process=process, url=_url(process, log), log=log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def _url(process: subprocess.Popen[bytes], log: Path) -> str:
    assert process.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        assert selector.select(_PATIENCE), "the server said nothing"
    line = process.stdout.readline().decode()
    assert line.startswith("Headroom listens on http://"), line + log.read_text()
    return line.split()[-1]
