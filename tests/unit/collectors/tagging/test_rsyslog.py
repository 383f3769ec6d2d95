"""Files for rsyslog carry every tag of every source to the destination."""

import json
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.tagging import rsyslog
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from collectors.tagging.rsyslog_parts.text import parameter, quoted
from collectors.tagging.syslog_daemons import by_labels, host_file
from slo.collecting import Collecting, Destination, Secret
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.rsyslog import items, paths, text_of, tokens
from tests.unit.collectors.tagging.syslog_ways import (
    PRINTABLE,
    check_every_source,
    of_each_host,
    without_sources,
    worker_of,
)

Golden = Callable[[str, str], None]

HOSTILE = PRINTABLE | st.sampled_from(
    ["'", '"', "\\", "\\'", "`PATH`", "$HOME", "%msg%", "a'b\"c\\d", "# no", "'); stop", "\\x41"]
)


def configurations(plan: Plan) -> list[str]:
    """The texts that rsyslog reads, those of all hosts together."""
    return [text for name, text in rsyslog.files(plan).items() if name.endswith(".conf")]


@pytest.mark.parametrize("name", sorted(rsyslog.files(airline())))
def test_files_read_as_reviewed(golden: Golden, name: str) -> None:
    """The golden files are what users deploy."""
    golden(f"collectors/rsyslog/8.2302/{name}", rsyslog.files(airline())[name])


@pytest.mark.parametrize("destination", [Destination.ELASTICSEARCH, Destination.OPENSEARCH])
def test_other_destinations_have_variables_of_their_own(destination: Destination) -> None:
    """Their endpoint without a path, their user and their password."""
    files = rsyslog.files(airline(Collecting(destination=destination)))
    name = destination.value.upper()

    assert "server=`echo $ELASTICSEARCH_ENDPOINT`" in files["rsyslog.conf"]
    assert f"uid=`echo ${name}_USERNAME` pwd=`echo ${name}_PASSWORD`" in files["rsyslog.conf"]
    assert "ELASTICSEARCH_ENDPOINT=http://127.0.0.1:9200\n" in files["headroom-rsyslog.env"]


def test_an_endpoint_gets_the_port_that_its_scheme_means() -> None:
    """Rsyslog would take 9200, and put it behind the path."""
    plan = airline(Collecting(endpoint="https://headroom.example"))
    text = rsyslog.files(plan)["headroom-rsyslog.env"]

    assert "HEADROOM_ENDPOINT=https://headroom.example:443\n" in text


def test_every_tag_reaches_the_destination_from_every_source() -> None:
    """And version, trace and span are lifted wherever a record can have them."""
    plan = airline()
    ways = paths(*configurations(plan))

    others = check_every_source(plan, ways, keys, "echo $HEADROOM_ENDPOINT/elastic")

    # What nobody owns has the names of a stream, and nothing else.
    assert ["unattributed"] * 2 == [each.tags["data_stream.dataset"] for each in others]
    assert all("labels.app" not in each.tags for each in others)


def keys(_: Stream, source: Source) -> list[str]:
    """How the ways of a source begin."""
    match source:
        case FileSource():
            return of_each_host(source, f"imfile {source.path}")
        case SyslogSource():
            return [f"{kind} $programname == {source.program}" for kind in ("imtcp", "imudp")]
        case JournalSource():
            return [f"imjournal $.unit == {source.unit}"]
        case PodSource() if not by_labels(source):
            return [f"imfile {source.path}"]
        case _:
            return []


def test_what_is_not_collected_is_said() -> None:
    """Services' OTLP, and pods that only labels tell apart."""
    text = rsyslog.files(airline())["rsyslog.conf"]

    assert "ticketing/api by OTLP" in text.split("\n\n")[0]
    assert "# Not collected here: cargo/api, whose pods only labels tell apart." in text


@given(HOSTILE)
def test_texts_round_trip_through_the_lexer(text: str) -> None:
    """As literals of expressions and as parameters."""
    for written in (quoted(text), parameter(text)):
        (token,) = tokens(written)
        assert text == text_of(token)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_hostile_values_arrive_as_they_are(team: str, host: str, name: str, program: str) -> None:
    """A team, a host, a file and a program whose names have meanings in the language."""
    path = f"/var/log/{name.replace('/', '_').replace('*', '_')}"
    plan = worker_of(
        team,
        FileSource(path=path, hosts=(host,)),
        FileSource(path=f"{path}/a"),
        SyslogSource(program=program, hosts=(host,)),
    )
    ways = paths(*configurations(plan))

    assert {team} == {each.tags["labels.team"] for each in ways if "labels.app" in each.tags}
    programs = [each.source for each in ways if each.source.startswith("imtcp $programname")]
    assert [f"imtcp $programname == {program} and $hostname == [ {host} ]"] == programs
    file = next(each for each in ways if each.source.endswith("/a"))
    assert f"imfile {path}/a" == re.sub(r"\[([?[])\]", r"\1", file.source).replace("\\\\", "\\")


@given(HOSTILE)
def test_names_of_hosts_are_names_of_files(host: str) -> None:
    """Without a folder in them, and different for different hosts."""
    assert re.fullmatch(r"[A-Za-z0-9._:-]+", host_file(host))
    assert host_file(host) != host_file(f"{host} ")


def test_secrets_are_looked_for_in_messages_and_in_fields() -> None:
    """Each pattern in the ruleset of its own; a record is written after all of them."""
    secret = Secret(name="own", pattern="k'[0-9]{4}\"")
    text = rsyslog.files(airline(Collecting(redact=(secret,))))["rsyslog.conf"]
    rulesets = {
        item.parameters["name"]: item.body for item in items(text) if item.kind == "ruleset"
    }
    patterns = [text_of(token) for token in rulesets["headroom_mask"] if token[0] == "'"]

    assert secret.pattern in patterns
    for name in ("headroom_finish", "headroom_field"):
        body = rulesets[name]
        assert ("call", "headroom_mask") in pairwise(body)
    assert not [name for name in rulesets if "mask" in name and "action" in rulesets[name]]


def test_no_sources_no_files() -> None:
    """An environment without lines to read has no configuration."""
    assert {} == rsyslog.files(without_sources())


def test_tags_are_one_object_of_json() -> None:
    """What a ruleset gives a record begins with a comma and is JSON else."""
    for path in paths(*configurations(airline())):
        assert path.tags == json.loads(json.dumps(path.tags))
