"""Files for Grafana Alloy carry every tag of every source to every output."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings

from collectors.tagging import alloy
from collectors.tagging.alloy_parts.lines import KEPT
from collectors.tagging.model import Convention, OtlpSource, PodSource, Source
from slo.collecting import MASK, Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.alloy import paths
from tests.unit.collectors.tagging.graphs.alloy_syntax import Block, parsed
from tests.unit.collectors.tagging.hostile import HOSTILE, hostile

Golden = Callable[[str, str], None]

CONFIGS = ("config.alloy", "config-kubernetes.alloy")
DESTINATIONS = (Destination.OTLP, Destination.LOKI)
COMPONENTS: Mapping[str, tuple[set[str], set[str]]] = {
    "discovery.kubernetes": ({"role"}, {"namespaces", "selectors"}),
    "discovery.relabel": ({"targets"}, {"rule"}),
    "local.file_match": ({"path_targets"}, set()),
    "loki.process": ({"forward_to"}, {"stage"}),
    "loki.relabel": ({"forward_to"}, {"rule"}),
    "loki.source.file": ({"targets", "forward_to"}, set()),
    "loki.source.journal": ({"forward_to", "relabel_rules", "max_age"}, set()),
    "loki.source.kubernetes": ({"targets", "forward_to"}, set()),
    "loki.source.syslog": ({"forward_to", "relabel_rules"}, {"listener"}),
    "loki.write": (set(), {"endpoint", "wal"}),
    "otelcol.auth.bearer": ({"token"}, set()),
    "otelcol.exporter.loki": ({"forward_to"}, set()),
    "otelcol.exporter.otlphttp": (set(), {"client", "sending_queue", "retry_on_failure"}),
    "otelcol.processor.groupbyattrs": ({"keys"}, {"output"}),
    "otelcol.processor.memory_limiter": (
        {"check_interval", "limit_percentage", "spike_limit_percentage"},
        {"output"},
    ),
    "otelcol.processor.transform": (
        {"error_mode"},
        {"log_statements", "metric_statements", "trace_statements", "output"},
    ),
    "otelcol.receiver.loki": (set(), {"output"}),
    "otelcol.receiver.otlp": (set(), {"grpc", "http", "output"}),
    "otelcol.storage.file": ({"directory", "create_directory"}, {"compaction"}),
}
"""Arguments and blocks of components, from Alloy's reference."""

STAGES = {
    "json": {"expressions"},
    "label_keep": {"values"},
    "labels": {"values"},
    "logfmt": {"mapping"},
    "multiline": {"firstline", "max_wait_time", "max_lines"},
    "regex": {"expression", "source"},
    "replace": {"expression", "replace"},
    "static_labels": {"values"},
    "structured_metadata": {"values"},
    "template": {"source", "template"},
    "timestamp": {"source", "format", "fallback_formats", "action_on_failure"},
}
RULE = {"source_labels", "regex", "action", "target_label", "replacement"}


def made(destination: Destination = Destination.OTLP) -> Mapping[str, str]:
    """The files for both applications."""
    return alloy.files(airline(Collecting(destination=destination)))


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_configurations_read_as_reviewed(golden: Golden, destination: Destination) -> None:
    """One for hosts and one for nodes, for each destination."""
    files = made(destination)
    assert {*CONFIGS, "values.yaml"} == set(files)
    for name in CONFIGS:
        golden(f"collectors/alloy/1.19/{destination}/{name}", files[name])


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_every_tag_reaches_every_output_from_every_source(destination: Destination) -> None:
    """And version, trace and span are lifted wherever a record can have them."""
    plan = airline(Collecting(destination=destination))
    files = alloy.files(plan)
    ways = [way for name in CONFIGS for way in paths(files[name])]
    loki = destination is Destination.LOKI
    for stream in plan.streams:
        for at, source in enumerate(stream.sources, 1):
            own = stream.identifier if at == 1 else f"{stream.identifier}__{at}"
            for name, outputs in _expected(source, own, stream.app, loki=loki).items():
                found = [way for way in ways if way.source == name]
                assert outputs == {way.output for way in found}, name
                lines = loki and not isinstance(source, OtlpSource)
                convention = Convention.LABEL if lines else Convention.OTEL
                for way in found:
                    assert stream.tags(convention).items() <= way.tags.items()
                    plain = source.format == "plain" and not isinstance(source, OtlpSource)
                    assert {"trace", "span", *(() if plain else ("version",))} <= way.lifted
                    if lines:
                        assert set(KEPT) >= set(way.tags)
                ways = [way for way in ways if way not in found]
    assert {"syslog_others"} == {way.source for way in ways}


def _expected(source: Source, own: str, app: str, *, loki: bool) -> dict[str, set[str]]:
    otlp = {"otelcol.exporter.otlphttp.headroom"}
    lines = {f"loki.write.app_{app}"} if loki else otlp
    if isinstance(source, OtlpSource):
        outputs = {"logs": lines, "metrics": otlp, "traces": otlp}
        return {f"otlp {signal} {source.service}": each for signal, each in outputs.items()}
    return {own: lines}


@pytest.mark.parametrize("destination", DESTINATIONS)
@pytest.mark.parametrize("name", CONFIGS)
def test_components_have_only_arguments_of_the_reference(
    destination: Destination, name: str
) -> None:
    """The grammar alone would take any word for an argument."""
    for block in parsed(made(destination)[name]):
        arguments, blocks = COMPONENTS[block.name]
        assert arguments >= set(block.attributes), block.component
        assert blocks >= {each.name.partition(".")[0] for each in block.blocks}, block.component
        for each in block.blocks:
            if each.name.startswith("stage."):
                assert STAGES[each.name.removeprefix("stage.")] >= set(each.attributes)
            elif each.name == "rule":
                assert set(each.attributes) <= RULE


def test_secrets_are_out_before_anything_is_written() -> None:
    """From the line, in each pipeline, before its labels; from fields before the exporter."""
    plan = airline()
    for name in CONFIGS:
        blocks = parsed(alloy.files(plan)[name])
        for process in (each for each in blocks if each.name == "loki.process"):
            stages = [stage.name for stage in process.blocks]
            assert len(plan.secrets) <= stages.count("stage.replace")
            assert stages.index("stage.static_labels") > stages.index("stage.replace")
            masks = [each.attributes["replace"] for each in process.all("stage.replace")]
            assert all(MASK in each for each in masks)
        (exporter,) = [each for each in blocks if each.name == "otelcol.exporter.otlphttp"]
        senders = [each for each in blocks if f"{exporter.component}.input" in _sent(each, "logs")]
        assert ["otelcol.processor.transform.secrets"] == [each.component for each in senders]


def _sent(block: Block, signal: str) -> list[str]:
    outputs = block.all("output")
    return [each.text for output in outputs for each in output.attributes.get(signal, [])]


def test_a_path_that_two_claim_is_read_by_the_named_hosts_alone() -> None:
    """Alloy knows its host's name, and may be told the one in the applications' files."""
    rules = {
        block.label: block.all("rule")[0].attributes
        for block in parsed(made()["config.alloy"])
        if block.name == "discovery.relabel"
    }

    assert "cargo-1[.]example|cargo-1" == rules["cargo_manifest"]["regex"]
    assert rules["ticketing_worker"]["regex"].startswith("tick-1[.]example|")
    assert rules["ticketing_worker__2"]["regex"].startswith("|tick-1[.]example|")


def test_pods_that_another_source_names_are_left_to_it() -> None:
    """The one that says more of a pod has it; a namespace's rest goes to who takes all."""
    plan = airline()
    (first, *_) = plan.streams
    every = PodSource(namespace="cargo")
    labelled = PodSource(namespace="cargo", labels={"a": "b"})
    stream = replace(first, sources=(every, labelled))
    text = alloy.files(replace(plan, streams=(stream,)))["config-kubernetes.alloy"]
    rules = {
        block.label: [each.attributes.get("action") for each in block.all("rule")]
        for block in parsed(text)
        if block.name == "discovery.relabel"
    }

    assert ["keep", "drop"] == rules["cargo_api"][:2]
    assert "drop" not in rules["cargo_api__2"]


def test_what_is_not_collected_and_what_is_needed_is_said() -> None:
    """The header tells of the other file, of stability levels and of old versions."""
    assert "cargo/api by pods: config-kubernetes.alloy does." in made()["config.alloy"]
    for name in CONFIGS:
        assert "--stability.level=public-preview" in made()[name]
    assert "--stability.level=experimental" in made(Destination.LOKI)["config.alloy"]
    old = alloy.files(airline(Collecting(versions={"alloy": "1.4"})))["config.alloy"]
    assert "Needs Alloy 1.11 or newer" in old
    assert (
        "has no stable way to `destination: elasticsearch`"
        in made(Destination.ELASTICSEARCH)["config.alloy"]
    )


def test_without_sources_there_are_no_files() -> None:
    """An agent that collects nothing would only look as if it did."""
    assert {} == alloy.files(replace(airline(), streams=()))


@settings(max_examples=15)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Through Alloy's literals and the transformation language inside them."""
    for destination in DESTINATIONS:
        plan = replace(hostile(text, host), settings=Collecting(destination=destination))
        (stream,) = plan.streams
        files = alloy.files(plan)
        ways = [way for name in CONFIGS for way in paths(files[name])]
        owned = [way for way in ways if way.source != "syslog_others"]
        assert {f"otlp logs {text}", "cargo_api", "cargo_api__7"} <= {way.source for way in owned}
        for way in owned:
            lines = destination is Destination.LOKI and not way.source.startswith("otlp ")
            convention = Convention.LABEL if lines else Convention.OTEL
            assert stream.tags(convention).items() <= way.tags.items()


@settings(max_examples=10)
@given(text=HOSTILE)
def test_the_chart_s_values_hold_the_same_configuration(text: str) -> None:
    """The chart's templates print what stands in them."""
    files = alloy.files(hostile(text, "h"))
    content = yaml.safe_load(files["values.yaml"])["alloy"]["configMap"]["content"]
    printed = content.replace("{{ `{{` }}", "\0")

    assert "{{" not in printed
    assert files["config-kubernetes.alloy"] == printed.replace("\0", "{{")
