"""Publishing without a server: what is read, what is refused before anything is touched."""

import fcntl
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.artefacts import ArtefactError
from app.cli.commands import Command
from app.publishing import OutputFile, publisher, read_alertmanager, read_rules
from app.publishing.files import groups
from app.publishing.journal import JOURNAL_NAME
from slo.errors import PublishError
from slo.publishing import AlertmanagerFile, PrometheusFolder
from tests.cli.fakes.terminals import call
from tests.unit.app.publishing import NAME, PATH, generated, rules_in, rules_text, server_at, wait

COMMANDS = {"publish": Command(module="app.cli.publish", summary="publish", group="main")}


def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    folder.mkdir()
    return folder


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_rules_are_found_by_the_manifest_alone(tmp_path: Path) -> None:
    """A file that nobody generated is not published."""
    out = generated(tmp_path, {PATH: rules_text("one"), "mimir/prod/x.yaml": rules_text("x")})
    (out / "prometheus" / "by-hand.rules.yaml").write_text(rules_text("hand"))

    (file,) = read_rules(out, below="prometheus")

    assert (PATH, NAME, ("prod", "ticketing")) == (file.path, file.flat_name, file.parts)


def test_a_generated_file_that_is_missing_is_not_a_removed_one(tmp_path: Path) -> None:
    """Its rules must not vanish from the server by accident."""
    out = generated(tmp_path, {PATH: rules_text("one")})
    (out / PATH).unlink()
    with pytest.raises(PublishError, match="generated once and now missing"):
        read_rules(out, below="prometheus")


def test_an_empty_output_removes_nothing_unless_that_is_said(tmp_path: Path) -> None:
    """Neither a folder without a manifest nor one without rules counts as no rules."""
    with pytest.raises(PublishError, match="nothing was generated here"):
        read_rules(tmp_path, below="prometheus")
    out = generated(tmp_path, {"grafana/x.json": "{}"})
    with pytest.raises(PublishError, match="no generated rules"):
        read_rules(out, below="prometheus")
    assert () == read_rules(out, below="prometheus", allow_empty=True)


def test_two_files_of_one_flat_name_are_refused(tmp_path: Path) -> None:
    """Neither silently wins."""
    files = rules_in(
        tmp_path,
        {
            "prometheus/a/b.c.rules.yaml": rules_text("one"),
            "prometheus/a.b/c.rules.yaml": rules_text("two"),
        },
    )
    target = PrometheusFolder(folder=str(_folder(tmp_path)))
    with pytest.raises(PublishError, match=r"would both be a\.b\.c\.rules\.yaml"):
        publisher(target).publish(files, dry_run=False, wait=wait())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("groups: 5", "a list"),
        ("rules: []", "lacks 'groups'"),
        ("groups: [{rules: []}]", "lacks 'name'"),
        ("groups: [{name: x, rules: [{expr: y}]}]", "lacks 'alert'"),
        ("a: &x [1]\ngroups: *x", "alias"),
        ("groups: " + "[" * 5000, "nested too deep"),
        ("groups: [", "while parsing"),
    ],
)
def test_a_file_that_holds_no_rules_is_named_with_the_reason(text: str, reason: str) -> None:
    """Nothing is sent anywhere."""
    file = OutputFile(path=PATH, below="prometheus", text=text)
    with pytest.raises(PublishError, match=f"{PATH}: this is no rule file: .*{reason}"):
        groups(file)


def test_someone_elses_file_is_not_overwritten(tmp_path: Path) -> None:
    """Not even one with the name of ours."""
    folder = _folder(tmp_path)
    (folder / NAME).write_text("theirs")
    target = PrometheusFolder(folder=str(folder))
    with pytest.raises(ArtefactError, match="Headroom did not write it"):
        publisher(target).publish(
            rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )
    assert [NAME] == _names(folder)


def test_two_runs_do_not_publish_to_one_folder_at_once(tmp_path: Path) -> None:
    """The second one says so and changes nothing."""
    folder = _folder(tmp_path)
    with (folder / JOURNAL_NAME).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(PublishError, match="another run is publishing here"):
            publisher(PrometheusFolder(folder=str(folder))).publish(
                rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
            )
    assert [JOURNAL_NAME] == _names(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"files": 3}'])
def test_a_torn_journal_is_of_a_run_that_had_changed_nothing(tmp_path: Path, content: str) -> None:
    """It is complete on disk before the first file changes."""
    folder = _folder(tmp_path)
    (folder / JOURNAL_NAME).write_text(content)

    publisher(PrometheusFolder(folder=str(folder))).publish(
        rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
    )

    assert ["headroom.manifest.json", NAME] == _names(folder)


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """A server would read another one."""
    target = PrometheusFolder(folder=str(tmp_path / "typo"))
    with pytest.raises(PublishError, match="there is no such folder"):
        publisher(target).publish(
            rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )
    assert not (tmp_path / "typo").exists()


def test_a_link_in_the_place_of_the_routes_is_not_replaced(tmp_path: Path) -> None:
    """What it points to may be mounted from elsewhere."""
    out = generated(tmp_path / "out", {"alertmanager/alertmanager.yaml": "route: {}\n"})
    place = tmp_path / "alertmanager.yaml"
    place.symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(PublishError, match="this is no plain file"):
        publisher(AlertmanagerFile(path=str(place))).publish(
            [read_alertmanager(out)], dry_run=False, wait=wait()
        )
    assert place.is_symlink()


def test_an_alertmanager_that_is_down_changes_nothing(tmp_path: Path) -> None:
    """The file is as it was."""
    out = generated(tmp_path / "out", {"alertmanager/alertmanager.yaml": "route: {}\n"})
    place = tmp_path / "alertmanager.yaml"
    target = AlertmanagerFile(path=str(place), server=server_at("http://127.0.0.1:9"))
    with pytest.raises(PublishError, match="cannot be reached"):
        publisher(target).publish([read_alertmanager(out)], dry_run=False, wait=wait())
    assert not place.exists()


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """Give the address of a server that says one thing to everybody and then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                held.append(connection)
                connection.sendall(answer)

        held: list[socket.socket] = []
        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "no (complete )?answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf", "no (complete )?answer"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: file:///x\r\n\r\n", "redirects"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "this is no Alertmanager"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "cannot be reached|failed"),
    ],
)
def test_a_server_that_misbehaves_is_told_in_bounded_time(
    tmp_path: Path, answer: bytes, message: str
) -> None:
    """Nothing is written before it has answered well."""
    out = generated(tmp_path / "out", {"alertmanager/alertmanager.yaml": "route: {}\n"})
    place = tmp_path / "alertmanager.yaml"
    began = time.monotonic()
    with _answering(answer) as url, pytest.raises(PublishError, match=message):
        publisher(AlertmanagerFile(path=str(place), server=server_at(url))).publish(
            [read_alertmanager(out)], dry_run=False, wait=wait(1)
        )
    assert time.monotonic() - began < 5
    assert not place.exists()


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        (["rules"], "nothing says where rules are published"),
        (["rules", "--folder", "x", "--mimir", "http://y"], "exclude each other"),
        (["rules", "--mimir", "http://y", "--prometheus", "http://z"], "goes with --folder"),
        (["rules", "--mimir", "mimir:80"], '"mimir:80" is not an http or https address'),
        (["rules", "--mimir", "http://u:p@h"], "must not hold a password"),
        (["rules", "--folder", "x", "--file", "y"], "--file is not for rules"),
        (["rules", "--folder", "x", "--prefix", "y"], "--prefix is a text, and goes with"),
        (["alertmanager"], "nothing says where Alertmanager's configuration is"),
        (["alertmanager", "--folder", "x"], "--folder is not for alertmanager"),
        (["rulse"], '"rulse" is none of rules, alertmanager, elastic; did you mean "rules"?'),
        (["rules", "--timeout", "5"], "a duration is a number with a unit"),
    ],
)
def test_wrong_flags_are_told_in_a_line(argv: list[str], problem: str) -> None:
    """Exit code 2, before anything is read."""
    ending = call(["publish", *argv], commands=COMMANDS)
    assert (2, "") == (ending.code, ending.stdout)
    assert problem in ending.stderr.splitlines()[0]


def test_the_command_without_a_server_says_that_nobody_was_told(tmp_path: Path) -> None:
    """The files are in place."""
    out, folder = generated(tmp_path / "out", {PATH: rules_text("one")}), _folder(tmp_path)
    argv = ["publish", "rules", "--out", str(out), "--folder", str(folder)]

    ending = call(argv, commands=COMMANDS)

    assert (0, f"published: {NAME}\n") == (ending.code, ending.stdout)
    assert "no server was named: reload it to load the rules\n1 published\n" == ending.stderr
    assert rules_text("one") == (folder / NAME).read_text()
