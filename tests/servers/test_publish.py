"""Publishing rules to real servers: what they run afterwards, also after a refusal."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.cli.commands import Command
from app.publishing import PublishRefusedError, publisher
from slo.errors import PublishError, SourceError
from slo.publishing import PrometheusFolder
from tests.cli.fakes.terminals import call
from tests.servers.processes import Prometheus, wait_until
from tests.unit.app.publishing import NAME, PATH, generated, rules_in, rules_text, server_at, wait

StartPrometheus = Callable[..., Prometheus]


JOURNAL = "headroom.publishing.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder that the server reads its rules from."""
    path = tmp_path / "rules"
    path.mkdir()
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder that `generate` writes to."""
    path = tmp_path / "generated"
    path.mkdir()
    return path


def _start(start: StartPrometheus, folder: Path) -> Prometheus:
    return start(rules=[folder / "*.rules.yaml"], interval="1s")


def _target(folder: Path, server: Prometheus) -> PrometheusFolder:
    return PrometheusFolder(folder=str(folder), server=server_at(server.url))


def _loaded(server: Prometheus) -> dict[str, list[str]]:
    """Return the health of the rules that a server runs, by group."""
    groups = server.api("rules")["groups"]
    return {group["name"]: [rule["health"] for rule in group["rules"]] for group in groups}


def _reloads(server: Prometheus) -> str:
    answer: str = server.api("status/runtimeinfo")["lastConfigTime"]
    return answer


def test_rules_are_published_changed_and_removed(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """The server runs what was generated last, and someone else's file stays."""
    (folder / "theirs.rules.yaml").write_text(rules_text("theirs"))
    server = _start(start_prometheus, folder)
    publish = publisher(_target(folder, server)).publish
    other = "prometheus/dev/ticketing.rules.yaml"

    report = publish(
        rules_in(out, {PATH: rules_text("one"), other: rules_text("dev")}),
        dry_run=False,
        wait=wait(),
    )
    assert ("dev.ticketing.rules.yaml", NAME) == report.done
    assert {"one/base": ["ok"], "dev/base": ["ok"]}.items() <= _loaded(server).items()
    assert server.number("one") == 1

    report = publish(
        rules_in(out, {PATH: rules_text("one", "two", expr="vector(2)")}),
        dry_run=False,
        wait=wait(),
    )
    assert (NAME,) == report.done
    assert ("dev.ticketing.rules.yaml",) == report.removed
    assert {"one/base", "two/base", "theirs/base"} == _loaded(server).keys()
    wait_until(lambda: server.number("one") == 2, what="the changed expression counts")
    assert ["headroom.manifest.json", NAME, "theirs.rules.yaml"] == sorted(
        path.name for path in folder.iterdir()
    ), "no journal and nothing else is left"


def test_nothing_changed_means_nothing_reloaded(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """A second run leaves the server alone."""
    server = _start(start_prometheus, folder)
    publish = publisher(_target(folder, server)).publish
    files = rules_in(out, {PATH: rules_text("one")})
    publish(files, dry_run=False, wait=wait())
    before = _reloads(server)
    time.sleep(1.1)

    report = publish(files, dry_run=False, wait=wait())

    assert report.is_current
    assert (NAME,) == report.unchanged
    assert before == _reloads(server)


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """Neither the folder nor the server changes."""
    server = _start(start_prometheus, folder)
    before = _reloads(server)

    report = publisher(_target(folder, server)).publish(
        rules_in(out, {PATH: rules_text("one")}), dry_run=True, wait=wait()
    )

    assert (NAME,) == report.done
    assert [] == list(folder.iterdir())
    assert ({}, before) == (_loaded(server), _reloads(server))


def test_rules_that_the_server_refuses_are_taken_back(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """The old rules are loaded and healthy, and the error says which expression is wrong."""
    server = _start(start_prometheus, folder)
    publish = publisher(_target(folder, server)).publish
    good = rules_text("one")
    publish(rules_in(out, {PATH: good}), dry_run=False, wait=wait())
    bad = {PATH: rules_text("one", expr="sum("), "prometheus/dev/x.rules.yaml": rules_text("x")}

    with pytest.raises(
        PublishRefusedError, match=r"refused the reload.*former rules are back"
    ) as e:
        publish(rules_in(out, bad), dry_run=False, wait=wait())

    assert ("dev.x.rules.yaml", NAME) == e.value.report.rolled_back
    assert "sum(" in str(e.value.hint)
    assert good == (folder / NAME).read_text()
    assert {"one/base": ["ok"]} == _loaded(server)
    assert server.own_metric("prometheus_config_last_reload_successful") == 1
    assert not (folder / JOURNAL).exists()


def test_a_first_publishing_that_is_refused_leaves_an_empty_folder(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """Not even a manifest stays."""
    server = _start(start_prometheus, folder)

    with pytest.raises(PublishRefusedError):
        publisher(_target(folder, server)).publish(
            rules_in(out, {PATH: rules_text("one", expr="sum(")}), dry_run=False, wait=wait()
        )

    assert [] == list(folder.iterdir())


def test_rules_that_cannot_be_evaluated_are_taken_back(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """They load, then fail: many series match many."""
    server = _start(start_prometheus, folder)
    publish = publisher(_target(folder, server)).publish
    publish(rules_in(out, {PATH: rules_text("one")}), dry_run=False, wait=wait())
    two = "(vector(1) or label_replace(vector(1), 'a', 'b', '', ''))"
    failing = f"{two} * on () group_left () {two}"

    with pytest.raises(PublishRefusedError, match=r"cannot be evaluated: one: .*many"):
        publish(rules_in(out, {PATH: rules_text("one", expr=failing)}), dry_run=False, wait=wait())

    wait_until(lambda: _loaded(server) == {"one/base": ["ok"]}, what="the old rule runs")
    assert rules_text("one") == (folder / NAME).read_text()


def test_a_group_that_is_evaluated_rarely_is_accepted_with_a_note(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """Loaded is what is required; its first evaluation may be minutes away."""
    server = _start(start_prometheus, folder)
    began = time.monotonic()

    report = publisher(_target(folder, server)).publish(
        rules_in(out, {PATH: rules_text("one", interval="20h")}), dry_run=False, wait=wait()
    )

    (message,) = report.messages
    assert "group one/base: loaded, first evaluation due in at most 72000 s" in message
    assert time.monotonic() - began < 10


def test_rules_that_were_failing_before_are_no_reason_to_refuse_others(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """They are told beside a success, and are an error when nothing else is to be done."""
    server = _start(start_prometheus, folder)
    two = "(vector(1) or label_replace(vector(1), 'a', 'b', '', ''))"
    files = {PATH: rules_text("one", expr=f"{two} * on () group_left () {two}")}
    untold = PrometheusFolder(folder=str(folder))
    publisher(untold).publish(rules_in(out, files), dry_run=False, wait=wait())
    server.reload()
    wait_until(lambda: _loaded(server) == {"one/base": ["err"]}, what="the rule fails")
    files["prometheus/dev/x.rules.yaml"] = rules_text("x")
    publish = publisher(_target(folder, server)).publish

    report = publish(rules_in(out, files), dry_run=False, wait=wait())

    assert ("dev.x.rules.yaml",) == report.done
    (message,) = report.messages
    assert f"{NAME}: group one/base was failing before: one: " in message
    with pytest.raises(PublishError, match=r"group one/base cannot be evaluated"):
        publish(rules_in(out, files), dry_run=False, wait=wait())


def test_a_server_that_reads_another_folder_is_noticed(
    start_prometheus: StartPrometheus, folder: Path, out: Path, tmp_path: Path
) -> None:
    """A reload that succeeds and loads nothing of ours is a failure."""
    server = start_prometheus(rules=[tmp_path / "elsewhere" / "*.rules.yaml"], interval="1s")

    with pytest.raises(PublishRefusedError, match=r"not loaded: .*group one/base") as e:
        publisher(_target(folder, server)).publish(
            rules_in(out, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )

    assert "rule_files" in str(e.value.hint)
    assert [] == list(folder.iterdir())


def test_a_pattern_that_would_read_the_manifest_is_refused(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """The server would stumble over the manifest, which is no rule file."""
    server = start_prometheus(rules=[folder / "*"], interval="1s")

    with pytest.raises(PublishError, match=r"would read headroom\.manifest\.json"):
        publisher(_target(folder, server)).publish(
            rules_in(out, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )

    assert [] == list(folder.iterdir())


class _WithoutLifecycle(Prometheus):
    """A server as it comes: it takes no reload requests."""

    def command(self, port: int) -> list[str]:
        return [flag for flag in super().command(port) if flag != "--web.enable-lifecycle"]


def test_a_server_that_takes_no_reload_requests_says_how_to_change_that(
    prometheus_bin: Path, folder: Path, out: Path
) -> None:
    """It is known before anything is touched."""
    files = rules_in(out, {PATH: rules_text("one")})
    with (
        _WithoutLifecycle(prometheus_bin, rules=[folder / "*.rules.yaml"]) as server,
        pytest.raises(PublishError, match="takes no reload requests") as e,
    ):
        publisher(_target(folder, server)).publish(files, dry_run=False, wait=wait())

    assert e.value.hint == "start the server with --web.enable-lifecycle"
    assert [] == list(folder.iterdir())


def test_a_server_that_is_down_changes_nothing(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """The folder is as it was."""
    server = _start(start_prometheus, folder)
    target = _target(folder, server)
    server.stop()

    with pytest.raises(SourceError, match="cannot be reached"):
        publisher(target).publish(
            rules_in(out, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )

    assert [] == list(folder.iterdir())


def test_files_put_there_without_a_server_are_loaded_by_the_next_run_with_one(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """The same groups with other expressions: the list of rules alone would not show it."""
    server = _start(start_prometheus, folder)
    target = _target(folder, server)
    publisher(target).publish(rules_in(out, {PATH: rules_text("one")}), dry_run=False, wait=wait())
    time.sleep(1.1)
    files = rules_in(out, {PATH: rules_text("one", expr="vector(2)")})
    untold = PrometheusFolder(folder=str(folder))
    report = publisher(untold).publish(files, dry_run=False, wait=wait())
    assert ("no server was named: reload it to load the rules",) == report.messages

    publisher(target).publish(files, dry_run=False, wait=wait())

    wait_until(lambda: server.number("one") == 2, what="the changed expression counts")


# The process kills itself where the reload would be: no other moment is sure to be that one.
_KILLED = """
import os, signal, sys
from app.publishing.server import PrometheusServer
PrometheusServer.reload = lambda self: os.kill(os.getpid(), signal.SIGKILL)
from app.cli.commands import Command
from app.cli.frame import run
from app.cli.terminal import Terminal
command = Command(module="app.cli.publish", summary="publish", group="main")
run({"publish": command}, sys.argv[1:], Terminal.of_process())
"""


def _killed_before_the_reload(folder: Path, out: Path, server: Prometheus) -> None:
    arguments = ["publish", "rules", "--out", str(out), "--folder", str(folder)]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, *arguments, "--prometheus", server.url],
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert -signal.SIGKILL == done.returncode
    assert (folder / JOURNAL).exists()
    # As if the server's clock were ahead: only the journal knows that it was not told.
    for path in folder.iterdir():
        os.utime(path, (0, 0))


def test_a_run_that_was_killed_before_the_reload_is_finished_by_the_next(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """The files are there already, yet the server is told."""
    server = _start(start_prometheus, folder)
    publish = publisher(_target(folder, server)).publish
    publish(rules_in(out, {PATH: rules_text("one")}), dry_run=False, wait=wait())
    files = rules_in(out, {PATH: rules_text("one", expr="vector(2)")})
    _killed_before_the_reload(folder, out, server)
    assert server.number("one") == 1

    report = publish(files, dry_run=False, wait=wait())

    assert report.is_current
    wait_until(lambda: server.number("one") == 2, what="the changed expression counts")
    assert not (folder / JOURNAL).exists()


def test_a_refusal_after_a_killed_run_goes_back_to_what_the_server_had_before_both(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """The killed run's own files were never accepted by anyone."""
    server = _start(start_prometheus, folder)
    publish = publisher(_target(folder, server)).publish
    publish(rules_in(out, {PATH: rules_text("one")}), dry_run=False, wait=wait())
    files = rules_in(out, {PATH: rules_text("one", expr="sum(")})
    _killed_before_the_reload(folder, out, server)

    with pytest.raises(PublishRefusedError):
        publish(files, dry_run=False, wait=wait())

    assert rules_text("one") == (folder / NAME).read_text()
    assert {"one/base": ["ok"]} == _loaded(server)


COMMANDS = {"publish": Command(module="app.cli.publish", summary="publish", group="main")}


def test_the_command_publishes_and_tells(
    start_prometheus: StartPrometheus, folder: Path, out: Path
) -> None:
    """What was done is on stdout, a refusal is one error with a hint."""
    server = _start(start_prometheus, folder)
    argv = ["publish", "rules", "--out", str(out), "--folder", str(folder)]
    argv += ["--prometheus", server.url, "--timeout", "20s"]
    generated(out, {PATH: rules_text("one")})

    assert call([*argv, "--dry-run"], commands=COMMANDS).stdout == f"would be published: {NAME}\n"
    ending = call(argv, commands=COMMANDS)
    assert (0, f"published: {NAME}\n") == (ending.code, ending.stdout)
    assert ending.stderr.endswith("1 published\n")
    assert call(argv, commands=COMMANDS).stderr == "up to date: 1 item\n"

    generated(out, {PATH: rules_text("one", expr="sum(")})
    ending = call(argv, commands=COMMANDS)
    assert (1, "") == (ending.code, ending.stdout)
    taken_back, error, hint = ending.stderr.splitlines()
    assert f"taken back: {NAME}" == taken_back
    assert error.startswith("error: ")
    assert "the former rules are back" in error
    assert hint.startswith("hint: ")
