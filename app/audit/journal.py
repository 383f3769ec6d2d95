"""Appending to an audit log, from many processes at once, and asking it what it knows.

Only lines that end are records: what a crash left unfinished was never acknowledged, and is set
aside before the next record is written.
"""

import fcntl
import json
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from app.audit.canonical import GENESIS
from app.audit.errors import AuditError
from app.audit.lines import Link, last_lines, read_line, seal

FILE_NAME = "audit.ndjson"

_LOCK_SECONDS = 10.0
_RETRY_SECONDS = 0.01
_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


def default_path(state: Path | None, environment: Mapping[str, str]) -> Path:
    """Return where the log is: in the workspace's state folder, else in the user's."""
    if state is not None:
        return state / FILE_NAME
    home = environment.get("XDG_STATE_HOME", "")
    # The specification of that variable says to pass over relative paths.
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "state"
    return base / "headroom" / FILE_NAME


def append(path: Path, record: Mapping[str, object]) -> Link:
    """Write a record and return its place in the chain once it is on disk.

    Whatever fails leaves the log as it was and raises `AuditError`.
    """
    try:
        path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
        with _locked(path) as descriptor:
            return _append(path, descriptor, record)
    except OSError as cause:
        reason = cause.strerror or str(cause)
        raise AuditError(
            f"the audit record cannot be written to {path}: {reason}",
            hint="without a record nothing is allowed; make room or give --audit FILE",
        ) from cause


def known_before(path: Path, app: str, env: str) -> bool:
    """Tell whether a record let an application ship to an environment; raises `AuditError`.

    Decisions that stopped it do not count, or a first deploy that was asked for in the wrong way
    could never be asked for again.
    """
    needle = f'"app":{json.dumps(app, ensure_ascii=False)},'.encode("utf-8", "backslashreplace")
    try:
        with path.open("rb") as lines:
            return any(needle in line and _let_through(line, app, env) for line in lines)
    except FileNotFoundError:
        return False
    except OSError as cause:
        raise AuditError(
            f"the audit log {path} cannot be read: {cause.strerror or cause}"
        ) from cause


def _let_through(line: bytes, app: str, env: str) -> bool:
    found = read_line(line)
    if found is None:
        # It names the application and cannot be read: nobody can say that it was a refusal.
        return True
    record, _ = found
    subject = record.get("subject")
    if not isinstance(subject, dict):
        return False
    where = (subject.get("app"), subject.get("environment"))
    return where == (app, env) and record.get("allowed") is True


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open the log for this process alone; raises `OSError` and `AuditError`."""
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        descriptor = _open(path)
        try:
            _lock(descriptor, until, path)
            # Whoever held the lock may have put another file in the place of this one.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                yield descriptor
                return
        finally:
            os.close(descriptor)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
        _sync_folder(path.parent)
    except FileExistsError:
        descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise AuditError(f"the audit log {path} is not a file")
    return descriptor


def _lock(descriptor: int, until: float, path: Path) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            if time.monotonic() > until:
                raise AuditError(f"another process holds the audit log {path}") from cause
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _append(path: Path, descriptor: int, record: Mapping[str, object]) -> Link:
    line, torn, end = last_lines(descriptor)
    head = _head_path(path)
    if torn:
        _set_aside(path, torn)
        os.ftruncate(descriptor, end)
    last = _last_link(path, line, read_head(head))
    sealed, link = seal(record, last.seq + 1, last.hash)
    try:
        _write(descriptor, sealed)
        os.fsync(descriptor)
        _write_head(head, link)
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, end)
            os.fsync(descriptor)
        raise
    return link


def _last_link(path: Path, line: bytes, head: Link | None) -> Link:
    """Return what the next record follows: the last line, or what was there after it once.

    Going on from the head leaves a gap in the numbers that verification finds for ever.
    """
    found = read_line(line) if line else None
    last = found[1] if found else None
    if head is not None and (last is None or head.seq > last.seq):
        return head
    if last is not None:
        return last
    if line:
        raise AuditError(
            f"the last line of the audit log {path} is no record",
            hint="headroom gate audit verify says more; move it and its .head away to begin anew",
        )
    return Link(seq=0, prev=GENESIS, hash=GENESIS)


def _set_aside(path: Path, torn: bytes) -> None:
    number = 1
    while True:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            target = torn_path(path, number)
            descriptor = os.open(target, flags, _PRIVATE_FILE)
            break
        except FileExistsError:
            number += 1
    try:
        _write(descriptor, torn)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    _sync_folder(path.parent)


def torn_path(path: Path, number: int) -> Path:
    """Return where an unfinished line is kept."""
    return path.with_name(f"{path.name}.torn-{number}")


def _head_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")


def read_head(head: Path) -> Link | None:
    """Return the last link as it was noted beside the log; `None` where that cannot be read."""
    try:
        found = json.loads(head.read_bytes())
        return Link(seq=int(found["seq"]), prev=str(found["prev"]), hash=str(found["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def head_of(path: Path) -> Link | None:
    """Return the last link of a log as it was noted beside it."""
    return read_head(_head_path(path))


def _write_head(head: Path, link: Link) -> None:
    # Written in place, a fixed length, so that a full disk cannot stop it once it exists.
    text = json.dumps(link.as_json()).ljust(255).encode() + b"\n"
    descriptor = os.open(head, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
    try:
        if os.pwrite(descriptor, text, 0) != len(text):
            raise OSError(f"{head} could not be written whole")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
