"""A writer on a disk that is full or read-only; what it says is read by the test."""

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

from collectors.signals import Signal
from collectors.store import StoreError, StoreWriter
from tests.unit.collectors.store.telemetry import NOON, bodies, logs, seen

NOBODY = 65_534


def attempt(store: StoreWriter, *lines: str) -> str:
    """Append lines, and compact; say what came of it."""
    try:
        store.append(Signal.LOGS, logs(*lines), batch=lines[0].encode())
        store.compact(NOON)
    except StoreError as error:
        return str(error)
    return "stored"


def full(folder: Path) -> None:
    """Files may not grow for a while: the operating system refuses to write more."""
    store = StoreWriter(folder)
    print(attempt(store, "before"))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    print(attempt(store, "refused"))
    print(bodies(folder))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print(attempt(store, "refused"))
    print(bodies(folder))
    store.append(Signal.LOGS, logs("fresh"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, hard))
    print(attempt(store, "before"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    print(attempt(store, "before"))
    print(bodies(folder))


def filled(folder: Path) -> None:
    """The store is on a small file system; it fills, and is emptied again."""
    ballast = folder.parent / "ballast"
    store = StoreWriter(folder)
    print(attempt(store, "before"))
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    print(attempt(store, "refused"))
    print(bodies(folder))
    ballast.unlink()
    print(attempt(store, "refused"))
    print(bodies(folder))


def forbidden(folder: Path) -> None:
    """The folder of the logs may not be written for a while."""
    seen(folder, Signal.LOGS)
    if os.getuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        os.setuid(NOBODY)
    store = StoreWriter(folder)
    place = folder / "fresh" / "logs"
    print(attempt(store, "before"))
    place.chmod(0o500)
    print(attempt(store, "refused"))
    print(bodies(folder))
    place.chmod(0o700)
    print(attempt(store, "refused"))
    print(bodies(folder))
    store.close()
    for path in (folder, *(each for each in folder.rglob("*") if each.is_dir())):
        path.chmod(0o500)
    print(bodies(folder))
    try:
        StoreWriter(folder / "inner")
    except StoreError as error:
        print(error)


if __name__ == "__main__":
    {"full": full, "filled": filled, "forbidden": forbidden}[sys.argv[1]](Path(sys.argv[2]))
