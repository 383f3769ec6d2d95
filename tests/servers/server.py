"""What every server process of the tests shares: a port, a folder, readiness, an end."""

import json
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

LOG_TAIL = 4000
_PORT_ATTEMPTS = 3


class ServerError(Exception):
    """A server that did not start, or refused a request; the message says what it said."""


class Server(ABC):
    """A server process on loopback, started by ``start`` or ``with`` and stopped by ``stop``."""

    name: str

    def __init__(self, binaries: Path, *, flags: Sequence[str], timeout: float) -> None:
        self.binaries = binaries
        self.flags = tuple(flags)
        self.timeout = timeout
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix=f"headroom-{self.name}-")
        self.folder = Path(self._folder.name)
        self.log_file = self.folder / "log.txt"
        self.config_file = self.folder / "config.yaml"

    @abstractmethod
    def command(self, port: int) -> list[str]:
        """Return the command that starts the server on a port."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process, "not started"
        return self._process.pid

    def start(self) -> Self:
        """Start and wait until ready; raises ServerError with the log's tail."""
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            try:
                self._start_on(free_port())
            except BaseException as error:
                self._kill()
                # Another process may take the port between our look and the server's start.
                taken = "address already in use" in self.log().lower()
                if isinstance(error, ServerError) and taken and attempt < _PORT_ATTEMPTS:
                    continue
                self.stop()
                raise
            return self
        raise AssertionError

    def stop(self) -> None:
        """Stop the process and remove its folder; harmless when it is not running."""
        self._kill()
        self._folder.cleanup()

    def log(self) -> str:
        """Return what the server has printed so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def write_config(self, config: Mapping[str, Any] | str) -> None:
        """Replace the configuration file; a running server reads it at ``reload``."""
        text = config if isinstance(config, str) else json.dumps(config, indent=1)
        self.config_file.write_text(text, encoding="utf-8")

    def reload(self) -> None:
        """Make the server read its configuration again; raises ServerError when it refuses."""
        self.request("/-/reload", data=b"")

    def request(
        self,
        path: str,
        *,
        data: bytes | None = None,
        content_type: str | None = None,
        method: str | None = None,
    ) -> bytes:
        """Send a GET, a POST when there is data, or the method given.

        Raises ServerError for any answer other than 2xx.
        """
        request = urllib.request.Request(f"{self.url}{path}", data=data, method=method)
        if content_type:
            request.add_header("Content-Type", content_type)
        # Loopback never goes through the proxy that the environment may name.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=self.timeout) as response:
                body: bytes = response.read()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode(errors="replace").strip()
            raise ServerError(f"{self.name} answers {path} with {error.code}: {said}") from error
        except OSError as error:
            raise ServerError(f"{self.name} does not answer {path}: {error}") from error
        return body

    def _start_on(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(port), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + self.timeout
        while not self._is_ready():
            code = self._process.poll()
            if code is not None:
                raise ServerError(f"{self.name} exited with {code}:\n{self.log()[-LOG_TAIL:]}")
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{self.name} is not ready after {self.timeout} s:\n{self.log()[-LOG_TAIL:]}"
                )
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            self.request("/-/ready")
        except ServerError:
            return False
        return True

    def _kill(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def wait_until(condition: Callable[[], bool], *, timeout: float = 30, what: str) -> None:
    """Poll a condition; raises ServerError naming what did not happen in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise ServerError(f"not within {timeout} s: {what}")
        time.sleep(0.1)


def free_port() -> int:
    """Look for a port of loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
