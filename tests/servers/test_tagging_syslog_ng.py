"""What is generated for syslog-ng, in the real syslog-ng."""

from functools import partial
from pathlib import Path

import pytest

from collectors.tagging import syslog_ng as generator
from collectors.tagging.syslog_daemons import host_file
from slo.collecting import Collecting, Destination
from tests.servers.bulk import Bulk
from tests.servers.shipped import (
    API,
    HOSTILE,
    STRANGERS,
    check_all,
    fill,
    hostile,
    rotate,
    wait_for,
)
from tests.servers.shipped import say_tcp as say
from tests.servers.syslog_homes import (
    HOSTS,
    check_all_once,
    check_disk,
    check_on_hosts,
    housed,
    wait_for_queue,
    write_hundred,
)
from tests.servers.syslogs import SyslogNg, syslog_ng_check
from tests.unit.collectors.tagging.examples import airline


class Kept(SyslogNg):
    """A daemon that keeps its positions in its home, so that another goes on with them."""

    home: Path

    def program(self) -> list[str | Path]:
        """Return syslog-ng with its positions elsewhere."""
        own = f"--persist-file={self.folder / 'persist'}"
        kept = f"--persist-file={self.home / 'state' / 'persist'}"
        return [kept if each == own else each for each in super().program()]


def running(binaries: Path, bulk: Bulk, home: Path) -> SyslogNg:
    """Make a daemon with a home, in which its positions are."""
    daemon = housed(partial(Kept, binaries), generator, bulk, home)
    daemon.home = home
    return daemon


def test_hostile_values_are_taken_for_texts(syslog_ng_bin: Path, tmp_path: Path) -> None:
    """Teams, services, tiers, paths, units, programs, hosts, fields and patterns."""
    files = generator.files(hostile(airline()))
    hosts = [host_file(host) for host in HOSTILE]
    check_on_hosts(partial(syslog_ng_check, syslog_ng_bin), generator, files, tmp_path, hosts)
    assert all((tmp_path / "hosts" / f"{host}.conf").exists() for host in hosts)


@pytest.mark.parametrize("destination", list(Destination))
def test_every_generated_file_is_valid(
    syslog_ng_bin: Path, tmp_path: Path, destination: Destination
) -> None:
    """With every kind of source, on a host that has files of its own and on one that has none."""
    files = generator.files(airline(Collecting(destination=destination)))
    check_on_hosts(partial(syslog_ng_check, syslog_ng_bin), generator, files, tmp_path, HOSTS)


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
            write_hundred(file, "first")
            rotate(file, after=3)
            write_hundred(file, "second")
            wait_for(bulk, API, 200)
        write_hundred(file, "third")
    with running(syslog_ng_bin, bulk, tmp_path):
        # Nobody takes anything now: it is on disk when the daemon stops.
        wait_for_queue(tmp_path / "state", "*.rqf", b"third 99")
    with Bulk(port=port) as again, running(syslog_ng_bin, again, tmp_path):
        check_all_once(bulk, again, file)


def test_nothing_secret_is_on_its_disk(syslog_ng_bin: Path, tmp_path: Path) -> None:
    """While nobody takes anything."""
    with Bulk() as nobody:
        pass
    with running(syslog_ng_bin, nobody, tmp_path) as daemon:
        fill(tmp_path / "logs", daemon.port)
        wait_for_queue(tmp_path / "state", "*.rqf", b"at three")
        check_disk(tmp_path / "state")
