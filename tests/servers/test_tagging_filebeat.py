"""The real Filebeat accepts the files, and tags, lifts and redacts what it reads."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from collectors.signals import Signal
from collectors.tagging import filebeat
from collectors.tagging.model import FileSource, Plan, PodSource
from collectors.tagging.shipping import readings
from slo.collecting import MASK, Collecting, Destination
from tests.servers.filebeat import Filebeat, filebeat_check
from tests.servers.processes import wait_until
from tests.unit.app.api.serving import WORKSPACE, serving
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.shipped import (
    JSON_LINE,
    LOGFMT_LINE,
    PLAIN_LINE,
    TRACE,
    at,
    check_json,
    check_logfmt,
    check_plain,
    hostile,
    plan_for,
)

VERSIONS = {"filebeat": "7.17"}
TOKEN = "token-" + "t" * 26


def write(plan: Plan, folder: Path) -> Mapping[str, str]:
    """Write the files where Filebeat is told that they are."""
    files = filebeat.files(plan)
    for name, text in files.items():
        (folder / name).write_text(text)
    return files


def on_disk(text: str, folder: Path, pods: str) -> str:
    """The configuration with its output to a file, which shows what would be sent."""
    config = yaml.safe_load(text)
    del config["output.elasticsearch"]
    config["output.file"] = {"path": str(folder / "out"), "filename": "out"}
    for each in config["filebeat.inputs"]:
        each["prospector.scanner"]["check_interval"] = "200ms"
        each["paths"] = [path.replace("/var/log/pods", pods) for path in each["paths"]]
    return json.dumps(config)


def written(folder: Path) -> list[dict[str, Any]]:
    """Every document that was written, in order."""
    texts = [file.read_text() for file in (folder / "out").glob("out*")]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def tags_of(plan: Plan) -> Mapping[str, str]:
    """The tags of a plan's only source."""
    return readings(plan)[0].tags


Read = Callable[..., dict[str, Any]]


@pytest.fixture
def read(filebeat_bin: Path, tmp_path: Path) -> Read:
    """Run Filebeat on one source until it has written as many documents as lines were given."""

    def run(plan: Plan, name: str, log: Path, *lines: str, host: str = "h") -> dict[str, Any]:
        text = write(plan, tmp_path)[name]
        environment = {"HEADROOM_SCRIPTS": str(tmp_path), "HEADROOM_HOST": host}
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(f"{line}\n" for line in lines))
        beat = Filebeat(
            filebeat_bin,
            configure=lambda _port, folder: on_disk(text, folder, f"{tmp_path}/pods"),
            environment=environment,
        )
        with beat:
            wait_until(lambda: bool(written(beat.folder)), what="a document")
            return written(beat.folder)[0]

    return run


@pytest.mark.parametrize("destination", ["otlp", "elasticsearch", "loki"])
def test_files_are_accepted(filebeat_bin: Path, tmp_path: Path, destination: str) -> None:
    """Those for hosts but for the journal, which this build has not, and those for nodes."""
    settings = Collecting(versions=VERSIONS, destination=Destination(destination))
    files = write(airline(settings), tmp_path)
    for name in ("filebeat.yml", "filebeat-kubernetes.yml"):
        config = yaml.safe_load(files[name])
        assert config["filebeat.inputs"]
        done = filebeat_check(filebeat_bin, tmp_path / name, tmp_path / "state")
        assert done.ok, done.output


@pytest.mark.parametrize(
    ("form", "line", "check"),
    [
        ("json", JSON_LINE, check_json),
        ("plain", PLAIN_LINE, check_plain),
        ("logfmt", LOGFMT_LINE, check_logfmt),
    ],
)
def test_a_line_of_a_file_becomes_a_document_of_its_owner(
    read: Read, tmp_path: Path, form: str, line: str, check: Callable[..., None]
) -> None:
    """Whatever the line claims; secrets are out wherever they stood."""
    log = tmp_path / "logs" / "a.log"
    time = "when" if form == "logfmt" else None
    plan, _ = plan_for(FileSource(path=str(log), format=form, time=time), versions=VERSIONS)

    document = read(plan, "filebeat.yml", log, line)

    check(document, tags_of(plan))
    assert str(log) == at(document, "log.file.path")
    assert "h" == at(document, "host.hostname")


def test_lines_of_a_pod_are_joined_and_owned_by_its_name(read: Read, tmp_path: Path) -> None:
    """The runtime's own beginning of each line is gone, and the narrowest owner has it."""
    source = PodSource(namespace="x", pods="^api-[a-z0-9]+$", multiline="^[0-9]", format="plain")
    plan, _ = plan_for(source, versions=VERSIONS)
    log = tmp_path / "pods" / "x_api-7d9_0f2a" / "main" / "0.log"
    began = "2026-03-04T03:06:07.123456789Z stdout F "

    document = read(
        plan,
        "filebeat-kubernetes.yml",
        log,
        *(f"{began}{line}" for line in (f"{PLAIN_LINE} end", "  at Main.java", "1 more")),
    )

    first, _, rest = document["message"].partition(" end\n")
    check_plain({**document, "message": first}, tags_of(plan))
    assert "  at Main.java" == rest
    assert ("x", "api-7d9", "0f2a", "main") == tuple(
        at(document, f"kubernetes.{name}")
        for name in ("namespace", "pod.name", "pod.uid", "container.name")
    )


def test_what_is_shipped_arrives_at_headroom_under_its_owner(
    filebeat_bin: Path, tmp_path: Path
) -> None:
    """The configuration as it is, through its queue on disk, and Headroom's own intake."""
    log = tmp_path / "logs" / "a.log"
    log.parent.mkdir()
    log.write_text(f"{JSON_LINE}\n")
    plan = airline(Collecting(versions=VERSIONS))
    (stream,) = [each for each in plan.streams if each.dataset == "ticketing.api"]
    plan = replace(plan, streams=(replace(stream, sources=(FileSource(path=str(log)),)),))
    text = write(plan, tmp_path)["filebeat.yml"]
    (tmp_path / "token").write_text(TOKEN)
    workspace = f"{WORKSPACE}  serve: {{ingestTokens: [{{file: token}}]}}\n"
    with serving(tmp_path, workspace=workspace) as server:
        beat = Filebeat(
            filebeat_bin,
            configure=lambda _port, _folder: text,
            environment={
                "HEADROOM_ENDPOINT": server.url,
                "HEADROOM_TOKEN": TOKEN,
                "HEADROOM_SCRIPTS": str(tmp_path),
            },
        )
        columns = "app, env, component, body, trace_id, severity_text"
        with beat:
            wait_until(lambda: bool(server.rows(Signal.LOGS, columns)), what="the record")
        (row,) = server.rows(Signal.LOGS, columns)

    assert ("ticketing", "prod", "api") == (row["app"], row["env"], row["component"])
    assert f"card {MASK}, {MASK}" == row["body"]
    assert TRACE.lower() == row["trace_id"]
    assert "ERROR" == row["severity_text"]


@pytest.mark.parametrize("text", ["${HOME}", "a'b\"c\\d", "%{[x]}", "$$", "x}${HOME}", "[a-z]{2}"])
def test_hostile_texts_are_read_as_they_were_written(read: Read, tmp_path: Path, text: str) -> None:
    """In the configuration, in its paths and in the program."""
    plan = hostile(text, text)
    (stream,) = plan.streams
    log = tmp_path / "logs" / f"{text}.log"
    source = FileSource(path=str(log), format="json", hosts=(text,))
    settings = Collecting(versions=VERSIONS)
    plan = replace(plan, settings=settings, streams=(replace(stream, sources=(source,)),))

    document = read(plan, "filebeat.yml", log, JSON_LINE, host="")

    check_json(document, tags_of(plan))
    assert str(log) == at(document, "log.file.path")
