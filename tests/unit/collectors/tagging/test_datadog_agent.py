"""Files for the Datadog agent tag every record of every source."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings

from collectors.tagging import datadog_agent
from collectors.tagging.model import (
    Convention,
    FileSource,
    JournalSource,
    OtlpSource,
    PodSource,
    Source,
    SyslogSource,
)
from collectors.tagging.places import go_glob
from slo.collecting import MASK, Collecting
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.datadog_agent import paths
from tests.unit.collectors.tagging.hostile import HOSTILE, hostile

Golden = Callable[[str, str], None]


def made(**versions: str) -> Mapping[str, str]:
    """The files for both applications."""
    return datadog_agent.files(airline(Collecting(versions=versions)))


@pytest.mark.parametrize("version", ["7.71", "7.60"])
def test_the_agent_s_settings_read_as_reviewed(golden: Golden, version: str) -> None:
    """Older agents have no fingerprints of files."""
    text = made(**{"datadog-agent": version})["datadog.yaml"]

    golden(f"collectors/datadog-agent/{version}/datadog.yaml", text)
    assert ("7.71" == version) == ("fingerprint_config" in text)


def test_the_files_read_as_reviewed(golden: Golden) -> None:
    """Those of streams, hosts, pods and services, and the pipelines."""
    for name, text in made().items():
        if name != "datadog.yaml":
            golden(f"collectors/datadog-agent/7.71/{name}", text)


def test_every_tag_reaches_datadog_from_every_source() -> None:
    """And version, trace and span are lifted there."""
    plan = airline()
    ways = list(paths(datadog_agent.files(plan)))
    for stream in plan.streams:
        for source in stream.sources:
            for name in _names(source, stream.identifier):
                found = [
                    way
                    for way in ways
                    if way.source == name and stream.service in way.tags.values()
                ]
                (way,) = found
                otlp = isinstance(source, OtlpSource)
                convention = Convention.OTEL if otlp else Convention.LABEL
                assert stream.tags(convention).items() <= way.tags.items()
                assert otlp or stream.component.name == way.tags["component"]
                assert {"version", "trace", "span"} == way.lifted
                ways.remove(way)
    assert [] == ways


def _names(source: Source, identifier: str) -> list[str]:
    match source:
        case FileSource():
            return [f"hosts/{host}/file {source.path}" for host in source.hosts]
        case JournalSource():
            return [f"journald {source.unit}"]
        case SyslogSource():
            return [f"{transport} 10514" for transport in ("tcp", "udp")]
        case OtlpSource():
            return [f"services/{identifier}.env"]
        case PodSource() if source.workload is not None:
            return [f"pods Deployment/{source.workload}"]
        case _:
            return []


def test_secrets_are_masked_by_the_agent() -> None:
    """In each source's rules, and in the rules for everything, which pods have."""
    line = 'x password=abc {"api_key": "k, 1"} pg://u:p@h Bearer a/b'
    own = yaml.safe_load(made()["conf.d/headroom_ticketing_cron.d/conf.yaml"])["logs"][0]
    every = yaml.safe_load(made()["datadog.yaml"])["logs_config"]["processing_rules"]
    for rules in (own["log_processing_rules"], every):
        masked = line
        for rule in rules:
            replacement = re.sub(r"\$\{(\d)\}", r"\\\1", rule["replace_placeholder"])
            masked = re.sub(rule["pattern"], replacement, masked)
        assert f'x password={MASK} {{"api_key": "{MASK}"}} pg{MASK}h {MASK}' == masked


def test_pods_without_a_workload_are_said_not_to_be_tagged() -> None:
    """A patch needs something to patch."""
    assert "Not tagged here: cargo/api, which names no workload." in made()["values.yaml"]


def test_no_key_is_written_into_files() -> None:
    """The agent takes it from its environment, pods from a Secret."""
    for text in made().values():
        assert "api_key:" not in text
    assert "headroom-datadog" in made()["values.yaml"]


def test_without_sources_there_are_no_files() -> None:
    """An agent that collects nothing would only look as if it did."""
    assert {} == datadog_agent.files(replace(airline(), streams=()))


def test_a_path_without_wildcards_is_taken_as_it_is() -> None:
    """Others are patterns of Go's, in which only three signs mean something."""
    assert r"/a\b{c}" == go_glob(r"/a\b{c}")
    assert r"/a\[1]\?\\{c}*" == go_glob(r"/a[1]?\{c}*")


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Through YAML, JSON inside YAML inside YAML, and an environment file."""
    plan = hostile(text, host)
    (stream,) = plan.streams
    files = datadog_agent.files(plan)
    ways = paths(files)

    assert {f"file {go_glob(f'/log/{text}')}", f"pods Deployment/{text}"} <= {
        way.source for way in ways
    }
    for way in ways:
        convention = Convention.OTEL if way.source.endswith(".env") else Convention.LABEL
        assert stream.tags(convention).items() <= way.tags.items()
    json.loads(files["pipelines.tf.json"])
