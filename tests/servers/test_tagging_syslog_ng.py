"""What is generated for syslog-ng, in the real syslog-ng."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from collectors.tagging import syslog_ng as generator
from collectors.tagging.syslog_daemons import host_file
from slo.collecting import Collecting, Destination
from tests.servers.bulk import Bulk
from tests.servers.processes import wait_until
from tests.servers.shipped import (
    API,
    HOSTILE,
    STRANGERS,
    check_all,
    fill,
    hostile,
    plan,
    rotate,
    wait_for,
    write,
)
from tests.servers.shipped import say_tcp as say
from tests.servers.syslogs import SyslogNg, syslog_ng_check
from tests.unit.collectors.tagging.examples import airline


def unpacked(files: Mapping[str, str], folder: Path, logs: Path) -> Path:
    """Write the files, with the pods of the test's own, and return the main one."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("/var/log/pods", f"{logs}/pods"))
    return folder / generator.CONFIG


def variables(bulk: Bulk | None, home: Path) -> dict[str, str]:
    """What the daemon's unit would give it."""
    return {
        "HEADROOM_ENDPOINT": "http://127.0.0.1:1" if bulk is None else bulk.url,
        "HEADROOM_TOKEN": "t0ken",
        "HEADROOM_STATE": str(home / "state"),
        "HEADROOM_CONFIG": str(home / "config"),
        "HEADROOM_HOST": "tick-1.example",
        "HEADROOM_SYSLOG_ADDRESS": "127.0.0.1",
    }


class Kept(SyslogNg):
    """A daemon that keeps its positions in its home, so that another goes on with them."""

    home: Path

    def program(self) -> list[str | Path]:
        """Return syslog-ng with its positions elsewhere."""
        own = f"--persist-file={self.folder / 'persist'}"
        kept = f"--persist-file={self.home / 'state' / 'persist'}"
        return [kept if each == own else each for each in super().program()]


def running(binaries: Path, bulk: Bulk, home: Path) -> SyslogNg:
    """Make a daemon over the folders ``logs``, ``config`` and ``state`` of a home."""
    for name in ("logs", "config", "state"):
        (home / name).mkdir(exist_ok=True)

    def configure(port: int, _: Path) -> str:
        daemon.environment["HEADROOM_SYSLOG_PORT"] = str(port)
        main = unpacked(generator.files(plan(home / "logs")), home / "config", home / "logs")
        return main.read_text()

    daemon = Kept(binaries, configure=configure, environment=variables(bulk, home))
    daemon.home = home
    return daemon


def set_variables(files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Set what the file of variables holds."""
    for line in files["headroom-syslog-ng.env"].splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    monkeypatch.setenv("HEADROOM_CONFIG", str(folder))
    monkeypatch.setenv("HEADROOM_STATE", str(folder))


def test_hostile_values_are_taken_for_texts(
    syslog_ng_bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teams, services, tiers, paths, units, programs, hosts, fields and patterns."""
    files = generator.files(hostile(airline()))
    main = unpacked(files, tmp_path, tmp_path)
    set_variables(files, monkeypatch, tmp_path)
    for host in HOSTILE:
        monkeypatch.setenv("HEADROOM_HOST", host_file(host))
        assert (tmp_path / "hosts" / f"{host_file(host)}.conf").exists()
        outcome = syslog_ng_check(syslog_ng_bin, main)
        assert outcome.ok, outcome.output


@pytest.mark.parametrize("destination", list(Destination))
def test_every_generated_file_is_valid(
    syslog_ng_bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, destination: Destination
) -> None:
    """With every kind of source, on a host that has files of its own and on one that has none."""
    files = generator.files(airline(Collecting(destination=destination)))
    main = unpacked(files, tmp_path, tmp_path)
    set_variables(files, monkeypatch, tmp_path)
    for host in ("tick-1.example", "cargo-1", "another"):
        monkeypatch.setenv("HEADROOM_HOST", host)
        outcome = syslog_ng_check(syslog_ng_bin, main)
        assert outcome.ok, outcome.output


def test_records_arrive_tagged_and_without_secrets(syslog_ng_bin: Path, tmp_path: Path) -> None:
    """From files, pods and both transports of syslog, through refusals of whole requests."""
    with (
        Bulk(refusals=[503, 429]) as bulk,
        running(syslog_ng_bin, bulk, tmp_path) as daemon,
    ):
        fill(tmp_path / "logs", daemon.port)
        check_all(bulk, tmp_path / "logs", typed=False, joined=False)
        say(daemon.port, "<14>Mar  1 12:00:00 old stranger[7]: the older form")
        assert "the older form" in [each["message"] for each in wait_for(bulk, STRANGERS, 2)]

        assert {"/elastic/_bulk"} == {each.path for each in bulk.requests}
        assert {503, 429, 200} == {each.status for each in bulk.requests}
        assert {"create"} == {each.operation for each in bulk.taken}
        assert {"Bearer t0ken"} == {each.headers["Authorization"] for each in bulk.requests}


def test_rotation_and_a_restart_lose_nothing_and_double_nothing(
    syslog_ng_bin: Path, tmp_path: Path
) -> None:
    """While it runs a file is renamed; while it is stopped and while nobody takes, more comes."""
    file = tmp_path / "logs" / "api-1.log"
    with Bulk() as bulk:
        port = bulk.port
        with running(syslog_ng_bin, bulk, tmp_path):
            write(file, *(f"first {at}" for at in range(100)))
            rotate(file, after=3)
            write(file, *(f"second {at}" for at in range(100)))
            wait_for(bulk, API, 200)
        write(file, *(f"third {at}" for at in range(100)))
    with running(syslog_ng_bin, bulk, tmp_path) as daemon:
        # Nobody takes anything now: it is on disk when the daemon stops.
        queue = tmp_path / "state"
        wait_until(
            lambda: any(b"third 99" in each.read_bytes() for each in queue.glob("*.rqf")),
            what=f"the queue: {daemon.log()}",
        )
    with Bulk(port=port) as again, running(syslog_ng_bin, again, tmp_path):
        write(file, "last")
        wait_until(lambda: "last" in again.messages(), what="the last line")
        wait_until(lambda: len(again.messages()) >= 101, what="all lines")

        every = bulk.messages() + again.messages()
        expected = [f"{name} {at}" for name in ("first", "second", "third") for at in range(100)]
        assert sorted([*expected, "last"]) == sorted(every)


def test_nothing_secret_is_on_its_disk(syslog_ng_bin: Path, tmp_path: Path) -> None:
    """While nobody takes anything."""
    with Bulk() as nobody:
        pass
    with running(syslog_ng_bin, nobody, tmp_path) as daemon:
        fill(tmp_path / "logs", daemon.port)
        state = tmp_path / "state"
        wait_until(
            lambda: any(b"at three" in each.read_bytes() for each in state.glob("*.rqf")),
            what="the queue",
        )
        written = b"".join(each.read_bytes() for each in state.iterdir() if each.is_file())
        assert b"[redacted]" in written
        assert [] == [word for word in (b"TKT-", b"hunter2", b"abc.def") if word in written]
