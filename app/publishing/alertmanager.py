"""Publishing the configuration file of an Alertmanager.

The server tells which text it runs by ``alertmanager_config_hash``, the first 48 bits of the
text's MD5. By that a run that was interrupted is told from one that was finished.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from app.publishing.files import OutputFile
from app.publishing.http import Http
from app.publishing.report import PublishRefusedError, PublishReport, Wait
from slo.errors import PublishError
from slo.publishing import AlertmanagerFile

BACKUP_SUFFIX = ".bak"
_HASH = "alertmanager_config_hash"
_SUCCESS = "alertmanager_config_last_reload_successful"


class AlertmanagerPublisher:
    """Replaces a configuration file and makes the server load it, or puts the old one back."""

    def __init__(self, target: AlertmanagerFile) -> None:
        self._path = Path(target.path)
        self._backup = self._path.with_name(self._path.name + BACKUP_SUFFIX)
        self._source = target.server

    def publish(self, files: Sequence[OutputFile], *, dry_run: bool, wait: Wait) -> PublishReport:
        """Make the server run the one file given; the file it replaces is kept as ``.bak``."""
        (file,) = files
        content = file.text.encode()
        self._check_place()
        server = None if self._source is None else _Server(Http(self._source, wait.clock), wait)
        running = None if server is None else server.running()
        present = _read(self._path)
        if present == content and (server is None or running == config_hash(content)):
            return PublishReport(unchanged=(str(self._path),))
        report = PublishReport(done=(str(self._path),), messages=_untold(server))
        if dry_run:
            return report
        former = self._former(present, running)
        if former is not None and former != content:
            _write(self._backup, former, like=self._path)
        if present != content:
            _write(self._path, content, like=self._path)
        if server is not None:
            try:
                server.load(content)
            except PublishError as error:
                raise self._refused(error, former, server) from error
        return report

    def _check_place(self) -> None:
        if self._path.is_symlink() or (self._path.exists() and not self._path.is_file()):
            raise PublishError(
                f"{self._path}: this is no plain file", hint="name the file itself, not a link"
            )
        if not self._path.parent.is_dir():
            raise PublishError(f"{self._path.parent}: there is no such folder")

    def _former(self, present: bytes | None, running: int | None) -> bytes | None:
        """Return what to go back to: after an interrupted run that is the backup, if it is run."""
        backup = _read(self._backup)
        if backup is not None and running is not None and running == config_hash(backup):
            return backup
        return present

    def _refused(
        self, error: PublishError, former: bytes | None, server: _Server
    ) -> PublishRefusedError:
        messages = []
        if former is None:
            self._path.unlink()
        else:
            _write(self._path, former, like=self._path)
            try:
                server.load(former)
            except PublishError as second:
                messages.append(f"the former file is back, but not loaded: {second}")
        return PublishRefusedError(
            f"{error}; {'; '.join(messages) or 'the former configuration is back'}",
            PublishReport(rolled_back=(str(self._path),), messages=tuple(messages)),
            hint=error.hint or f"amtool check-config explains more; does it read {self._path}?",
        )


class _Server:
    """One Alertmanager."""

    def __init__(self, http: Http, wait: Wait) -> None:
        self._http = http
        self._wait = wait

    def running(self) -> int | None:
        """Return the hash of the configuration that it runs, None where it does not tell.

        Raises ``PublishError`` if it does not answer, or is no Alertmanager.
        """
        status = self._http.send("GET", "/api/v2/status", timeout=self._timeout)
        if not status.ok or '"config"' not in status.text:
            raise PublishError(
                f"{self._http.url}: this is no Alertmanager ({status.said[:120]})",
                hint="check the address, including its path",
            )
        value = self._metric(_HASH)
        return None if value is None else int(value)

    def load(self, content: bytes) -> None:
        """Make it load the file and see that it did. Raises ``PublishError``."""
        answer = self._http.send("POST", "/-/reload", body="", timeout=self._timeout)
        if not answer.ok:
            raise PublishError(f"{self._http.url}: the server refused it ({answer.said})")
        if self._metric(_SUCCESS) == 0:
            raise PublishError(f"{self._http.url}: the server says that its last reload failed")
        until = self._wait.deadline()
        while (running := self.running()) not in (None, config_hash(content)):
            if until.remaining() <= 0:
                raise PublishError(
                    f"{self._http.url}: the server runs another configuration ({running})",
                    hint="does its --config.file name this file?",
                )
            self._wait.clock.sleep(min(0.25, until.remaining()))

    @property
    def _timeout(self) -> float:
        return float(self._wait.timeout.seconds)

    def _metric(self, name: str) -> float | None:
        answer = self._http.send("GET", "/metrics", timeout=self._timeout)
        for line in answer.text.splitlines() if answer.ok else ():
            if line.startswith(f"{name} "):
                with suppress(ValueError):
                    return float(line.split()[1])
        return None


def config_hash(content: bytes) -> int:
    """Return the number by which an Alertmanager names a configuration's text."""
    # Source: prometheus/alertmanager, config/coordinator.go: 48 bits fit a float exactly.
    digest = hashlib.md5(content, usedforsecurity=False).digest()
    return int.from_bytes(digest[:6], "little")


def _untold(server: _Server | None) -> tuple[str, ...]:
    return ("no server was named: reload it to load the file",) if server is None else ()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _write(path: Path, content: bytes, *, like: Path) -> None:
    """Replace a file at once, with the permissions of another one."""
    aside = path.with_name(f".headroom-{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(aside, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            with suppress(FileNotFoundError):
                os.fchmod(descriptor, stat.S_IMODE(like.stat().st_mode))
            os.fsync(descriptor)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
