"""Files for the OpenTelemetry Collector carry every tag of every source to every output."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.tagging import otelcol
from collectors.tagging.model import (
    Convention,
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Stream,
    SyslogSource,
)
from collectors.tagging.otelcol_parts.text import glob_path
from slo.collecting import MASK, Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.model import Path
from tests.unit.collectors.tagging.graphs.otelcol import configuration, paths

Golden = Callable[[str, str], None]

CONFIGS = ("agent.yaml", "agent-kubernetes.yaml", "gateway.yaml")
HOSTILE = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs")), min_size=1
).filter(lambda text: text.isprintable() and bool(text.strip())) | st.sampled_from(
    ["EXPR(1)", "x EXPR(env('A')) EXPR(", "${env:HOME}", "$$", "{{ .Values }}", "a'b\"c\\d", "%s"]
)


def made(**chosen: object) -> Mapping[str, str]:
    """The files for both applications."""
    return otelcol.files(airline(Collecting(**chosen)))  # type: ignore[arg-type] # as keywords


@pytest.mark.parametrize("version", ["0.159", "0.140"])
def test_configurations_read_as_reviewed(golden: Golden, version: str) -> None:
    """On both sides of the renaming of components."""
    files = made(versions={"otelcol": version})
    for name in CONFIGS:
        golden(f"collectors/otelcol/{version}/{name}", files[name])


def test_delivery_reads_as_reviewed(golden: Golden) -> None:
    """Objects of Kubernetes, values of the chart, a unit, its environment and a play."""
    files = made()
    assert {
        *CONFIGS,
        *("daemonset.yaml", "values.yaml", "gateway-deployment.yaml", "play.yaml"),
        *("headroom-otelcol.service", "headroom-otelcol.env"),
    } == set(files)
    for name in sorted(set(files) - set(CONFIGS)):
        golden(f"collectors/otelcol/0.159/{name}", files[name])


@pytest.mark.parametrize("destination", [each for each in Destination if each != "otlp"])
def test_gateways_read_as_reviewed(golden: Golden, destination: Destination) -> None:
    """One for each destination."""
    text = made(destination=destination)["gateway.yaml"]
    golden(f"collectors/otelcol/0.159/gateway-{destination}.yaml", text)


def test_elasticsearch_gets_spans_with_their_duration() -> None:
    """Which the exporter's mode `ecs` leaves out; records of logs stay documents of ECS."""
    config = configuration(made(destination=Destination.ELASTICSEARCH)["gateway.yaml"])
    modes = {
        signal: config["exporters"][pipeline["exporters"][0]]["mapping"]["mode"]
        for signal, pipeline in config["service"]["pipelines"].items()
    }

    assert {"logs": "ecs", "metrics": "ecs", "traces": "otel"} == modes


def test_every_tag_reaches_every_output_from_every_source() -> None:
    """And version, trace and span are lifted wherever a record can have them."""
    plan = airline()
    files = otelcol.files(plan)
    ways = {name: list(paths(files[name])) for name in CONFIGS[:2]}
    for stream in plan.streams:
        for source in stream.sources:
            for name, key in _sources(source):
                # Two components may have one path on different hosts.
                (path,) = [each for each in ways[name] if _is_way(each, key, stream)]
                ways[name].remove(path)
                assert stream.tags(Convention.OTEL).items() <= path.tags.items()
                plain = source.format == "plain" and not isinstance(source, OtlpSource)
                assert {"trace", "span", *(() if plain else ("version",))} <= path.lifted
                assert "otlp_http/headroom" == path.output
    assert {name: [] for name in CONFIGS[:2]} == ways


def _is_way(path: Path, key: str, stream: Stream) -> bool:
    return path.source == key and stream.dataset == path.tags["data_stream.dataset"]


def _sources(source: object) -> list[tuple[str, str]]:
    host, node = CONFIGS[:2]
    match source:
        case FileSource():
            return [(host, f"file_log {glob_path(source.path)}")]
        case JournalSource():
            unit = f'attributes["systemd.unit"] == {json.dumps(source.unit)}'
            return [(host, f"journald {unit}")]
        case SyslogSource():
            program = f"attributes.appname == {json.dumps(source.program)}"
            return [(host, f"syslog/{transport} {program}") for transport in ("tcp", "udp")]
        case OtlpSource():
            signals = ("logs", "metrics", "traces")
            return [
                (name, f"otlp {each} {source.service}") for name in (host, node) for each in signals
            ]
        case PodSource() if source.pods is not None:
            expression = (
                f'resource["k8s.pod.name"] matches {json.dumps(source.pods)} and '
                f'resource["k8s.container.name"] == {json.dumps(source.container)}'
            )
            return [(node, f"file_log {expression}")]
        case _:
            condition = (
                'late resource.attributes["data_stream.dataset"] == nil and '
                'resource.attributes["k8s.namespace.name"] == "cargo" and '
                'resource.attributes["k8s.pod.labels.app.kubernetes.io/name"] == "cargo-api"'
            )
            return [(node, condition)]


def test_pods_that_only_labels_tell_apart_are_tagged_after_the_metadata() -> None:
    """Their labels are asked for, and compared before anything is sent."""
    config = configuration(made()["agent-kubernetes.yaml"])
    (group,) = config["processors"]["transform/pods"]["log_statements"]
    (asked,) = config["processors"]["k8s_attributes"]["extract"]["labels"]

    assert "k8s.pod.labels.app.kubernetes.io/name" == asked["tag_name"]
    assert f'resource.attributes["{asked["tag_name"]}"] == "cargo-api"' in group["conditions"][0]
    assert 'set(resource.attributes["service.namespace"], "cargo")' in group["statements"]
    steps = config["service"]["pipelines"]["logs/pods"]["processors"]
    assert steps.index("k8s_attributes") < steps.index("transform/pods")


def test_secrets_are_out_before_the_queue_on_disk() -> None:
    """From the message and from fields, in every pipeline of an agent; from keys by name."""
    plan = airline()
    for name in CONFIGS[:2]:
        config = configuration(otelcol.files(plan)[name])
        for signal, pipeline in config["service"]["pipelines"].items():
            assert "redaction" == pipeline["processors"][-1]
            assert ("transform/secrets" in pipeline["processors"]) == signal.startswith("logs")
        statements = config["processors"]["transform/secrets"]["log_statements"][0]["statements"]
        for secret in plan.secrets:
            found = [each for each in statements if json.dumps(secret.pattern) in each]
            assert 2 == len(found)
            assert all(json.dumps(MASK) in each for each in found)
            assert secret.pattern in config["processors"]["redaction"]["blocked_values"]


def test_what_is_not_collected_is_said() -> None:
    """A host's agent has no pods, a node's has neither files nor the journal nor syslog."""
    files = made()

    assert "# Not collected here: cargo/api by pods, ticketing/api by pods." in files["agent.yaml"]
    assert "ticketing/cron by journald" in files["agent-kubernetes.yaml"].split("extensions:")[0]


def test_without_applications_there_are_no_files() -> None:
    """An empty agent would only look as if something were collected."""
    assert {} == otelcol.files(replace(airline(), streams=()))


def test_a_path_that_two_claim_is_read_by_the_named_hosts_alone() -> None:
    """An agent that does not know its host must not guess."""
    config = configuration(made()["agent.yaml"])
    conditions = {
        name: receiver["operators"][0]["expr"]
        for name, receiver in config["receivers"].items()
        if name.startswith("file_log/")
    }

    assert conditions["file_log/cargo_manifest"].startswith("not (env(")
    assert conditions["file_log/ticketing_worker_2"].startswith('env("HEADROOM_HOST") != "" and')


def hostile(text: str, host: str) -> Plan:
    """A plan in which a text stands wherever a user may have written one."""
    plan = airline()
    (first, *_) = plan.streams
    sources = (
        FileSource(path=f"/var/{text}", format="logfmt", trace_id=text, hosts=(host,)),
        FileSource(path=f"/log/{text}", format="json", time=text),
        JournalSource(unit=text, format="json", multiline="^x"),
        SyslogSource(program=text, format="json", hosts=(host,)),
        OtlpSource(service=text),
        PodSource(namespace=text, labels={"a": text}, container=text),
        PodSource(namespace=text, workload=text, workload_kind="pod", pods="^x$"),
    )
    values = {**first.values, "team": text, "component": text, "criticality": text}
    component = replace(first.component, hosts=(host,))
    stream = Stream(
        values=values,
        dataset=first.dataset,
        namespace=first.namespace,
        identifier=first.identifier,
        component=component,
        sources=sources,
    )
    return replace(plan, streams=(stream,))


@settings(max_examples=15)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Through YAML, the Collector's variables, its expressions and its statements."""
    plan = hostile(text, host)
    (stream,) = plan.streams
    files = otelcol.files(plan)
    ways = [*paths(files["agent.yaml"]), *paths(files["agent-kubernetes.yaml"])]

    assert 12 == len(ways)
    for way in ways:
        assert stream.tags(Convention.OTEL).items() <= way.tags.items()
    sources = {way.source for way in ways}
    program = f"attributes.appname == {json.dumps(text, ensure_ascii=False)}"
    assert 2 == sum(source.startswith("syslog/") and program in source for source in sources)
    assert f"otlp traces {text}" in sources
    assert f"file_log {glob_path(f'/log/{text}')}" in sources


@settings(max_examples=15)
@given(text=HOSTILE)
def test_objects_and_values_hold_the_same_configuration(text: str) -> None:
    """The chart's templates print what stands in them; an object holds the file's very text."""
    files = otelcol.files(hostile(text, "h"))
    wanted = files["agent-kubernetes.yaml"]
    values = yaml.safe_load(files["values.yaml"])["alternateConfig"]
    printed = json.dumps(values, ensure_ascii=False).replace("{{ `{{` }}", "\0")

    assert "{{" not in printed
    assert yaml.safe_load(wanted) == json.loads(printed.replace("\0", "{{"))
    (config,) = [
        each["data"]["config.yaml"]
        for each in yaml.safe_load_all(files["daemonset.yaml"])
        if each["kind"] == "ConfigMap"
    ]
    assert wanted == config


def test_the_play_is_for_the_hosts_of_components() -> None:
    """Each told by the name that the files know it by."""
    (play,) = yaml.safe_load(made()["play.yaml"])

    assert ["cargo-1.example", "tick-1.example", "tick-2.example"] == play["hosts"]
    lines = [
        task["ansible.builtin.lineinfile"] for task in play["tasks"] if "lineinfile" in str(task)
    ]
    assert ["HEADROOM_HOST={{ inventory_hostname }}"] == [line["line"] for line in lines]
