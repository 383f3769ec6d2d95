"""The programs that collectors run on every record, run by the engines that collectors have.

Vector's language by its own crate, the Ruby of Fluentd and Logstash by Ruby, the Lua of Fluent
Bit by LuaJIT. The collectors themselves are not here.
"""

import json
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml

from collectors.tagging import fluent_bit, fluentd, logstash, vector
from collectors.tagging.expressions import written
from collectors.tagging.fluent_bit_script import quoted as lua_text
from collectors.tagging.fluent_bit_script import tree
from collectors.tagging.model import FileSource, JournalSource, Plan, PodSource, SyslogSource
from collectors.tagging.ruby_record import quoted as ruby_text
from collectors.tagging.shipping import readings
from slo.collecting import MASK, SECRETS, Collecting, Destination
from tests.servers.grammars import run_vrl
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.vector import configuration
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

ELASTIC = {"destination": Destination.ELASTICSEARCH}
LINES = {
    "json": (JSON_LINE, check_json),
    "plain": (PLAIN_LINE, check_plain),
    "logfmt": (LOGFMT_LINE, check_logfmt),
}
READ = "2026-01-01T00:00:00Z"
_LUA_JSON = r"""
local shown
function shown(value)
  if type(value) == "string" then
    return '"' .. value:gsub('[%c"\\]', function(sign)
      return string.format("\\u%04x", sign:byte())
    end) .. '"'
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  if #value > 0 then
    for _, each in ipairs(value) do parts[#parts + 1] = shown(each) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, each in pairs(value) do parts[#parts + 1] = shown(key) .. ":" .. shown(each) end
  return "{" .. table.concat(parts, ",") .. "}"
end
"""

Document = dict[str, Any]


class Collector(Protocol):
    """A collector's program: a record of a source in, a document out, or none."""

    def __call__(self, plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        """Run the program on one record of the source of that name."""


def _ran(command: list[str | Path], given: str = "") -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    assert "" == done.stderr
    return done.stdout


@pytest.fixture
def in_vector(vrl_bin: Path, tmp_path: Path) -> Collector:
    """Vector: the program of the source, then the one for all, as one.

    So the second is compiled with all types that the first leaves, as Vector itself does.
    """

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document:
        files = vector.files(plan)
        kind = "-kubernetes" if "_pods_" in name else ""
        steps = configuration(files[f"vector{kind}.yaml"])["transforms"]
        program = tmp_path / "program.vrl"
        program.write_text(steps[f"{name}_tags"]["source"] + steps["records"]["source"] + shown)
        done = run_vrl(vrl_bin, program, [record])
        assert 0 == done.returncode, done.stderr
        found: Document = json.loads(done.stdout, strict=False)
        return found

    shown = '."@timestamp" = format_timestamp!(."@timestamp", "%Y-%m-%dT%H:%M:%S%.3fZ")\n'
    return run


@pytest.fixture
def in_fluentd(part: Callable[[str], Path], tmp_path: Path) -> Collector:
    """Fluentd: the function that the filter calls, with the tag of the source."""
    ruby = part("ruby-3.1") / "ruby"

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        kind = next(word for word in ("file", "pods", "journal", "syslog") if f"_{word}_" in name)
        tag = "headroom.syslog.user.info" if kind == "syslog" else f"headroom.{kind}.{name}"
        program = tmp_path / "program.rb"
        program.write_text(
            fluentd.files(plan)["plugin/headroom_record.rb"]
            + f"puts JSON.generate(Headroom.of_fluentd({ruby_text(tag)}, 1, "
            "JSON.parse($stdin.read)))\n"
        )
        found: Document | None = json.loads(
            _ran([ruby, "--disable-gems", "-w", program], json.dumps(record))
        )
        return found

    return run


@pytest.fixture
def in_logstash(part: Callable[[str], Path], tmp_path: Path) -> Collector:
    """Logstash: the function that its filter calls, with the fields of an event."""
    ruby = part("ruby-3.1") / "ruby"

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        source = "syslog" if "_syslog_" in name else name
        program = tmp_path / "program.rb"
        program.write_text(
            logstash.files(plan)["headroom.rb"]
            + f"puts JSON.generate(Headroom.of_logstash({ruby_text(source)}, "
            "JSON.parse($stdin.read)))\n"
        )
        found: Document | None = json.loads(
            _ran([ruby, "--disable-gems", "-w", program], json.dumps(record))
        )
        return found

    return run


@pytest.fixture
def in_fluent_bit(part: Callable[[str], Path], tmp_path: Path) -> Collector:
    """Fluent Bit: the function that the filter calls; the time that it gives as `@timestamp`."""
    luajit = part("luajit-2.1") / "luajit"

    def run(plan: Plan, name: str, record: Mapping[str, Any]) -> Document | None:
        tag = "headroom.syslog" if "_syslog_" in name else f"headroom.{name}"
        program = tmp_path / "program.lua"
        given = ", ".join(f"[{lua_text(key)}] = {_lua(value)}" for key, value in record.items())
        program.write_text(
            fluent_bit.files(plan)["headroom.lua"]
            + _LUA_JSON
            + f"local code, at, found = headroom({lua_text(tag)}, 1, {{{given}}})\n"
            "if code ~= -1 then found['@timestamp'] = at io.write(shown(found)) end\n"
        )
        text = _ran([luajit, program])
        return _timed(json.loads(text)) if text else None

    return run


def _lua(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"[{lua_text(key)}] = {_lua(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    return lua_text(str(value))


def _timed(document: Document) -> Document:
    seconds = datetime.fromtimestamp(document["@timestamp"], tz=UTC)
    return {**document, "@timestamp": seconds.isoformat(timespec="milliseconds")[:23] + "Z"}


RECORDS: Mapping[str, Callable[[str, str], Document]] = {
    "in_vector": lambda line, path: {"message": line, "file": path, "timestamp": READ},
    "in_fluentd": lambda line, path: {"message": line, "log.file.path": path},
    "in_logstash": lambda line, path: {
        "message": line,
        "log": {"file": {"path": path}},
        "@timestamp": READ,
    },
    "in_fluent_bit": lambda line, path: {"log": line, "log.file.path": path},
}
"""A line of a file as each collector's reader gives it."""

COLLECTORS = list(RECORDS)


@pytest.fixture
def collector(request: pytest.FixtureRequest, name: str) -> Collector:
    """A collector's program by the name of its fixture."""
    found: Collector = request.getfixturevalue(name)
    return found


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


@pytest.mark.parametrize("name", ["in_vector", "in_fluentd", "in_fluent_bit"])
def test_the_journal_s_priority_is_the_severity(collector: Collector, name: str) -> None:
    """Unless the message has one of its own."""
    plan, _ = plan_for(JournalSource(unit="a.service", format="plain"), **ELASTIC)
    (reading,) = readings(plan)
    record = {
        "PRIORITY": "4",
        "_HOSTNAME": "h",
        "_SYSTEMD_UNIT": "a.service",
        "MESSAGE": "late",
        "message": "late",
        "host": "h",
    }

    document = collector(plan, reading.name, record)

    assert document is not None
    assert "late" == document["message"]
    assert "warning" == at(document, "log.level")
    assert "h" == at(document, "host.hostname")
    assert "a.service" == at(document, "systemd.unit")


SYSLOG: Mapping[str, Callable[[str, str], Document]] = {
    "in_vector": lambda program, host: {
        "message": "m",
        "appname": program,
        "hostname": host,
        "severity": "err",
    },
    "in_fluentd": lambda program, host: {
        "message": "m",
        "ident": program,
        "host": host,
        "severity": "err",
    },
    "in_logstash": lambda program, host: {
        "message": "m",
        "process": {"name": program},
        "host": {"hostname": host},
        "log": {"syslog": {"severity": {"name": "err"}}},
        "@timestamp": READ,
    },
    "in_fluent_bit": lambda program, host: {
        "message": "m",
        "ident": program,
        "host": host,
        "pri": "11",
    },
}


@pytest.mark.parametrize("name", SYSLOG)
def test_a_message_of_a_program_has_its_owner(collector: Collector, name: str) -> None:
    """And the sender's name and severity."""
    plan, _ = plan_for(SyslogSource(program="proxy", format="plain"), **ELASTIC)
    (reading,) = readings(plan)

    document = collector(plan, reading.name, SYSLOG[name]("proxy", "h"))

    assert document is not None
    assert reading.tags == {key: at(document, key) for key in reading.tags}
    assert "h" == at(document, "host.hostname")
    assert str(at(document, "log.level")).startswith("err")


@pytest.mark.parametrize("name", ["in_fluentd", "in_logstash", "in_fluent_bit"])
def test_a_message_of_nobody_goes_to_a_stream_of_its_own(collector: Collector, name: str) -> None:
    """It keeps its text, without secrets."""
    plan, _ = plan_for(SyslogSource(program="proxy", format="plain"), **ELASTIC)
    (reading,) = readings(plan)
    record = {**SYSLOG[name]("other", "h"), "message": "Bearer abc"}

    document = collector(plan, reading.name, record)

    assert document is not None
    assert "unattributed" == at(document, "data_stream.dataset")
    assert MASK == document["message"]
    assert at(document, "labels.app") is None


PODS: Mapping[str, Callable[[str], Document]] = {
    "in_vector": lambda pod: {
        "message": JSON_LINE,
        "file": f"/var/log/pods/x_{pod}_0f/main/0.log",
        "timestamp": READ,
        "kubernetes": {
            "pod_namespace": "x",
            "pod_name": pod,
            "pod_uid": "0f",
            "container_name": "main",
        },
    },
    "in_fluentd": lambda pod: {
        "message": JSON_LINE,
        "log.file.path": f"/var/log/pods/x_{pod}_0f/main/0.log",
    },
    "in_fluent_bit": lambda pod: {
        "log": JSON_LINE,
        "log.file.path": f"/var/log/pods/x_{pod}_0f/main/0.log",
    },
}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_is_told_by_its_name(collector: Collector, name: str) -> None:
    """What two sources read is the narrower one's, and nobody has it twice."""
    narrow = PodSource(namespace="x", workload="api", pods="^api-[a-z0-9]+$", container="main")
    wide = PodSource(namespace="x")
    plan, stream = plan_for(narrow, **ELASTIC)
    plan = replace(plan, streams=(replace(stream, sources=(wide, narrow)),))
    first, second = readings(plan)
    assert narrow == first.source

    document = collector(plan, first.name, PODS[name]("api-7d9"))

    assert document is not None
    check_json(document, first.tags)
    assert "api-7d9" == at(document, "kubernetes.pod.name")
    assert "main" == at(document, "kubernetes.container.name")
    if name != "in_vector":
        assert collector(plan, second.name, PODS[name]("api-7d9")) is None
        assert collector(plan, second.name, PODS[name]("web-1")) is not None


@pytest.mark.parametrize("name", ["in_fluentd", "in_logstash", "in_fluent_bit"])
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


@pytest.mark.parametrize("destination", ["otlp", "elasticsearch"])
def test_every_program_of_vector_compiles(vrl_bin: Path, tmp_path: Path, destination: str) -> None:
    """Those of hosts and nodes, conditions included, by their own and with earlier types."""
    files = vector.files(airline(Collecting(destination=Destination(destination))))
    for file in ("vector.yaml", "vector-kubernetes.yaml"):
        steps = configuration(files[file])["transforms"]
        programs = [step["source"] for step in steps.values() if step["type"] == "remap"]
        # Vector compiles a program with all types that the ones before it leave.
        programs += [
            step["source"] + steps["records"]["source"]
            for name, step in steps.items()
            if name.endswith("_tags")
        ]
        programs += [
            route["condition"]["source"]
            for step in steps.values()
            for route in step.get("routes", [])
        ]
        programs += [
            step[key]["source"]
            for step in steps.values()
            for key in ("condition", "starts_when")
            if key in step
        ]
        for program in programs:
            (tmp_path / "program.vrl").write_text(program)
            done = run_vrl(vrl_bin, tmp_path / "program.vrl")
            assert 0 == done.returncode, f"{program}\n{done.stderr}"


def test_conditions_of_vector_choose_the_owner(vrl_bin: Path, tmp_path: Path) -> None:
    """Of a message by program and host, of a service by name and environment."""
    steps = configuration(vector.files(airline())["vector.yaml"])["transforms"]
    routes = {
        route["name"]: route["condition"]["source"]
        for step in steps.values()
        for route in step.get("routes", [])
    }
    mine = {"service.name": "ticketing-api", "service.namespace": "ticketing"}
    cases: list[tuple[str, Document, bool]] = [
        ("ticketing_gateway_syslog_1", {"appname": "haproxy-ticketing"}, True),
        ("ticketing_gateway_syslog_1", {"appname": "haproxy"}, False),
        ("ticketing_api_otlp", {"resources": mine}, True),
        ("ticketing_api_otlp", {"resources": {"service.name": "ticketing-api"}}, True),
        ("ticketing_api_otlp", {"resources": {**mine, "service.namespace": "cargo"}}, False),
        ("ticketing_api_otlp", {"resources": {**mine, "deployment.environment": "dev"}}, False),
    ]
    for name, event, expected in cases:
        program = tmp_path / "program.vrl"
        program.write_text(f"{steps['otlp_senders']['source']}.found = {routes[name]}\n")
        done = run_vrl(vrl_bin, program, [event])
        assert expected is json.loads(done.stdout)["found"], (name, event, done.stderr)


def test_what_a_program_fails_on_is_kept_without_secrets(vrl_bin: Path, tmp_path: Path) -> None:
    """With its reason, which Vector puts beside it."""
    steps = configuration(vector.files(airline())["vector.yaml"])["transforms"]
    program = tmp_path / "program.vrl"
    program.write_text(steps["rejected"]["source"])
    event = {"text": "Bearer abc", "metadata": {"dropped": {"message": "why"}}}

    found = json.loads(run_vrl(vrl_bin, program, [event]).stdout)

    assert "why" == found["reason"]
    assert "abc" not in found["message"]
    assert MASK in found["message"]


TEXTS = [
    "Bearer abc.def and password=hunter2 after",
    "4111 1111 1111 1111,5500-0000-0000-0004",
    "eyJhbGciOi.eyJzdWIi.sig-_x done",
    "postgres://joe:pw@db/x AKIAABCDEFGHIJKLMNOP",
    "-----BEGIN RSA PRIVATE KEY----- \u00e9\u4e16 secret: 'x y'",
    "nothing here \u20ac at all",
]


def test_the_matcher_in_lua_finds_what_an_engine_of_expressions_finds(
    part: Callable[[str], Path], tmp_path: Path
) -> None:
    """Each of the built-in secrets, in texts with and without it."""
    files = fluent_bit.files(airline())
    start = files["headroom.lua"].index("\nlocal byte, sub, find")
    stop = files["headroom.lua"].index("\nlocal secrets, in_text")
    patterns = [*(secret.pattern for secret in SECRETS), "^(a|ab)(c|bcd)*$", "(?:ab?){2,3}x", "é+."]
    calls, expected = [], []
    for pattern in patterns:
        for text in [*TEXTS, "abcd", "abbcdc", "ababax", "\u00e9\u00e9!"]:
            match = re.search(written(pattern, end=r"\Z"), text, re.ASCII)
            calls.append(
                f"local at, after = searcher({tree(pattern).text})({lua_text(text)}) "
                f"print(at or 0, after or 0)"
            )
            span = (0, 0) if match is None else _bytes(text, match.span())
            expected.append(f"{span[0]}\t{span[1]}")
    program = tmp_path / "program.lua"
    wrapped = "\n".join(f"do {call} end" for call in calls)
    program.write_text(f"{files['headroom.lua'][start:stop]}\n{wrapped}\n")

    assert expected == _ran([part("luajit-2.1") / "luajit", program]).splitlines()


def _bytes(text: str, span: tuple[int, int]) -> tuple[int, int]:
    return len(text[: span[0]].encode()) + 1, len(text[: span[1]].encode()) + 1


@pytest.mark.parametrize("name", ["plugin/headroom_record.rb", "plugin/filter_headroom.rb"])
def test_ruby_reads_the_files_of_fluentd(
    part: Callable[[str], Path], tmp_path: Path, name: str
) -> None:
    """As programs, without a warning."""
    (tmp_path / "file.rb").write_text(fluentd.files(airline())[name])

    text = _ran([part("ruby-3.1") / "ruby", "--disable-gems", "-wc", tmp_path / "file.rb"])

    assert "Syntax OK" in text


def test_configurations_are_yaml_for_objects_too() -> None:
    """What a DaemonSet mounts is what the file holds."""
    files = fluent_bit.files(airline())
    (data,) = [
        each["data"]
        for each in yaml.safe_load_all(files["daemonset.yaml"])
        if each["kind"] == "ConfigMap"
    ]

    assert files["headroom.lua"] == data["headroom.lua"]
    assert files["fluent-bit-kubernetes.yaml"] == data["fluent-bit.yaml"]
