"""A home for a daemon of syslog that runs what is generated for it, and what its disk must hold.

``logs``, ``config`` and ``state`` are folders of a home.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import pytest

from collectors.tagging.model import Plan
from tests.servers.bulk import Bulk
from tests.servers.daemon import Daemon
from tests.servers.processes import Outcome, wait_until
from tests.servers.shipped import plan, write

D = TypeVar("D", bound=Daemon)

HOSTS = ("tick-1.example", "cargo-1", "another")
"""Two hosts that have files of their own, and one that has none."""


class Generator(Protocol):
    """The module that generates a daemon's files."""

    CONFIG: str

    def files(self, plan: Plan) -> Mapping[str, str]:
        """Every file by its path."""


def unpacked(generator: Generator, files: Mapping[str, str], folder: Path, logs: Path) -> Path:
    """Write the files, with the pods of the test's own, and return the main one."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("/var/log/pods", f"{logs}/pods"))
    return folder / generator.CONFIG


def housed(make: Callable[..., D], generator: Generator, bulk: Bulk, home: Path, **more: str) -> D:
    """Make a daemon that sends to a node, with the variables that its unit would give it."""
    for name in ("logs", "config", "state"):
        (home / name).mkdir(exist_ok=True)

    def configure(port: int, _: Path) -> str:
        daemon.environment["HEADROOM_SYSLOG_PORT"] = str(port)
        files = generator.files(plan(home / "logs"))
        return unpacked(generator, files, home / "config", home / "logs").read_text()

    variables = {
        "HEADROOM_ENDPOINT": bulk.url,
        "HEADROOM_TOKEN": "t0ken",
        "HEADROOM_STATE": str(home / "state"),
        "HEADROOM_CONFIG": str(home / "config"),
        "HEADROOM_HOST": "tick-1.example",
        "HEADROOM_SYSLOG_ADDRESS": "127.0.0.1",
        **more,
    }
    daemon = make(configure=configure, environment=variables)
    return daemon


def check_on_hosts(
    check: Callable[[Path], Outcome],
    generator: Generator,
    files: Mapping[str, str],
    folder: Path,
    hosts: Iterable[str],
) -> None:
    """Check that the program takes the files on each of some hosts."""
    main = unpacked(generator, files, folder, folder)
    (variables,) = (text for name, text in files.items() if name.endswith(".env"))
    with pytest.MonkeyPatch.context() as patch:
        for line in variables.splitlines():
            if not line.startswith("#"):
                patch.setenv(*line.split("=", 1))
        patch.setenv("HEADROOM_CONFIG", str(folder))
        patch.setenv("HEADROOM_STATE", str(folder))
        for host in hosts:
            patch.setenv("HEADROOM_HOST", host)
            outcome = check(main)
            assert outcome.ok, outcome.output


def write_hundred(file: Path, name: str) -> None:
    """Add a hundred numbered lines to a file."""
    write(file, *(f"{name} {at}" for at in range(100)))


def wait_for_queue(state: Path, pattern: str, text: bytes) -> None:
    """Wait until a text is on the disk, in the queue's files."""
    wait_until(
        lambda: any(text in each.read_bytes() for each in state.glob(pattern)),
        what=f"{text!r} in the queue",
    )


def check_all_once(before: Bulk, after: Bulk, file: Path) -> None:
    """Check that three hundred lines came before and after a restart, and the last one, once."""
    write(file, "last")
    wait_until(lambda: "last" in after.messages(), what="the last line")
    wait_until(lambda: len(after.messages()) >= 101, what="all lines")
    expected = [f"{name} {at}" for name in ("first", "second", "third") for at in range(100)]
    assert sorted([*expected, "last"]) == sorted(before.messages() + after.messages())


def check_disk(state: Path) -> None:
    """Check that what waits on the disk was masked."""
    written = b"".join(each.read_bytes() for each in state.iterdir() if each.is_file())
    assert b"[redacted]" in written
    assert [] == [word for word in (b"TKT-", b"hunter2", b"abc.def") if word in written]
