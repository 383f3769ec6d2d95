"""What the programs of Vector, Fluentd, Logstash and Fluent Bit make of a line of a file."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.tagging.model import FileSource
from collectors.tagging.shipping import readings
from slo.collecting import Collecting, Destination
from tests.servers.parts import Part
from tests.servers.programs import ELASTIC, RECORDS, Collector, program_of
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.shipped import (
    JSON_LINE,
    LOGFMT_LINE,
    PLAIN_LINE,
    at,
    check_json,
    check_logfmt,
    check_plain,
    hostile,
    plan_for,
)

LINES = {
    "json": (JSON_LINE, check_json),
    "plain": (PLAIN_LINE, check_plain),
    "logfmt": (LOGFMT_LINE, check_logfmt),
}
COLLECTORS = list(RECORDS)


@pytest.fixture
def collector(name: str, part: Part, tmp_path: Path) -> Collector:
    """The program of the collector of that name."""
    return program_of(name, part, tmp_path)


@pytest.mark.parametrize("name", COLLECTORS)
@pytest.mark.parametrize("form", LINES)
def test_a_line_of_a_file_becomes_a_document_of_its_owner(
    collector: Collector, name: str, form: str
) -> None:
    """Whatever the line claims; secrets are out wherever they stood."""
    line, check = LINES[form]
    time = "when" if form == "logfmt" else None
    plan, _ = plan_for(FileSource(path="/x/a.log", format=form, time=time), **ELASTIC)
    (reading,) = readings(plan)

    document = collector(plan, reading.name, RECORDS[name](line, "/x/a.log"))

    assert document is not None
    check(document, reading.tags)
    assert "/x/a.log" == at(document, "log.file.path")


@pytest.mark.parametrize("name", COLLECTORS)
@pytest.mark.parametrize(
    "line", ["", "{", '{"a":', "[1, 2]", "null", '{"trace_id": 5}', "\x1b[31mred", '{"level": {}}']
)
def test_a_line_that_says_nothing_stays_a_line(collector: Collector, name: str, line: str) -> None:
    """It still has its owner, and its text as it was."""
    plan, _ = plan_for(FileSource(path="/x/a.log"), **ELASTIC)
    (reading,) = readings(plan)

    document = collector(plan, reading.name, RECORDS[name](line, "/x/a.log"))

    assert document is not None
    assert line == document["message"]
    assert reading.tags == {key: at(document, key) for key in reading.tags}
    assert at(document, "trace.id") is None


@pytest.mark.parametrize("name", COLLECTORS)
@pytest.mark.parametrize("text", ["${HOME}", "a'b\"c\\d", "#{1}%{x}{{ y }}", "x}${HOME}\\'", "é]]"])
def test_hostile_texts_are_read_as_they_were_written(
    collector: Collector, name: str, text: str
) -> None:
    """In tags, in the names of fields and of hosts, and in paths."""
    plan = hostile(text, text)
    (stream,) = plan.streams
    source = FileSource(path=f"/x/{text}.log", trace_id=text, hosts=(text,))
    settings = Collecting(destination=Destination.ELASTICSEARCH)
    plan = replace(plan, settings=settings, streams=(replace(stream, sources=(source,)),))
    (reading,) = readings(plan)
    line = json.dumps({text: "4bf92f3577b34da6a3ce929d0e0e4736", "msg": "ok"})

    document = collector(plan, reading.name, RECORDS[name](line, source.path))

    assert document is not None
    assert reading.tags == {key: at(document, key) for key in reading.tags}
    assert "4bf92f3577b34da6a3ce929d0e0e4736" == at(document, "trace.id")


@pytest.mark.parametrize("name", ["fluentd", "logstash", "fluent_bit"])
def test_a_path_that_two_claim_is_nobody_s_where_the_host_is_unknown(
    collector: Collector, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the named host's where it is known."""
    monkeypatch.delenv("HEADROOM_HOST", raising=False)
    plan = airline(Collecting(destination=Destination.ELASTICSEARCH))
    record = RECORDS[name](JSON_LINE, "/var/log/ticketing/worker.log")

    assert collector(plan, "cargo_manifest_file_1", record) is None
    monkeypatch.setenv("HEADROOM_HOST", "cargo-1")
    assert collector(plan, "cargo_manifest_file_1", record) is not None
    assert collector(plan, "ticketing_worker_file_1", record) is None
