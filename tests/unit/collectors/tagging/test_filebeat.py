"""Files for Filebeat carry every tag of every source to the output."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings

from collectors.tagging import filebeat
from collectors.tagging.expressions import written
from collectors.tagging.model import SyslogSource
from collectors.tagging.shipping import readings
from slo.collecting import Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.filebeat import configuration, constant, paths
from tests.unit.collectors.tagging.shipped import HOSTILE, hostile

Golden = Callable[[str, str], None]

CONFIGS = ("filebeat.yml", "filebeat-kubernetes.yml")


def made(**chosen: object) -> Mapping[str, str]:
    """The files for both applications."""
    return filebeat.files(airline(Collecting(**chosen)))  # type: ignore[arg-type] # as keywords


@pytest.mark.parametrize("version", ["9.5", "7.17"])
def test_files_read_as_reviewed(golden: Golden, version: str) -> None:
    """On both sides of fingerprints, units of the journal and the processor for syslog."""
    files = made(versions={"filebeat": version})
    wanted = files if version == "9.5" else CONFIGS
    for name in wanted:
        golden(f"collectors/filebeat/{version}/{name}", files[name])


def test_an_output_to_elasticsearch_reads_as_reviewed(golden: Golden) -> None:
    """Its own endpoint and key."""
    text = made(destination=Destination.ELASTICSEARCH)["filebeat.yml"]
    golden("collectors/filebeat/9.5/filebeat-elasticsearch.yml", text)


@pytest.mark.parametrize("version", ["9.5", "7.17"])
def test_every_tag_reaches_the_output_from_every_source(version: str) -> None:
    """Syslog by both transports."""
    plan = airline(Collecting(versions={"filebeat": version}))
    files = filebeat.files(plan)
    ways = [path for name in CONFIGS for path in paths(files, name)]
    expected: Counter[str] = Counter()
    for reading in readings(plan):
        expected[reading.name] += 2 if isinstance(reading.source, SyslogSource) else 1

    assert expected == Counter(path.source.split()[1] for path in ways)
    tags = {reading.name: reading.tags for reading in readings(plan)}
    for path in ways:
        assert tags[path.source.split()[1]] == path.tags
        assert {"trace", "span", "version"} == path.lifted
        assert "output.elasticsearch" == path.output


def test_secrets_are_out_before_the_queue_on_disk() -> None:
    """Processors of an input run before the queue, and each input has the program."""
    plan = airline()
    files = filebeat.files(plan)

    expected = [written(secret.pattern) for secret in plan.secrets]
    assert expected == constant(files["headroom.js"], "SECRETS")
    for name in CONFIGS:
        config = configuration(files[name])
        assert {"max_size": "1GB"} == config["queue.disk"]
        assert "processors" not in config


def test_what_is_not_collected_is_said() -> None:
    """OTLP has no input, and pods are the node's."""
    text = made()["filebeat.yml"]

    assert (
        "# Not collected here: cargo/api by pods, ticketing/api by pods, cargo/api by OTLP" in text
    )
    assert {} == filebeat.files(replace(airline(), streams=()))


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Through YAML, variables, format strings and the program's JSON."""
    plan = hostile(text, host)
    files = filebeat.files(plan)
    sources = constant(files["headroom.js"], "SOURCES")

    assert {each.name: each.tags for each in readings(plan)} == {
        name: each["tags"] for name, each in sources.items()
    }
    assert text in [each.get("program") for each in sources.values()]
    config = configuration(files["filebeat.yml"])
    paths_read = [each["paths"] for each in config["filebeat.inputs"] if "paths" in each]
    assert [[filebeat.glob(f"/var/{text}")], [filebeat.glob(f"/log/{text}")]] == paths_read
