"""The real Filebeat runs: lines of a file go in, tagged events come out."""

import json
from pathlib import Path

from tests.servers.filebeat import Filebeat, filebeat_check
from tests.servers.processes import wait_until


def configuration(_port: int, folder: Path) -> str:
    """Return a configuration that tags the lines of a file."""
    tag = {"add_fields": {"target": "labels", "fields": {"app": "${APP:nobody}"}}}
    source = {
        "type": "filestream",
        "id": "air",
        "paths": [f"{folder}/in"],
        "prospector.scanner.check_interval": "200ms",
        "processors": [tag],
    }
    return json.dumps(
        {
            "filebeat.inputs": [source],
            "output.file": {"path": str(folder), "filename": "out"},
            "queue.mem.flush.timeout": "0s",
        }
    )


def events(folder: Path) -> list[tuple[str, str]]:
    """Return the app and the text of each event that was written."""
    lines = [line for file in folder.glob("out*") for line in file.read_text().splitlines()]
    found = [json.loads(line) for line in lines]
    return [(event["labels"]["app"], event["message"]) for event in found]


def test_lines_of_a_file_are_tagged(filebeat_bin: Path) -> None:
    """The tag comes from the environment."""
    with Filebeat(filebeat_bin, configure=configuration, environment={"APP": "air"}) as beat:
        (beat.folder / "in").write_text("took off\n")
        wait_until(lambda: bool(events(beat.folder)), what="the line of the file")

        assert [("air", "took off")] == events(beat.folder)


def test_a_processor_that_is_none_is_refused_by_its_name(
    filebeat_bin: Path, tmp_path: Path
) -> None:
    """Its acceptance means something: processors are looked up."""
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text(configuration(0, tmp_path))
    bad.write_text(good.read_text()[:-1] + ', "processors": [{"add_feilds": {}}]}')

    accepted = filebeat_check(filebeat_bin, good, tmp_path / "state")
    refused = filebeat_check(filebeat_bin, bad, tmp_path / "state")

    assert accepted.ok, accepted.output
    assert not refused.ok
    assert "add_feilds" in refused.output
