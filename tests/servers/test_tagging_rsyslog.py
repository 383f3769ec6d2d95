"""What is generated for rsyslog, in the real rsyslog."""

import json
import os
import signal
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from collectors.tagging import rsyslog as generator
from collectors.tagging.syslog_daemons import host_file
from slo.collecting import Collecting, Destination
from tests.servers.bulk import Bulk
from tests.servers.processes import wait_until
from tests.servers.shipped import API, HOSTILE, check_all, fill, hostile, rotate, wait_for, write
from tests.servers.syslog_homes import (
    HOSTS,
    check_all_once,
    check_disk,
    check_on_hosts,
    housed,
    wait_for_queue,
    write_hundred,
)
from tests.servers.syslogs import Rsyslog, rsyslog_check
from tests.unit.collectors.tagging.examples import airline


def running(binaries: Path, bulk: Bulk, home: Path) -> Rsyslog:
    """Make a daemon with a home, which proves itself by a name and a password."""
    make = partial(Rsyslog, binaries)
    return housed(make, generator, bulk, home, HEADROOM_USERNAME="headroom")


def test_hostile_values_are_taken_for_texts(rsyslog_bin: Path, tmp_path: Path) -> None:
    """Teams, services, tiers, paths, units, programs, hosts, fields and patterns."""
    files = generator.files(hostile(airline()))
    hosts = [host_file(host) for host in HOSTILE]
    check_on_hosts(partial(rsyslog_check, rsyslog_bin), generator, files, tmp_path, hosts)
    assert all((tmp_path / "hosts" / host / "inputs.conf").exists() for host in hosts)


@pytest.mark.parametrize("destination", list(Destination))
def test_every_generated_file_is_valid(
    rsyslog_bin: Path, tmp_path: Path, destination: Destination
) -> None:
    """With every kind of source, on a host that has files of its own and on one that has none."""
    files = generator.files(airline(Collecting(destination=destination)))
    check_on_hosts(partial(rsyslog_check, rsyslog_bin), generator, files, tmp_path, HOSTS)


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
    file = tmp_path / "logs" / "api-1.log"
    with Bulk() as bulk:
        port = bulk.port
        with running(rsyslog_bin, bulk, tmp_path) as daemon:
            write_hundred(file, "first")
            rotate(file)
            write_hundred(file, "second")
            wait_for(bulk, API, 200)
            stop(daemon)
        write_hundred(file, "third")
    with running(rsyslog_bin, bulk, tmp_path) as daemon:
        # Nobody takes anything now: it is on disk when the daemon stops.
        wait_for_queue(tmp_path / "state", "headroom_send.0*", b"third 99")
        stop(daemon)
    with Bulk(port=port) as again, running(rsyslog_bin, again, tmp_path):
        check_all_once(bulk, again, file)


def test_nothing_secret_is_on_its_disk(rsyslog_bin: Path, tmp_path: Path) -> None:
    """Neither in the spool nor in the queue, while nobody takes anything."""
    with Bulk() as nobody:
        pass
    with running(rsyslog_bin, nobody, tmp_path) as daemon:
        fill(tmp_path / "logs", daemon.port)
        wait_for_queue(tmp_path / "state", "*_send.0*", b"ticketing.shop")
        check_disk(tmp_path / "state")
