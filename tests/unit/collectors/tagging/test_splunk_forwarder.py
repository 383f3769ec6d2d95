"""Apps for the Splunk Universal Forwarder tag every event of every input."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings

from collectors.tagging import splunk_forwarder
from collectors.tagging.model import Convention, FileSource, JournalSource, Source, SyslogSource
from collectors.tagging.splunk_parts.conf import stanza, written
from slo.collecting import MASK
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.splunk_forwarder import fields, paths, stanzas
from tests.unit.collectors.tagging.hostile import HOSTILE, hostile

Golden = Callable[[str, str], None]

APP = "headroom_prod"


def made() -> Mapping[str, str]:
    """The files for both applications."""
    return splunk_forwarder.files(airline())


def test_the_apps_read_as_reviewed(golden: Golden) -> None:
    """Those for every host, for some hosts and for indexers, and the classes of hosts."""
    for name, text in made().items():
        golden(f"collectors/splunk-forwarder/{name}", text)


def test_every_tag_reaches_the_indexers_from_every_source() -> None:
    """Trace and span too, and the version wherever a line has fields."""
    plan = airline()
    ways = {(way.source, way.tags["index"]): way for way in paths(splunk_forwarder.files(plan))}
    for stream in plan.streams:
        index = f"{stream.app}_prod"
        for at, source in enumerate(stream.sources, 1):
            own = stream.identifier if at == 1 else f"{stream.identifier}__{at}"
            for name in _names(source, own):
                way = ways.pop((name, index))
                assert stream.tags(Convention.LABEL).items() <= way.tags.items()
                plain = source.format == "plain"
                assert {"trace", "span", *(() if plain else ("version",))} <= way.lifted
                assert "tcpout:headroom" == way.output
    assert {} == ways


def _names(source: Source, own: str) -> list[str]:
    match source:
        case FileSource():
            return [f"monitor://{source.path}"]
        case JournalSource():
            return [f"journald://{own}"]
        case SyslogSource():
            return [f"{transport}://127.0.0.1:5514 headroom_{own}" for transport in ("tcp", "udp")]
        case _:
            return []


def test_secrets_are_masked_on_the_forwarder_itself() -> None:
    """It parses locally, or expressions would only run where events are indexed."""
    plan = airline()
    props = stanzas(made()[f"{APP}/default/props.conf"])
    line = 'x password=abc {"api_key": "k, 1"} pg://u:p@h Bearer a/b'
    for settings_ in props.values():
        assert "true" == settings_["force_local_processing"]
        steps = [value for key, value in settings_.items() if key.startswith("SEDCMD-")]
        assert len(plan.secrets) <= len(steps)
        masked = line
        for step in steps:
            pattern, replacement = re.split(r"(?<!\\)/", step)[1:3]
            masked = re.sub(pattern.replace(r"\/", "/"), replacement, masked)
        assert f'x password={MASK} {{"api_key": "{MASK}"}} pg{MASK}h {MASK}' == masked


def test_a_record_begins_where_its_first_line_does() -> None:
    """For the forwarder that sends whole events, and for whoever parses them."""
    props = stanzas(made()[f"{APP}/default/props.conf"])["headroom:ticketing_worker"]
    text = "2026-11-21 one\n  at two\r\n2026-11-22 three"

    assert props["LINE_BREAKER"] == props["EVENT_BREAKER"]
    assert ["2026-11-21 one\n  at two", "\r\n", "2026-11-22 three"] == re.split(
        props["LINE_BREAKER"], text
    )


def test_nested_identifiers_are_found_and_others_are_not() -> None:
    """A record's own id of 32 digits is no trace."""
    transforms = stanzas(made()[f"{APP}/default/transforms.conf"])
    pattern = transforms["headroom_cargo_manifest_trace"]["REGEX"]
    digits = "0123456789abcdef" * 2

    for line in (f'{{"trace": {{"id": "{digits}"}}}}', f'{{"trace_id":"{digits}"}}'):
        found = re.search(pattern, line)
        assert found is not None
        assert digits == found[1]
    assert re.search(pattern, f'{{"id": "{digits}"}}') is None


@pytest.mark.parametrize(
    "line",
    [
        "<13>1 2026-11-21T10:00:00Z lb haproxy-ticketing 1 - - up",
        "<13>Nov 21 10:00:00 lb haproxy-ticketing[7]: up",
        "Nov  1 10:00:00 lb haproxy-ticketing: up",
    ],
)
def test_a_program_is_told_by_its_name_in_either_protocol(line: str) -> None:
    """And by the whole of it."""
    transforms = stanzas(made()[f"{APP}/default/transforms.conf"])
    pattern = transforms["headroom_ticketing_gateway_tags"]["REGEX"]

    assert re.search(pattern, line) is not None
    assert re.search(pattern, line.replace("haproxy-ticketing", "haproxy-ticketing-2")) is None
    assert re.search(pattern, line.replace("haproxy-ticketing", "other")) is None


def test_hosts_get_the_apps_of_their_own_components() -> None:
    """By the names that their files give, and by short ones that are nobody else's."""
    classes = stanzas(made()["serverclass.conf"])

    assert {"whitelist.0": "cargo-1.example", "whitelist.1": "cargo-1"} == (
        classes[f"serverClass:{APP}_cargo_manifest"]
    )
    for name in classes:
        _, _, rest = name.partition(":")
        app = rest.partition(":app:")[2]
        assert not app or f"{app}/default/app.conf" in made()


def test_a_value_that_the_syntax_cannot_hold_is_refused() -> None:
    """A backslash at its end would take the next line in."""
    for value in ("a\\", "a\nb", " a"):
        with pytest.raises(ValueError, match="cannot hold"):
            written([stanza("s", {"k": value})])


def test_what_is_not_collected_is_said() -> None:
    """Pods, OTLP, and paths whose signs mean something to Splunk."""
    plan = airline()
    (first, *_) = plan.streams
    odd = replace(first, sources=(FileSource(path="/x/$HOME/a[1].log"), FileSource(path="/x/y")))
    text = splunk_forwarder.files(replace(plan, streams=(odd,)))[f"{APP}/default/inputs.conf"]

    assert "Not collected here: /x/$HOME/a[1].log of cargo/api" in text
    assert ["monitor:///x/y"] == list(stanzas(text))
    assert "Not collected here: ticketing/api by OTLP" in made()[f"{APP}/default/inputs.conf"]


def test_without_sources_there_are_no_files() -> None:
    """An app that collects nothing would only look as if it did."""
    assert {} == splunk_forwarder.files(replace(airline(), streams=()))


@settings(max_examples=25)
@given(text=HOSTILE, host=HOSTILE)
def test_any_text_arrives_as_it_was_written(text: str, host: str) -> None:
    """Or is left out and named, where Splunk has no way to write it."""
    plan = hostile(text, host)
    (stream,) = plan.streams
    files = splunk_forwarder.files(plan)
    tags = stream.tags(Convention.LABEL)
    for way in paths(files):
        said = {key: value for key, value in tags.items() if "$" not in value}
        wanted = said if way.source.startswith(("tcp", "udp")) else tags
        assert wanted.items() <= way.tags.items()
    for text_ in files.values():
        stanzas(text_)


@settings(max_examples=50)
@given(value=HOSTILE)
def test_an_indexed_field_holds_any_text(value: str) -> None:
    """With spaces, quotes and backslashes."""
    (first, *_) = airline().streams
    stream = replace(first, values={**first.values, "team": value})
    plan = replace(airline(), streams=(replace(stream, sources=(FileSource(path="/x"),)),))
    (inputs,) = stanzas(splunk_forwarder.files(plan)[f"{APP}/default/inputs.conf"]).values()

    assert value == fields(inputs["_meta"])["team"]
