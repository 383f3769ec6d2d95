"""The real Collector runs: a file and OTLP go in, tagged records come out."""

import json
from pathlib import Path
from typing import Any

import httpx

from tests.servers.otelcol import Otelcol, otelcol_check
from tests.servers.processes import wait_until


def configuration(port: int, folder: Path) -> str:
    """Return a configuration that tags what it reads from a file and from OTLP."""
    tag = {"key": "service.namespace", "value": "${env:APP:-nobody}", "action": "upsert"}
    return json.dumps(
        {
            "receivers": {
                "filelog": {
                    "include": [f"{folder}/in"],
                    "start_at": "beginning",
                    "poll_interval": "100ms",
                },
                "otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}},
            },
            "processors": {"resource": {"attributes": [tag]}},
            "exporters": {"file": {"path": f"{folder}/out", "flush_interval": "100ms"}},
            "service": {
                "telemetry": {"metrics": {"level": "none"}},
                "pipelines": {
                    "logs": {
                        "receivers": ["filelog", "otlp"],
                        "processors": ["resource"],
                        "exporters": ["file"],
                    }
                },
            },
        }
    )


def records(file: Path) -> list[tuple[str, str]]:
    """Return the app and the text of each record that was written."""
    lines = file.read_text().splitlines() if file.exists() else []
    resources = [each for line in lines for each in json.loads(line)["resourceLogs"]]
    return [
        (tags(each)["service.namespace"], record["body"]["stringValue"])
        for each in resources
        for scope in each["scopeLogs"]
        for record in scope["logRecords"]
    ]


def tags(resource_logs: dict[str, Any]) -> dict[str, str]:
    """Return a resource's attributes."""
    attributes = resource_logs["resource"]["attributes"]
    return {each["key"]: each["value"]["stringValue"] for each in attributes}


def test_records_of_a_file_and_of_otlp_are_tagged(otelcol: Path) -> None:
    """The tag comes from the environment, over whatever the sender said."""
    with Otelcol(otelcol.parent, configure=configuration, environment={"APP": "air"}) as collector:
        out = collector.folder / "out"
        (collector.folder / "in").write_text("from a file\n")
        wait_until(lambda: bool(records(out)), what="the line of the file")
        body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": text("from OTLP")}]}]}]}
        httpx.post(f"{collector.url}/v1/logs", json=body, trust_env=False).raise_for_status()
        wait_until(lambda: len(records(out)) == 2, what="the record of OTLP")

        assert [("air", "from a file"), ("air", "from OTLP")] == records(out)


def test_a_configuration_is_checked_without_running_it(otelcol: Path, tmp_path: Path) -> None:
    """A pipeline that names what is not there is refused by its name."""
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(configuration(4318, tmp_path))
    bad.write_text(good.read_text().replace('["resource"]', '["resuorce"]'))

    accepted, refused = otelcol_check(otelcol.parent, good), otelcol_check(otelcol.parent, bad)

    assert accepted.ok, accepted.output
    assert not refused.ok
    assert "resuorce" in refused.output


def text(value: str) -> dict[str, str]:
    """Return a text as OTLP's JSON has it."""
    return {"stringValue": value}
