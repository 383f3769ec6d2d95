"""Files for Fluent Bit carry every tag of every source to every output."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings

from collectors.tagging import fluent_bit
from collectors.tagging.fluent_bit_pipeline import value_of
from collectors.tagging.fluent_bit_script import tree
from collectors.tagging.model import Convention, JournalSource, SyslogSource
from collectors.tagging.shipping import Reading, readings, stream_name
from slo.collecting import Collecting, Destination
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.fluent_bit import (
    configuration,
    paths,
    translated,
    variables_of,
)
from tests.unit.collectors.tagging.graphs.programs import constants
from tests.unit.collectors.tagging.shipped import HOSTILE, hostile

Golden = Callable[[str, str], None]

CONFIGS = ("fluent-bit.yaml", "fluent-bit-kubernetes.yaml")


def made(**chosen: object) -> Mapping[str, str]:
    """The files for both applications."""
    return fluent_bit.files(airline(Collecting(**chosen)))  # type: ignore[arg-type] # as keywords


@pytest.mark.parametrize("version", ["5.1", "4.0"])
def test_files_read_as_reviewed(golden: Golden, version: str) -> None:
    """On both sides of the dead letters of 4.2."""
    files = made(versions={"fluent-bit": version})
    assert {*CONFIGS, "headroom.lua", "daemonset.yaml", "headroom.conf", "headroom.env"} == set(
        files
    )
    for name in files if version == "5.1" else CONFIGS[:1]:
        golden(f"collectors/fluent-bit/{version}/{name}", files[name])


@pytest.mark.parametrize("destination", [Destination.ELASTICSEARCH, Destination.OPENSEARCH])
def test_other_outputs_read_as_reviewed(golden: Golden, destination: Destination) -> None:
    """One for each data stream."""
    text = made(destination=destination)["fluent-bit.yaml"]
    golden(f"collectors/fluent-bit/5.1/fluent-bit-{destination}.yaml", text)


@pytest.mark.parametrize("destination", [Destination.OTLP, Destination.ELASTICSEARCH])
def test_every_tag_reaches_the_output_from_every_source(destination: Destination) -> None:
    """As a resource's attributes by OTLP, as fields of documents otherwise; each to its stream."""
    plan = airline(Collecting(destination=destination))
    files = fluent_bit.files(plan)
    ways = [path for name in CONFIGS for path in paths(files, name)]
    found = {reading.name: reading for reading in readings(plan)}
    expected = Counter(
        {name: 2 if isinstance(each.source, SyslogSource) else 1 for name, each in found.items()}
    )

    assert expected == Counter(way.source.split()[1] for way in ways)
    for way in ways:
        reading = found[way.source.split()[1]]
        assert tags(reading, destination).items() <= way.tags.items()
        assert {"trace", "span", "version"} == way.lifted
        if destination is Destination.ELASTICSEARCH:
            assert f"es {stream_name(reading.stream)}" == way.output
        else:
            assert "opentelemetry" == way.output


def tags(reading: Reading, destination: Destination) -> dict[str, str]:
    """What a record must carry; messages of syslog share an input, so their tags are fields."""
    if destination is Destination.OTLP and not isinstance(reading.source, SyslogSource):
        return reading.stream.tags(Convention.OTEL)
    return reading.tags


def test_secrets_are_out_before_the_buffer_on_disk() -> None:
    """Processors of an input run before its chunk is written, and each input has the program."""
    plan = airline()
    files = fluent_bit.files(plan)
    for secret in plan.secrets:
        assert tree(secret.pattern).text in files["headroom.lua"]
    for name in CONFIGS:
        config = configuration(files[name], variables_of(files))
        for each in config["pipeline"]["inputs"]:
            assert "filesystem" == each["storage.type"]
            assert "lua" in [step["name"] for step in each["processors"]["logs"]]


def test_what_was_refused_is_kept_where_the_version_can() -> None:
    """Older ones have no place for it, and give up after a day."""
    for version, kept in {"4.2": "on", "4.1": None}.items():
        files = made(versions={"fluent-bit": version})
        config = configuration(files["fluent-bit.yaml"], variables_of(files))
        assert kept == config["service"].get("storage.keep.rejected", None)
        assert [1440] == [each["retry_limit"] for each in config["pipeline"]["outputs"]]


def test_what_is_not_collected_is_said() -> None:
    """OTLP has no owner here, and pods are the node's."""
    text = made()["fluent-bit.yaml"]

    assert "# Not collected here: OTLP; let services send it to Headroom itself." in text
    assert "# Not collected here: cargo/api by pods, ticketing/api by pods." in text
    assert {} == fluent_bit.files(replace(airline(), streams=()))


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Through YAML, Fluent Bit's variables and Lua's literals."""
    plan = hostile(text, host)
    (stream,) = plan.streams
    files = fluent_bit.files(plan)
    config = configuration(files["fluent-bit.yaml"], variables_of(files))
    sources = constants(files["headroom.lua"], lua=True)["SOURCES"]

    plain = {each.name for each in readings(plan) if not isinstance(each.source, JournalSource)}
    assert plain == set(sources) - {f"{stream.identifier}_journal_1"}
    assert text in [each.get("program") for each in sources.values()]
    for each in config["pipeline"]["inputs"]:
        if each["name"] == "tail":
            resource = {
                step["key"]: step["value"]
                for step in each["processors"]["logs"]
                if step["name"] == "content_modifier"
            }
            assert stream.tags(Convention.OTEL).items() <= resource.items()


@given(text=HOSTILE)
def test_a_value_has_no_variable_of_the_user_s(text: str) -> None:
    """However old the version's search for a variable's end is."""
    variables = {"HEADROOM_DOLLAR": "$", "HEADROOM_CLOSE": "}"}

    assert text == translated(value_of(text), variables)
