"""Files for Vector carry every tag of every source to every output."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings

from collectors.tagging import vector
from collectors.tagging.expressions import written
from collectors.tagging.model import OtlpSource
from collectors.tagging.shipping import Reading, readings
from slo.collecting import MASK, Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.vector import configuration, paths, tags_of, text_of
from tests.unit.collectors.tagging.shipped import HOSTILE, hostile

Golden = Callable[[str, str], None]

CONFIGS = ("vector.yaml", "vector-kubernetes.yaml")


def made(**chosen: object) -> Mapping[str, str]:
    """The files for both applications."""
    return vector.files(airline(Collecting(**chosen)))  # type: ignore[arg-type] # as keywords


def test_files_read_as_reviewed(golden: Golden) -> None:
    """The golden files are what users deploy."""
    files = made()
    assert {*CONFIGS, "daemonset.yaml", "headroom.conf", "headroom.env"} == set(files)
    for name, text in files.items():
        golden(f"collectors/vector/0.57/{name}", text)


@pytest.mark.parametrize("destination", [Destination.ELASTICSEARCH, Destination.LOKI])
def test_sinks_read_as_reviewed(golden: Golden, destination: Destination) -> None:
    """One for each kind of destination."""
    text = made(destination=destination)["vector.yaml"]
    golden(f"collectors/vector/0.57/vector-{destination}.yaml", text)


def test_every_tag_reaches_the_output_from_every_source() -> None:
    """And version, trace and span are lifted on every way."""
    plan = airline()
    files = vector.files(plan)
    ways = [path for name in CONFIGS for path in paths(files[name])]
    lines = [(reading.tags, 1) for reading in readings(plan)]
    syslog = [(tags, 2) for tags, _ in lines if "ticketing.gateway" in tags.values()]
    sent = [
        (Reading(name="", stream=stream, source=source, hosts=(), strict=False).tags, 2)
        for stream, source in plan.of(OtlpSource)
    ]
    expected: dict[str, int] = {}
    for tags, times in [*(each for each in lines if (each[0], 2) not in syslog), *syslog, *sent]:
        expected[str(tags)] = expected.get(str(tags), 0) + times

    actual: dict[str, int] = {}
    for path in ways:
        assert "documents" == path.output
        assert {"trace", "span", "version"} <= path.lifted
        if path.tags["data_stream.dataset"] != "unattributed":
            actual[str(dict(path.tags))] = actual.get(str(dict(path.tags)), 0) + 1
    assert expected == actual


def test_secrets_are_out_before_the_buffer_and_the_rejected_file() -> None:
    """In the one program that everything passes, and in the one for what it fails on."""
    plan = airline()
    for name in CONFIGS:
        config = configuration(vector.files(plan)[name])
        for step in ("records", "rejected"):
            program = config["transforms"][step]["source"]
            for secret in plan.secrets:
                pattern = written(secret.pattern, end=r"\z")
                assert f"r'{pattern}', \"{MASK}\")" in program
        assert ["records"] == config["sinks"]["documents"]["inputs"]
        assert ["rejected"] == config["sinks"]["rejected"]["inputs"]


def test_what_any_program_fails_on_is_kept() -> None:
    """Every program that may fail hands what it fails on to the file."""
    config = configuration(made()["vector.yaml"])
    programs = {name for name, step in config["transforms"].items() if step.get("reroute_dropped")}

    assert {f"{name}.dropped" for name in programs} == set(
        config["transforms"]["rejected"]["inputs"]
    )


def test_a_path_that_two_claim_is_read_by_the_named_hosts_alone() -> None:
    """A collector that does not know its host must not guess."""
    config = configuration(made()["vector.yaml"])
    strict = config["transforms"]["cargo_manifest_file_1_here"]["condition"]["source"]
    loose = config["transforms"]["ticketing_worker_file_2_here"]["condition"]["source"]

    assert strict.startswith('includes(["cargo-1.example", "cargo-1"]')
    assert '== "" || includes(' in loose


def test_what_is_not_collected_is_said() -> None:
    """Pods on hosts, and what Vector has no place for."""
    text = made()["vector.yaml"]

    assert "# Not collected here: cargo/api by pods, ticketing/api by pods." in text
    assert "# Not collected here: traces and metrics by OTLP" in text
    assert {} == vector.files(replace(airline(), streams=()))


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Through YAML, Vector's variables and its language's literals and templates."""
    plan = hostile(text, host)
    (stream,) = plan.streams
    files = vector.files(plan)
    config = configuration(files["vector.yaml"])
    node = configuration(files["vector-kubernetes.yaml"])

    expected = {reading.name: reading.tags for reading in readings(plan)}
    for each in (config, node):
        for name, step in each["transforms"].items():
            own = expected.get(name.removesuffix("_tags"))
            if own is not None and name.endswith("_tags"):
                assert own == tags_of(step["source"])
    literals = re.findall(
        r'"(?:[^"\\]|\\.)*"',
        str(config["transforms"]["syslog_owner"]["routes"][0]["condition"]["source"]),
    )
    assert text in {text_of(literal) for literal in literals}
    assert stream.values["team"] == text
    objects = list(yaml.safe_load_all(files["daemonset.yaml"]))
    (texts,) = [each["data"] for each in objects if each["kind"] == "ConfigMap"]
    assert files["vector-kubernetes.yaml"] == texts["vector.yaml"]
