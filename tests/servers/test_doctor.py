"""`headroom doctor` against real servers: what it calls well, late, missing and broken."""

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from app import generation
from app.cli.frame import run
from app.cli.main import COMMANDS
from app.cli.terminal import Terminal
from app.project import open_project
from tests.servers.loopback import Loopback, Reply
from tests.servers.processes import Alertmanager, Prometheus, create_blocks, wait_until
from tests.servers.recorded import Recording, record

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  slos:
    - name: availability
      objective: 99
      indicator:
        events: {total: 'up{job="api"}', bad: 'up{job="api",code="500"}', proven: true}
""".replace(", proven: true}", "}\n        proven: true")

# Two series on the side of one: refused whenever it is evaluated.
BROKEN = (
    'vector(1) * on () (label_replace(vector(1), "a", "1", "", "")'
    ' or label_replace(vector(1), "a", "2", "", ""))'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with one app and its generated rules."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "ticketing.yaml").write_text(APP)
    return tmp_path


def workspace(folder: Path, more: str) -> None:
    (folder / "headroom.yaml").write_text(
        "apiVersion: headroom/v1\nkind: Workspace\nspec:\n  apps: [apps]\n  sources:\n" + more
    )


def rules(folder: Path) -> dict[str, Any]:
    """The rules of the app as data, every group evaluated each second."""
    project = open_project([str(folder / "apps")], environment={})
    (text,) = generation.rules(project.catalog, project.workspace, "plain").values()
    data: dict[str, Any] = yaml.safe_load(text)
    for group in data["groups"]:
        group["interval"] = "1s"
    return data


def doctor(
    folder: Path, *arguments: str, ahead: timedelta = timedelta(0)
) -> tuple[int, dict[str, Any]]:
    """Run the command on a workspace; `ahead` is how far our clock is wrong."""
    terminal = Terminal(
        stdout=io.StringIO(), stderr=io.StringIO(), clock=lambda: datetime.now(UTC) + ahead
    )
    code = run(COMMANDS, ["doctor", str(folder), "--format", "json", *arguments], terminal)
    assert isinstance(terminal.stdout, io.StringIO)
    return code, json.loads(terminal.stdout.getvalue())


def outcomes(report: dict[str, Any], name: str) -> list[tuple[str, str]]:
    return [(c["outcome"], c["message"]) for c in report["checks"] if c["name"] == name]


Start = Callable[..., Prometheus]


@pytest.fixture
def with_rules(start_prometheus: Start, folder: Path) -> Callable[[dict[str, Any]], Prometheus]:
    """Start a server with these rules, and wait until all are evaluated."""

    def start(groups: dict[str, Any], **more: Any) -> Prometheus:
        path = folder / "loaded.rules"
        path.write_text(json.dumps(groups))
        server = start_prometheus(rules=[path], **more)
        wait_until(lambda: _evaluated(server), what="all rules evaluated")
        workspace(folder, f"    prometheus: {{main: {{url: '{server.url}'}}}}\n")
        return server

    return start


def _evaluated(server: Prometheus) -> bool:
    groups = server.api("rules")["groups"]
    return bool(groups) and all(r["health"] != "unknown" for g in groups for r in g["rules"])


def test_a_healthy_place_has_no_failing_check(
    with_rules: Callable[..., Prometheus], folder: Path, prometheus_bin: Path
) -> None:
    """Rules loaded and healthy, clocks together, recorded series fresh."""
    now = int(time.time()) // 300 * 300
    blocks(prometheus_bin, folder, end=now)
    with_rules(rules(folder), data=folder / "data")
    code, report = doctor(folder)
    assert 0 == code, report
    assert ("headroom/doctor/v1", True) == (report["schema"], report["ok"])
    (reachable,) = outcomes(report, "prometheus/main reachable")
    assert "answers, version " in reachable[1]
    assert [("ok", "3 groups are loaded and healthy")] == outcomes(report, "prometheus/main rules")
    assert "ok" == outcomes(report, "prometheus/main clock")[0][0]
    recorded = outcomes(report, "prometheus/main recorded series")
    assert [("ok", "1 SLOs have a slot in the last 11m")] == recorded


def blocks(binaries: Path, folder: Path, *, end: int) -> None:
    """What the app's rules recorded up to a time."""
    project = open_project([str(folder / "apps")], environment={})
    (level,) = project.catalog.levels()
    recording = Recording()
    record(recording, level, end=end, days=0.2)
    recording.write(folder / "recorded.txt")
    create_blocks(binaries, folder / "recorded.txt", folder / "data")


def test_series_that_are_recorded_no_more_fail(
    start_prometheus: Start, folder: Path, prometheus_bin: Path
) -> None:
    """An hour without a slot is not fresh, even where no rules are loaded any more."""
    blocks(prometheus_bin, folder, end=int(time.time()) // 300 * 300 - 3600)
    server = start_prometheus(data=folder / "data")
    workspace(folder, f"    prometheus: {{main: {{url: '{server.url}'}}}}\n")
    code, report = doctor(folder)
    assert 1 == code
    ((outcome, message),) = outcomes(report, "prometheus/main recorded series")
    assert "fail" == outcome
    assert "1 of 1 SLOs have no slot in the last 11m: ticketing/default/availability" in message
    ((outcome, message),) = outcomes(report, "prometheus/main rules")
    assert ("warn", True) == (outcome, message.startswith("none of our 3 groups is loaded"))


def test_a_missing_group_and_a_rule_that_fails_are_named(
    with_rules: Callable[..., Prometheus], folder: Path
) -> None:
    """Both are said at once, the server's own words included."""
    data = rules(folder)
    data["groups"] = [group for group in data["groups"] if not group["name"].endswith("/meta")]
    data["groups"][0]["rules"].append({"record": "broken", "expr": BROKEN})
    with_rules(data)
    code, report = doctor(folder)
    assert 1 == code
    missing, broken = outcomes(report, "prometheus/main rules")
    expected = "1 of 3 groups are not loaded: ticketing/default/availability/meta"
    assert ("fail", expected) == missing
    assert "fail" == broken[0]
    assert "1 rules fail, first broken in ticketing/default/availability/" in broken[1]
    assert "found duplicate series" in broken[1]


def test_a_clock_that_is_wrong_is_a_warning_and_then_a_failure(
    start_prometheus: Start, folder: Path
) -> None:
    """Half a minute and five minutes are the borders."""
    server = start_prometheus()
    workspace(folder, f"    prometheus: {{main: {{url: '{server.url}'}}}}\n")
    for ahead, expected in ((0, "ok"), (100, "warn"), (-100, "warn"), (600, "fail")):
        code, report = doctor(folder, ahead=timedelta(seconds=ahead))
        ((outcome, message),) = outcomes(report, "prometheus/main clock")
        assert expected == outcome
        assert (expected == "fail") == (code == 1)
        if ahead > 0:
            assert " behind ours" in message
        elif ahead < 0:
            assert " ahead of ours" in message


def test_generated_files_that_are_out_of_date_fail(folder: Path) -> None:
    """In whichever layout they were generated; before, there is only a warning."""
    workspace(folder, "    prometheus: {}\n")
    _, report = doctor(folder)
    assert "warn" == outcomes(report, "generated files")[0][0]
    arguments = ["generate", str(folder), "--only", "rules", "--layout", "operator"]
    terminal = Terminal(stdout=io.StringIO(), stderr=io.StringIO())
    assert 0 == run(COMMANDS, arguments, terminal), terminal.stderr
    _, report = doctor(folder)
    ((outcome, message),) = outcomes(report, "generated files")
    assert ("ok", True) == (outcome, message.startswith("1 files in "))
    (folder / "apps" / "ticketing.yaml").write_text(APP.replace("objective: 99", "objective: 98"))
    code, report = doctor(folder)
    ((outcome, message),) = outcomes(report, "generated files")
    assert (1, "fail") == (code, outcome)
    assert "operator/default/ticketing.yaml (stale)" in message
    (advice,) = [c["advice"] for c in report["checks"] if c["name"] == "generated files"]
    assert "headroom generate --layout operator, then publish" == advice


def test_an_alertmanager_is_asked_for_its_version(
    start_alertmanager: Callable[..., Alertmanager], folder: Path
) -> None:
    """And one that is not there is a failure of its own."""
    server = start_alertmanager(config={"route": {"receiver": "x"}, "receivers": [{"name": "x"}]})
    workspace(folder, f"    alertmanager: {{url: '{server.url}'}}\n")
    code, report = doctor(folder)
    assert 0 == code, report
    ((outcome, message),) = outcomes(report, "alertmanager")
    assert ("ok", True) == (outcome, "answers, version 0.25" in message)
    workspace(folder, "    alertmanager: {url: 'http://127.0.0.1:9'}\n")
    code, report = doctor(folder)
    assert (1, "fail") == (code, outcomes(report, "alertmanager")[0][0])


@pytest.fixture
def refusing() -> Iterator[Loopback]:
    """A server that lets nobody in."""
    with Loopback([Reply(status=401)]) as server:
        yield server


def test_a_server_that_refuses_us_is_reachable_and_its_other_checks_are_skipped(
    folder: Path, refusing: Loopback
) -> None:
    """Every source is looked at, whatever became of the one before it."""
    workspace(
        folder,
        "    prometheus:\n      default: eu\n"
        f"      eu: {{url: '{refusing.url}'}}\n"
        "      us: {url: 'http://127.0.0.1:9', retries: 0}\n",
    )
    code, report = doctor(folder)
    assert 1 == code
    found = {c["name"]: c["outcome"] for c in report["checks"] if c["name"].startswith("prom")}
    expected = {
        "prometheus/eu reachable": "ok",
        "prometheus/eu authentication": "fail",
        "prometheus/eu clock": "skipped",
        "prometheus/eu rules": "skipped",
        "prometheus/eu recorded series": "skipped",
        "prometheus/us reachable": "fail",
        "prometheus/us authentication": "skipped",
        "prometheus/us clock": "skipped",
        "prometheus/us rules": "skipped",
        "prometheus/us recorded series": "skipped",
    }
    assert expected == found


def test_a_specification_with_errors_is_one_failing_check_among_others(folder: Path) -> None:
    """The rest is still looked at."""
    (folder / "apps" / "broken.yaml").write_text(APP.replace("objective", "objectve"))
    workspace(folder, "    prometheus: {main: {url: 'http://127.0.0.1:9', retries: 0}}\n")
    code, report = doctor(folder)
    assert 1 == code
    ((outcome, message),) = outcomes(report, "specifications")
    assert "fail" == outcome
    assert f"apps{os.sep}broken.yaml:" in message
    assert "fail" == outcomes(report, "prometheus/main reachable")[0][0]
