"""Files for syslog-ng carry every tag of every source to the destination."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.tagging import syslog_ng
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from collectors.tagging.syslog_daemons import by_labels
from collectors.tagging.syslog_ng_parts.text import pcre, quoted, template
from slo.collecting import MASK, Collecting, Destination, Secret
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.syslog_ng import blocks, literal, paths, text_of, tokens
from tests.unit.collectors.tagging.syslog_ways import (
    PRINTABLE,
    check_every_source,
    of_each_host,
    without_sources,
    worker_of,
)

Golden = Callable[[str, str], None]

HOSTILE = PRINTABLE | st.sampled_from(
    ["'", '"', "\\", "`PATH`", "`", "$HOME", "${HOST}", "$(env PATH)", "$$", "# no", '"); };']
)


def configurations(plan: Plan) -> list[str]:
    """The texts that syslog-ng reads, each host's with those that all have."""
    files = syslog_ng.files(plan)
    return [text for name, text in files.items() if name.endswith(".conf")]


@pytest.mark.parametrize("name", sorted(syslog_ng.files(airline())))
def test_files_read_as_reviewed(golden: Golden, name: str) -> None:
    """The golden files are what users deploy."""
    golden(f"collectors/syslog-ng/3.38/{name}", syslog_ng.files(airline())[name])


@pytest.mark.parametrize(
    ("destination", "shown"),
    [
        (Destination.ELASTICSEARCH, '"Authorization: ApiKey `ELASTICSEARCH_API_KEY`"'),
        (Destination.OPENSEARCH, 'user("`OPENSEARCH_USERNAME`") password("`OPENSEARCH_PASSWORD`")'),
        (Destination.LOKI, '"Authorization: Bearer `HEADROOM_TOKEN`"'),
    ],
)
def test_other_destinations_have_variables_of_their_own(
    destination: Destination, shown: str
) -> None:
    """Their endpoint and what they want to be shown."""
    files = syslog_ng.files(airline(Collecting(destination=destination)))

    assert shown in files["syslog-ng.conf"]


def test_the_version_is_the_workspaces() -> None:
    """From version 4 on numbers keep their type, which the file says of none before."""
    old = syslog_ng.files(airline())["syslog-ng.conf"]
    new = syslog_ng.files(airline(Collecting(versions={"syslog-ng": "4.8"})))["syslog-ng.conf"]

    assert "@version: 3.38\n" == old.partition("#")[0]
    assert "@version: 4.8\n" == new.partition("#")[0]
    assert ("as texts" in old, "as texts" in new) == (True, False)


def test_every_tag_reaches_the_destination_from_every_source() -> None:
    """And version, trace and span are lifted wherever a record can have them."""
    plan = airline()
    main, *hosts = configurations(plan)
    shared = paths(main)
    ways = [*shared, *(path for host in hosts for path in paths(main, host)[len(shared) :])]

    assert [] == check_every_source(plan, ways, keys, "`HEADROOM_ENDPOINT`/elastic/_bulk")


def keys(stream: Stream, source: Source) -> list[str]:
    """How the ways of a source begin."""
    match source:
        case FileSource():
            number = stream.of(FileSource).index(source) + 1
            return of_each_host(source, f"s_{stream.identifier}_file_{number} ")
        case SyslogSource():
            return [f"s_syslog ( ( $PROGRAM eq {source.program} )"]
        case JournalSource():
            return [f"s_journal ( ( ${{.headroom.unit}} eq {source.unit} )"]
        case PodSource() if not by_labels(source):
            return [f"s_pods ( ( ${{.ecs.kubernetes.namespace}} eq {source.namespace} )"]
        case _:
            return []


def test_what_is_not_collected_is_said() -> None:
    """Services' OTLP, pods that only labels tell apart, and that there is no dead letter."""
    text = syslog_ng.files(airline())["syslog-ng.conf"]

    assert "ticketing/api by OTLP" in text.split("\n\n")[0]
    assert "# Not collected here: cargo/api, whose pods only labels tell apart." in text
    assert "there is no dead letter" in text


@given(HOSTILE)
def test_texts_round_trip_through_the_lexer(text: str) -> None:
    """As strings, and as templates in which nothing is expanded."""
    (string,) = tokens(quoted(text))
    assert text == text_of(string)
    (made,) = tokens(template(text))
    assert text == literal(made)


@given(HOSTILE, HOSTILE, HOSTILE)
def test_hostile_values_arrive_as_they_are(team: str, host: str, program: str) -> None:
    """A team, a host and a program whose names have meanings in the language."""
    plan = worker_of(team, FileSource(path="/a*/b"), SyslogSource(program=program, hosts=(host,)))
    ways = paths(*configurations(plan))

    assert {team} == {each.tags["labels.team"] for each in ways}
    (found,) = [each.source for each in ways if each.source.startswith("s_syslog")]
    expected = [template(each)[1:-1] for each in (program, host)]
    (name, where) = (text_of(f'"{each}"') for each in expected)
    assert f"s_syslog ( ( $PROGRAM eq {name} ) and ( ( $HOST eq {where} ) ) )" == found


@given(st.sampled_from(["a'b", 'a"b', "a`b", "a$b|c", r"\$\{HOME\}", "a[$`'\"\\\\]b", "x{2}"]))
def test_patterns_hold_no_sign_that_a_template_would_take(pattern: str) -> None:
    """They stand within a template function, within a string."""
    assert not re.search(r"['\"`$]", pcre(pattern))


def test_secrets_are_out_before_the_queue_on_disk() -> None:
    """From messages and from every field, in every log path; what is left of them is pruned."""
    secret = Secret(name="own", pattern="k'[0-9]{4}\"")
    text = syslog_ng.files(airline(Collecting(redact=(secret,))))["syslog-ng.conf"]
    named = dict(blocks(text))
    message, fields = (
        "".join(named["rewrite", f"r_mask_{name}"]) for name in ("message", "fields")
    )

    assert r"k\\x27[0-9]{4}\\x22" in message
    assert r"k\\x27[0-9]{4}\\x22" in fields
    assert MASK in message
    assert "compaction(yes)" in text
    for words, body in blocks(text):
        if words == ("log",):
            assert "r_mask_message" in body or "r_mask_fields" in body


def test_no_sources_no_files() -> None:
    """An environment without lines to read has no configuration."""
    assert {} == syslog_ng.files(without_sources())
