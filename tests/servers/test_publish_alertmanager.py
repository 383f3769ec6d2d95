"""Publishing routes to real servers: what they run afterwards, also after a refusal."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.commands import Command
from app.publishing import PublishRefusedError, publisher, read_alertmanager
from app.publishing.alertmanager import config_hash
from slo.publishing import AlertmanagerFile
from tests.cli.fakes.terminals import call
from tests.servers.processes import Alertmanager
from tests.unit.app.publishing import generated, server_at, wait

StartAlertmanager = Callable[..., Alertmanager]


ROUTES = "route: {receiver: team}\nreceivers: [{name: team}]\n"


OTHER_ROUTES = "route: {receiver: other}\nreceivers: [{name: other}]\n"


BAD_ROUTES = "route: {receiver: nobody}\nreceivers: [{name: team}]\n"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder that `generate` writes to."""
    path = tmp_path / "generated"
    path.mkdir()
    return path


def _config(out: Path, text: str) -> Path:
    return generated(out, {"alertmanager/alertmanager.yaml": text})


def _hash(server: Alertmanager) -> int:
    lines = server.request("/metrics").decode().splitlines()
    return next(
        int(float(line.split()[1]))
        for line in lines
        if line.startswith("alertmanager_config_hash ")
    )


def test_routes_are_published_and_the_former_file_is_kept(
    start_alertmanager: StartAlertmanager, out: Path
) -> None:
    """The server runs the new text; a second run finds nothing to do."""
    server = start_alertmanager(config=ROUTES)
    server.config_file.chmod(0o640)
    target = AlertmanagerFile(path=str(server.config_file), server=server_at(server.url))
    file = read_alertmanager(_config(out, OTHER_ROUTES))
    would = publisher(target).publish([file], dry_run=True, wait=wait())
    assert (str(server.config_file),) == would.done
    assert ROUTES == server.config_file.read_text()

    report = publisher(target).publish([file], dry_run=False, wait=wait())

    assert (str(server.config_file),) == report.done
    assert config_hash(OTHER_ROUTES.encode()) == _hash(server)
    assert ROUTES == server.config_file.with_name("config.yaml.bak").read_text()
    assert 0o640 == server.config_file.stat().st_mode & 0o777
    status = json.loads(server.request("/api/v2/status"))
    assert "receiver: other" in status["config"]["original"]
    assert publisher(target).publish([file], dry_run=False, wait=wait()).is_current


def test_routes_that_the_server_refuses_are_taken_back(
    start_alertmanager: StartAlertmanager, out: Path
) -> None:
    """It says why, and runs what it ran."""
    server = start_alertmanager(config=ROUTES)
    target = AlertmanagerFile(path=str(server.config_file), server=server_at(server.url))

    with pytest.raises(PublishRefusedError, match='undefined receiver "nobody"') as e:
        publisher(target).publish(
            [read_alertmanager(_config(out, BAD_ROUTES))], dry_run=False, wait=wait()
        )

    assert (str(server.config_file),) == e.value.report.rolled_back
    assert ROUTES == server.config_file.read_text()
    assert config_hash(ROUTES.encode()) == _hash(server)
    success = "alertmanager_config_last_reload_successful 1"
    assert success in server.request("/metrics").decode()


def test_routes_left_unloaded_by_a_killed_run_are_loaded_or_taken_back(
    start_alertmanager: StartAlertmanager, out: Path
) -> None:
    """The server's own hash tells which of file and backup it runs."""
    server = start_alertmanager(config=ROUTES)
    target = AlertmanagerFile(path=str(server.config_file), server=server_at(server.url))
    publish = publisher(target).publish
    server.config_file.with_name("config.yaml.bak").write_text(ROUTES)
    server.config_file.write_text(BAD_ROUTES)

    with pytest.raises(PublishRefusedError):
        publish([read_alertmanager(_config(out, BAD_ROUTES))], dry_run=False, wait=wait())
    assert ROUTES == server.config_file.read_text()

    server.config_file.write_text(OTHER_ROUTES)
    publish([read_alertmanager(_config(out, OTHER_ROUTES))], dry_run=False, wait=wait())
    assert config_hash(OTHER_ROUTES.encode()) == _hash(server)


def test_an_alertmanager_that_reads_another_file_is_noticed(
    start_alertmanager: StartAlertmanager, out: Path, tmp_path: Path
) -> None:
    """A reload that succeeds and changes nothing is a failure; the new file is gone again."""
    server = start_alertmanager(config=ROUTES)
    target = AlertmanagerFile(path=str(tmp_path / "wrong.yaml"), server=server_at(server.url))

    with pytest.raises(PublishRefusedError, match="runs another configuration"):
        publisher(target).publish(
            [read_alertmanager(_config(out, OTHER_ROUTES))], dry_run=False, wait=wait(1)
        )

    assert not (tmp_path / "wrong.yaml").exists()


COMMANDS = {"publish": Command(module="app.cli.publish", summary="publish", group="main")}


def test_the_command_publishes_routes(start_alertmanager: StartAlertmanager, out: Path) -> None:
    """A refusal is exit code 1, with the server's reason."""
    server = start_alertmanager(config=ROUTES)
    argv = ["publish", "alertmanager", "--out", str(out), "--file", str(server.config_file)]
    argv += ["--alertmanager", server.url]
    _config(out, OTHER_ROUTES)
    ending = call(argv, commands=COMMANDS)
    assert (0, f"published: {server.config_file}\n") == (ending.code, ending.stdout)

    _config(out, BAD_ROUTES)
    ending = call(argv, commands=COMMANDS)

    assert (1, "") == (ending.code, ending.stdout)
    assert 'undefined receiver "nobody"' in ending.stderr
    assert OTHER_ROUTES == server.config_file.read_text()
