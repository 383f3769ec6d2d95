"""What is generated for rsyslog, in the real rsyslog."""

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from collectors.tagging import rsyslog as generator
from collectors.tagging.syslog_daemons import host_file
from slo.collecting import Collecting, Destination
from tests.servers.bulk import Bulk
from tests.servers.processes import wait_until
from tests.servers.shipped import (
    API,
    HOSTILE,
    check_all,
    fill,
    hostile,
    plan,
    rotate,
    wait_for,
    write,
)
from tests.servers.syslogs import Rsyslog, rsyslog_check
from tests.unit.collectors.tagging.examples import airline


def unpacked(files: Mapping[str, str], folder: Path, logs: Path) -> Path:
    """Write the files, with the pods of the test's own, and return the main one."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("/var/log/pods", f"{logs}/pods"))
    return folder / generator.CONFIG


def running(binaries: Path, bulk: Bulk, home: Path) -> Rsyslog:
    """Make a daemon over the folders ``logs``, ``config`` and ``state`` of a home."""
    for name in ("logs", "config", "state"):
        (home / name).mkdir(exist_ok=True)

    def configure(port: int, _: Path) -> str:
        daemon.environment["HEADROOM_SYSLOG_PORT"] = str(port)
        main = unpacked(generator.files(plan(home / "logs")), home / "config", home / "logs")
        return main.read_text()

    variables = {
        "HEADROOM_ENDPOINT": bulk.url,
        "HEADROOM_USERNAME": "headroom",
        "HEADROOM_TOKEN": "t0ken",
        "HEADROOM_STATE": str(home / "state"),
        "HEADROOM_CONFIG": str(home / "config"),
        "HEADROOM_HOST": "tick-1.example",
        "HEADROOM_SYSLOG_ADDRESS": "127.0.0.1",
    }
    daemon = Rsyslog(binaries, configure=configure, environment=variables)
    return daemon


def set_variables(files: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Set what the file of variables holds."""
    for line in files["headroom-rsyslog.env"].splitlines():
        if not line.startswith("#"):
            monkeypatch.setenv(*line.split("=", 1))
    monkeypatch.setenv("HEADROOM_CONFIG", str(folder))
    monkeypatch.setenv("HEADROOM_STATE", str(folder))


def test_hostile_values_are_taken_for_texts(
    rsyslog_bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Teams, services, tiers, paths, units, programs, hosts, fields and patterns."""
    files = generator.files(hostile(airline()))
    main = unpacked(files, tmp_path, tmp_path)
    set_variables(files, monkeypatch, tmp_path)
    for host in HOSTILE:
        monkeypatch.setenv("HEADROOM_HOST", host_file(host))
        assert (tmp_path / "hosts" / host_file(host) / "inputs.conf").exists()
        outcome = rsyslog_check(rsyslog_bin, main)
        assert outcome.ok, outcome.output


@pytest.mark.parametrize("destination", list(Destination))
def test_every_generated_file_is_valid(
    rsyslog_bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, destination: Destination
) -> None:
    """With every kind of source, on a host that has files of its own."""
    files = generator.files(airline(Collecting(destination=destination)))
    main = unpacked(files, tmp_path, tmp_path)
    set_variables(files, monkeypatch, tmp_path)
    for host in ("tick-1.example", "cargo-1", "another"):
        monkeypatch.setenv("HEADROOM_HOST", host)
        outcome = rsyslog_check(rsyslog_bin, main)
        assert outcome.ok, outcome.output


def test_records_arrive_tagged_and_without_secrets(rsyslog_bin: Path, tmp_path: Path) -> None:
    """From files, pods and both transports of syslog, through refusals; rejected ones are kept."""
    judged = {"message": 429}

    def judge(source: Mapping[str, object]) -> int:
        if source.get("message") == "odd":
            return judged.pop("message", 201)
        return 400 if source.get("message") == "not taken" else 201

    with (
        Bulk(refusals=[503, 429], judge=judge) as bulk,
        running(rsyslog_bin, bulk, tmp_path) as daemon,
    ):
        fill(tmp_path / "logs", daemon.port)
        write(tmp_path / "logs" / "api-2.log", '{"message":"not taken"}')
        check_all(bulk, tmp_path / "logs", typed=True, joined=True)
        dead = tmp_path / "state" / "dead-letters.jsonl"
        wait_until(dead.exists, what="a dead letter")

        assert {"/elastic/_bulk"} == {each.path for each in bulk.requests}
        assert {503, 429, 200} == {each.status for each in bulk.requests}
        assert {"create"} == {each.operation for each in bulk.taken}
        (letter,) = map(json.loads, dead.read_text().splitlines())
        assert (API, 400) == (letter["index"], letter["answer"]["status"])
        assert "not taken" == json.loads(letter["document"])["message"]


def stop(daemon: Rsyslog) -> None:
    """Stop a daemon as its unit does: what is on disk is where the next one goes on."""
    assert "KillSignal=SIGKILL\n" in generator.files(airline())["headroom-rsyslog.service"]
    time.sleep(1)
    os.kill(daemon.pid, signal.SIGKILL)
    daemon.stop()


def test_rotation_and_a_restart_lose_nothing_and_double_nothing(
    rsyslog_bin: Path, tmp_path: Path
) -> None:
    """While it runs a file is renamed; while it is stopped and while nobody takes, more comes."""
    file, queue = tmp_path / "logs" / "api-1.log", tmp_path / "state"
    with Bulk() as bulk:
        port = bulk.port
        with running(rsyslog_bin, bulk, tmp_path) as daemon:
            write(file, *(f"first {at}" for at in range(100)))
            rotate(file)
            write(file, *(f"second {at}" for at in range(100)))
            wait_for(bulk, API, 200)
            stop(daemon)
        write(file, *(f"third {at}" for at in range(100)))
    with running(rsyslog_bin, bulk, tmp_path) as daemon:
        # Nobody takes anything now: it is on disk when the daemon stops.
        wait_until(
            lambda: any(
                b"third 99" in each.read_bytes() for each in queue.glob("headroom_send.0*")
            ),
            what="the queue",
        )
        stop(daemon)
    with Bulk(port=port) as again, running(rsyslog_bin, again, tmp_path):
        write(file, "last")
        wait_until(lambda: "last" in again.messages(), what="the last line")
        wait_until(lambda: len(again.messages()) >= 101, what="all lines")

        every = bulk.messages() + again.messages()
        expected = [f"{name} {at}" for name in ("first", "second", "third") for at in range(100)]
        assert sorted([*expected, "last"]) == sorted(every)


def test_nothing_secret_is_on_its_disk(rsyslog_bin: Path, tmp_path: Path) -> None:
    """Neither in the spool nor in the queue, while nobody takes anything."""
    with Bulk() as nobody:
        pass
    with running(rsyslog_bin, nobody, tmp_path) as daemon:
        fill(tmp_path / "logs", daemon.port)
        state = tmp_path / "state"
        wait_until(
            lambda: any(b"ticketing.shop" in each.read_bytes() for each in state.glob("*_send.0*")),
            what="the queue",
        )
        written = b"".join(each.read_bytes() for each in state.iterdir() if each.is_file())
        assert b"[redacted]" in written
        assert [] == [word for word in (b"TKT-", b"hunter2", b"abc.def") if word in written]
