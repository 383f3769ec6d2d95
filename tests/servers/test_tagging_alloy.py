"""What is generated for Alloy, in its real grammar and in the Collector's real processor."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from collectors.tagging import alloy
from slo.collecting import MASK, Collecting, Destination
from tests.servers.collector import free_ports, known_components, running
from tests.servers.grammars import alloy_blocks
from tests.servers.processes import wait_until
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.alloy_syntax import Block, parsed
from tests.unit.collectors.tagging.hostile import hostile

CONFIGS = ("config.alloy", "config-kubernetes.alloy")
HOSTILE = """o'"$HOME" ${env:PATH} {{x}} %s \\\\ EXPR(1+1) é"""
TRACE = "0123456789ABCDEF0123456789abcdef"
SPAN = "0123456789abcdef"


@pytest.mark.parametrize("destination", [Destination.OTLP, Destination.LOKI])
def test_alloy_s_own_parser_takes_every_file(
    alloy_syntax_bin: Path, tmp_path: Path, destination: Destination
) -> None:
    """And finds in it what the parser of the unit tests finds."""
    chosen = Collecting(destination=destination)
    for at, plan in enumerate((airline(chosen), hostile(HOSTILE, HOSTILE))):
        files = alloy.files(plan)
        for name in CONFIGS:
            path = tmp_path / f"{at}-{name}"
            path.write_text(files[name])
            done = alloy_blocks(alloy_syntax_bin, path)
            assert done.ok, done.output
            assert _shape(json.loads(done.output)["blocks"]) == _own_shape(parsed(files[name]))


def _shape(blocks: list[dict[str, Any]]) -> list[Any]:
    return [
        (each["name"], each.get("label"), sorted(each["attributes"]), _shape(each["blocks"]))
        for each in blocks
    ]


def _own_shape(blocks: list[Block]) -> list[Any]:
    return [
        (each.name, each.label, sorted(each.attributes), _own_shape(each.blocks)) for each in blocks
    ]


def test_a_wrong_file_is_refused(alloy_syntax_bin: Path, tmp_path: Path) -> None:
    """So that the test above can fail."""
    path = tmp_path / "config.alloy"
    path.write_text(
        alloy.files(airline())["config.alloy"].replace("forward_to = [", "forward [", 1)
    )

    assert not alloy_blocks(alloy_syntax_bin, path).ok


def _collector(text: str, port: int, target: Path) -> dict[str, Any]:
    """The chain of Alloy's components between lines and the exporter, as the Collector has it."""
    blocks = {each.component: each for each in parsed(text)}
    processors: dict[str, Any] = {}
    for name in ("owners", "records", "secrets"):
        groups = blocks[f"otelcol.processor.transform.{name}"].all("log_statements")
        processors[f"transform/{name}"] = {
            "error_mode": "silent",
            "log_statements": [group.attributes for group in groups],
        }
        grouping = blocks.get(f"otelcol.processor.groupbyattrs.{_GROUPED.get(name)}")
        if grouping is not None:
            moved = _moved(grouping.attributes["keys"])
            processors[f"transform/{name}_grouped"] = {
                "error_mode": "propagate",
                "log_statements": [{"context": "log", "statements": moved}],
            }
    config = {
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}},
        "processors": processors,
        "exporters": {"file": {"path": str(target), "flush_interval": "100ms"}},
        "service": {
            "extensions": [],
            "telemetry": {"metrics": {"level": "none"}},
            "pipelines": {
                "logs": {"receivers": ["otlp"], "processors": [*processors], "exporters": ["file"]}
            },
        },
    }
    escaped: dict[str, Any] = _escaped(config)
    return escaped


_GROUPED = {"owners": "owners", "records": "version"}


def _moved(keys: list[str]) -> list[str]:
    """What grouping by attributes does to a record that is alone on its resource."""
    found = []
    for key in keys:
        own = f'log.attributes["{key}"]'
        found.append(f'set(resource.attributes["{key}"], {own}) where {own} != nil')
        found.append(f'delete_key(log.attributes, "{key}")')
    return found


def _labels(text: str, pipeline: str) -> dict[str, str]:
    """The labels that a pipeline puts on its lines."""
    (process,) = [each for each in parsed(text) if each.component == f"loki.process.{pipeline}"]
    (static,) = process.all("stage.static_labels")
    labels: dict[str, str] = static.attributes["values"]
    return labels


def _masked(text: str, pipeline: str, line: str) -> str:
    """A line after the replacements of a pipeline, which change only what a group holds."""
    (process,) = [each for each in parsed(text) if each.component == f"loki.process.{pipeline}"]
    for stage in process.all("stage.replace"):
        mask = stage.attributes["replace"]
        expression = re.compile(stage.attributes["expression"])

        def masked(match: re.Match[str], mask: str = mask) -> str:
            start, end = match.start(1) - match.start(), match.end(1) - match.start()
            return f"{match.group()[:start]}{mask}{match.group()[end:]}"

        line = expression.sub(masked, line)
    return line


def _post(port: int, line: str, labels: dict[str, str]) -> None:
    """Send a line as Alloy's receiver of lines makes a record of it."""
    attributes = [
        {"key": key, "value": {"stringValue": value}}
        for key, value in (*labels.items(), ("loki.attribute.labels", ",".join(labels)))
    ]
    record = {"body": {"stringValue": line}, "attributes": attributes}
    content = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    with requests.Session() as session:
        session.trust_env = False
        url = f"http://127.0.0.1:{port}/v1/logs"
        session.post(url, json=content, timeout=10).raise_for_status()


def _read(target: Path, count: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every record with its resource's attributes."""

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in target.read_text().splitlines()]

    wait_until(
        lambda: target.exists() and count <= len(target.read_text().splitlines()),
        timeout=30,
        what=f"{count} records",
    )
    found = []
    for line in lines():
        (resource,) = line["resourceLogs"]
        (record,) = resource["scopeLogs"][0]["logRecords"]
        found.append((_plain(resource["resource"]["attributes"]), record))
    return found


def _plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: each["value"].get("stringValue") for each in attributes}


def test_lines_become_records_with_their_owner_and_fields(otelcol: Path, tmp_path: Path) -> None:
    """JSON, logfmt and plain lines through the statements, in the real processor."""
    plan = airline()
    text = alloy.files(plan)["config.alloy"]
    port, target = free_ports().http, tmp_path / "records.json"
    config = json.dumps(_collector(text, port, target))
    lines = {
        "cargo_manifest": json.dumps(
            {
                "message": "taken off",
                "trace_id": TRACE,
                "span": {"id": SPAN},
                "service": {"version": "1.2.3"},
                "app": "another",
                "service.namespace": "another",
                "level": "warning",
                "password": "opens, all doors",
                "time": "2026-11-21T10:00:00.5Z",
            }
        ),
        "ticketing_worker__2": f"when=2026-11-21T10:00:00Z level=info trace_id={TRACE} msg=booked",
        "ticketing_worker": f"2026-11-21 10:00:00+0100 ERROR trace_id={TRACE} password=x no seat",
    }
    with running(otelcol, config, tmp_path, known_components(otelcol), {}):
        for name, line in lines.items():
            labels = {**_labels(text, name), "filename": f"/var/log/{name}.log"}
            _post(port, _masked(text, name, line), labels)
        records = _read(target, len(lines))

    found = {
        resource["service.namespace"] + resource["service.name"]: None for resource, _ in records
    }
    assert {"cargomanifest", "ticketingworker"} == set(found)
    (cargo, taken_off), (worker, booked), (_, plain) = records
    assert ("cargo", "prod", 'freight "A" & co', "cargo.manifest", "1.2.3") == tuple(
        cargo[key]
        for key in (
            *("service.namespace", "deployment.environment.name", "org.team"),
            *("data_stream.dataset", "service.version"),
        )
    )
    assert "this-host" == cargo["host.name"]
    assert ("bookings", "1") == (worker["org.team"], worker["service.criticality"])
    assert [TRACE.lower()] * 3 == [each["traceId"] for each in (taken_off, booked, plain)]
    assert SPAN == taken_off["spanId"]
    assert ("taken off", "booked") == tuple(
        each["body"]["stringValue"] for each in (taken_off, booked)
    )
    assert (
        f"2026-11-21 10:00:00+0100 ERROR trace_id={TRACE} {MASK} no seat"
        == (plain["body"]["stringValue"])
    )
    assert [13, 9, 17] == [each["severityNumber"] for each in (taken_off, booked, plain)]
    assert "1795255200500000000" == taken_off["timeUnixNano"]
    attributes = _plain(taken_off["attributes"])
    assert MASK == attributes["password"]
    assert "/var/log/cargo_manifest.log" == attributes["log.file.path"]
    assert not {"service.namespace", "app", "trace_id", "headroom.format"} & (
        set(attributes) - {"app"}
    )


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _escaped(each) for key, each in value.items()}
    return [_escaped(each) for each in value] if isinstance(value, list) else value
