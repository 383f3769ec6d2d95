"""`headroom doctor collectors` with the real programs: what they take, and what they refuse."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.cli.main import COMMANDS
from tests.cli.fakes.terminals import call
from tests.unit.collectors.tagging.examples import CARGO, TICKETING

_WORKSPACE = """
apiVersion: headroom/v1
kind: Workspace
metadata: {name: checked}
spec:
  apps: [apps]
  collectors: {versions: {filebeat: "7.17"}}
"""
CHECKED = ("otelcol", "rsyslog", "syslog-ng", "filebeat", "prometheus")
Tools = Mapping[str, Path]


@pytest.fixture
def tools(
    otelcol: Path,
    rsyslog_bin: Path,
    syslog_ng_bin: Path,
    filebeat_bin: Path,
    newest_prometheus_bin: Path,
) -> Tools:
    """The real validators by the names that ``--tool`` takes."""
    return {
        "otelcol": otelcol,
        "rsyslogd": rsyslog_bin / "rsyslogd",
        "syslog-ng": syslog_ng_bin / "syslog-ng",
        "filebeat": filebeat_bin / "filebeat",
        "promtool": newest_prometheus_bin / "promtool",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with what ``generate`` writes; nothing of the journal, which two tools lack."""
    (tmp_path / "apps").mkdir()
    for name, text in {"ticketing": TICKETING, "cargo": CARGO}.items():
        kept = text.replace("logs: [{journald: ticketing-cron.service, format: plain}]", "")
        (tmp_path / "apps" / f"{name}.yaml").write_text(kept)
    (tmp_path / "headroom.yaml").write_text(_WORKSPACE)
    ending = call(("generate", str(tmp_path), "--collector", ",".join(CHECKED)), commands=COMMANDS)
    assert 0 == ending.code, ending.stderr
    return tmp_path


def doctor(folder: Path, tools: Tools) -> tuple[int, list[dict[str, Any]]]:
    """The command's exit code and its checks, with these tools beside those on PATH."""
    given = [f"--tool={name}={path}" for name, path in tools.items()]
    ending = call(
        ("doctor", "collectors", "--dir", str(folder / "generated"), "--format", "json", *given),
        commands=COMMANDS,
    )
    assert "" == ending.stderr
    return ending.code, json.loads(ending.stdout)["checks"]


def outcome(checks: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = (each for each in checks if each["name"] == name)
    return found


def test_generated_files_are_taken_and_those_that_none_checks_are_named(
    folder: Path, tools: Tools
) -> None:
    """Both environments, the files of hosts too."""
    code, checks = doctor(folder, tools)

    assert 0 == code, [each for each in checks if each["outcome"] == "fail"]
    taken = {each["name"] for each in checks if each["outcome"] == "ok"}
    assert {
        "otelcol collectors/otelcol/prod/agent.yaml",
        "otelcol collectors/otelcol/staging/agent-kubernetes.yaml",
        "rsyslogd collectors/rsyslog/prod/rsyslog.conf",
        "rsyslogd collectors/rsyslog/prod/hosts/cargo-1.example/inputs.conf",
        "syslog-ng collectors/syslog-ng/prod/syslog-ng.conf",
        "syslog-ng collectors/syslog-ng/prod/hosts/tick-1.conf",
        "filebeat collectors/filebeat/prod/filebeat.yml",
        "promtool collectors/prometheus/prod/prometheus.yaml",
    } <= taken
    left = outcome(checks, "collectors/otelcol")
    assert "skipped" == left["outcome"]
    assert "prod/headroom-otelcol.service" in left["message"]


BROKEN: Mapping[str, tuple[str, Callable[[str], str], str]] = {
    "otelcol": ("otelcol/prod/agent.yaml", lambda text: f"{text}\nnonsense: 1\n", "nonsense"),
    "rsyslogd": (
        "rsyslog/prod/rsyslog.conf",
        lambda text: f'{text}\nmodule(load="no-such-module")\n',
        "no-such-module",
    ),
    "syslog-ng": (
        "syslog-ng/prod/syslog-ng.conf",
        lambda text: f"{text}\nnonsense {{ }};\n",
        "syntax error, unexpected LL_IDENTIFIER",
    ),
    "filebeat": (
        "filebeat/prod/filebeat.yml",
        lambda text: text.replace("output.elasticsearch:", "output.nonsense:"),
        "nonsense",
    ),
    "promtool": (
        "prometheus/prod/scrape.yaml",
        lambda text: text.replace("scrape_configs:", "scrape_config:"),
        "scrape_config",
    ),
}
"""A file by its tool, how a hand broke it, and a word of what the tool says."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_a_hand_broke_is_refused_in_the_tool_s_own_words(
    folder: Path, tools: Tools, name: str
) -> None:
    """The others are still checked."""
    path, broken, word = BROKEN[name]
    file = folder / "generated" / "collectors" / path
    file.write_text(broken(file.read_text()))

    code, checks = doctor(folder, {name: tools[name]})
    found = outcome(checks, f"{name} collectors/{path}")

    assert (1, "fail") == (code, found["outcome"])
    assert word in found["message"], found["message"]
    assert str(tools[name]) in found["message"]


@pytest.mark.parametrize(
    ("daemon", "own"),
    [("rsyslog", "cargo-1.example/inputs.conf"), ("syslog-ng", "cargo-1.example.conf")],
    ids=["rsyslog", "syslog-ng"],
)
def test_a_file_of_one_host_is_checked_with_the_main_one(
    folder: Path, tools: Tools, daemon: str, own: str
) -> None:
    """What only that host reads is not lost on the doctor."""
    name = f"{daemon}/prod/hosts/{own}"
    file = folder / "generated" / "collectors" / name
    file.write_text(f"{file.read_text()}\nnonsense {{ }};\n")

    tool = "rsyslogd" if daemon == "rsyslog" else daemon
    code, checks = doctor(folder, {tool: tools[tool]})

    assert 1 == code
    assert "fail" == outcome(checks, f"{tool} collectors/{name}")["outcome"]
