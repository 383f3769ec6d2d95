"""What collectors' programs make of the journal, of syslog and of pods."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.tagging.model import JournalSource, PodSource, SyslogSource
from collectors.tagging.shipping import readings
from slo.collecting import MASK
from tests.servers.parts import Part
from tests.servers.programs import ELASTIC, READ, Collector, Document, program_of
from tests.unit.collectors.tagging.shipped import JSON_LINE, at, check_json, plan_for


@pytest.fixture
def collector(name: str, part: Part, tmp_path: Path) -> Collector:
    """The program of the collector of that name."""
    return program_of(name, part, tmp_path)


@pytest.mark.parametrize("name", ["vector", "fluentd", "fluent_bit"])
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
    "vector": lambda program, host: {
        "message": "m",
        "appname": program,
        "hostname": host,
        "severity": "err",
    },
    "fluentd": lambda program, host: {
        "message": "m",
        "ident": program,
        "host": host,
        "severity": "err",
    },
    "logstash": lambda program, host: {
        "message": "m",
        "process": {"name": program},
        "host": {"hostname": host},
        "log": {"syslog": {"severity": {"name": "err"}}},
        "@timestamp": READ,
    },
    "fluent_bit": lambda program, host: {
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


@pytest.mark.parametrize("name", ["fluentd", "logstash", "fluent_bit"])
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
    "vector": lambda pod: {
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
    "fluentd": lambda pod: {
        "message": JSON_LINE,
        "log.file.path": f"/var/log/pods/x_{pod}_0f/main/0.log",
    },
    "fluent_bit": lambda pod: {
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
    if name != "vector":
        assert collector(plan, second.name, PODS[name]("api-7d9")) is None
        assert collector(plan, second.name, PODS[name]("web-1")) is not None
