"""The processes that the demo starts, and that must be gone when it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self

import requests

from app.demo.generating import DemoError

_GRACE = 10
_TAIL = 2_000
_POLL = 0.2


class Background:
    """A Python module that runs in a process of its own until the block ends.

    Ctrl-C does not reach it, so that it can be ended in order. Its standard input ends with this
    process, however that ends.
    """

    def __init__(
        self, what: str, module: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> None:
        self._what = what
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
            env=dict(environment),
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._output.close()

    def check(self) -> None:
        """Raise ``DemoError`` when it does not run any more."""
        code = self._process.poll()
        if code is not None:
            raise DemoError(f"the {self._what} ended with code {code}", hint=self._said())

    def _said(self) -> str | None:
        end = self._output.seek(0, 2)
        self._output.seek(max(0, end - _TAIL))
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else None


def wait_until_answering(url: str, server: Background, ticks: Callable[[], float]) -> None:
    """Wait for a server's first answer, a minute at most; raises ``DemoError`` without one."""
    until = ticks() + 60
    with requests.Session() as session:
        session.trust_env = False
        while ticks() < until:
            server.check()
            try:
                if session.get(f"{url}/v1/apps", timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            time.sleep(_POLL)
    raise DemoError(f"{url} did not answer within a minute")
