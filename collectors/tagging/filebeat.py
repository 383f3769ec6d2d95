"""Filebeat: one configuration for hosts and one for Kubernetes nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collectors.tagging.expressions import written
from collectors.tagging.filebeat_script import SCRIPT, script
from collectors.tagging.header import header
from collectors.tagging.machines import Node, daemonset, drop_in, environment
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    SyslogSource,
)
from collectors.tagging.shipping import (
    HOST,
    PACKED,
    UNATTRIBUTED,
    Reading,
    destination_notes,
    endpoint,
    is_elastic,
    left_out,
    of_kind,
    path_of_intake,
    readings,
)
from collectors.tagging.texts import comment, yaml_text

NAME = "Filebeat"
VERSION = "9.5"
"""The version that files are for unless the workspace names another."""

_FOLDER = "/etc/filebeat"
_PLAIN_UNIT = re.compile(r"[A-Za-z0-9:_.@-]+")
_LISTEN = "127.0.0.1:5514"
_MIB = 1 << 20

Input = dict[str, Any]
_NOT_ON_NODES: Mapping[type[Source], str] = {
    FileSource: "file",
    JournalSource: "journald",
    SyslogSource: "syslog",
    OtlpSource: "OTLP",
}
Version = tuple[int, ...]


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/filebeat.md for what each is for."""
    if not plan.streams:
        return {}
    found = readings(plan)
    version = plan.version("filebeat", VERSION)
    common = (
        f"Names of settings are those of version {'.'.join(map(str, version))}.",
        *destination_notes(plan, NAME),
    )
    inputs, notes = _on_host(plan, found, version)
    away = left_out(plan, {PodSource: "pods", OtlpSource: "OTLP"})
    about = header(plan, NAME, "For hosts.", *common, *away, *notes)
    name, default = endpoint(plan)
    made = {
        "filebeat.yml": yaml_text(_config(plan, inputs, version), about),
        SCRIPT: comment(header(plan, NAME), "//") + script(plan, found),
        "headroom.conf": drop_in(
            header(plan, NAME, "For /etc/systemd/system/filebeat.service.d/."),
            f"{_FOLDER}/headroom.env",
            [f"Environment={HOST}=%H"],
        ),
        "headroom.env": environment(
            header(plan, NAME),
            {name: default, _credential(plan): "none", "HEADROOM_SYSLOG_LISTEN": _LISTEN},
        ),
    }
    pods = of_kind(found, PodSource)
    if not pods:
        return made
    away = left_out(plan, _NOT_ON_NODES)
    about = header(plan, NAME, "For Kubernetes nodes.", *common, *away)
    on_node = [_pods(plan, reading, version) for reading in pods]
    text = yaml_text(_config(plan, on_node, version), about)
    return made | {
        "filebeat-kubernetes.yml": text,
        "daemonset.yaml": _daemonset(plan, {"filebeat.yml": text, SCRIPT: made[SCRIPT]}, about),
    }


def _credential(plan: Plan) -> str:
    return "ELASTICSEARCH_API_KEY" if is_elastic(plan) else "HEADROOM_TOKEN"


def variable(name: str, default: str) -> str:
    """A place that Filebeat fills from its environment."""
    return f"${{{name}:{default}}}"


def glob(path: str) -> str:
    """A path whose only special sign is ``*`` as a pattern of files without a variable in it."""
    escaped = "".join(
        f"[{char}]" if char in "?$" else f"\\{char}" if char in "[]\\" else char for char in path
    )
    # Filebeat takes `{a,b}` for neither; `%{` and `${` alone would begin something.
    return escaped.replace("%{", "[%]{")


def _on_host(
    plan: Plan, found: Sequence[Reading], version: Version
) -> tuple[list[Input], tuple[str, ...]]:
    inputs = [_file(plan, reading, version) for reading in of_kind(found, FileSource)]
    notes = []
    for reading in of_kind(found, JournalSource):
        unit = reading.source.unit if isinstance(reading.source, JournalSource) else ""
        if _PLAIN_UNIT.fullmatch(unit):
            inputs.append(_journal(plan, reading, unit, version))
        else:
            notes.append(f"Not collected here: the unit {unit}, whose name is a pattern.")
    if of_kind(found, SyslogSource):
        inputs.extend(_syslog(version))
    return inputs, tuple(notes)


def _read(plan: Plan, reading: Reading, path: str, version: Version) -> Input:
    scanner: Input = {"exclude_files": [f"[.]{ending}$" for ending in PACKED]}
    identity: Input = {}
    if version >= (8, 10):
        # The first kilobyte tells a file from another, whatever a rotation calls it.
        scanner["fingerprint"] = {"enabled": True, "offset": 0, "length": 1024}
        identity = {"file_identity.fingerprint": None}
    return {
        "type": "filestream",
        # A file is read again from its beginning when this changes.
        "id": f"headroom-{reading.name}-{plan.env}",
        "paths": [glob(path)],
        "prospector.scanner": scanner,
        **identity,
        "message_max_bytes": _MIB,
    }


def _file(plan: Plan, reading: Reading, version: Version) -> Input:
    source = reading.source
    assert isinstance(source, FileSource)
    parsers = _joined(reading)
    return {
        **_read(plan, reading, source.path, version),
        **({"parsers": parsers} if parsers else {}),
        "processors": [_program(reading.name)],
    }


def _joined(reading: Reading) -> list[Input]:
    if reading.source.multiline is None:
        return []
    pattern = {
        "type": "pattern",
        "pattern": written(reading.source.multiline),
        "negate": True,
        "match": "after",
        "max_lines": 1000,
        "timeout": "2s",
    }
    return [{"multiline": pattern}]


def _program(name: str) -> Input:
    params = {"source": name, "host": variable(HOST, "")}
    return {
        "script": {
            "lang": "javascript",
            "file": f"{variable('HEADROOM_SCRIPTS', _FOLDER)}/{SCRIPT}",
            "params": params,
            "tag_on_exception": "_headroom_unread",
        }
    }


def _journal(plan: Plan, reading: Reading, unit: str, version: Version) -> Input:
    full = unit if "." in unit else f"{unit}.service"
    match = f"_SYSTEMD_UNIT={full}"
    chosen: Input = (
        {"units": [full]}
        if version >= (8, 3)
        else {"include_matches.match": [match]}
        if version >= (8,)
        else {"include_matches": [match]}
    )
    return {
        "type": "journald",
        "id": f"headroom-{reading.name}-{plan.env}",
        **chosen,
        "seek": "head" if version >= (8,) else "cursor",
        "processors": [_program(reading.name)],
    }


def _syslog(version: Version) -> Iterator[Input]:
    listen = {"host": variable("HEADROOM_SYSLOG_LISTEN", _LISTEN), "max_message_size": "1MiB"}
    for protocol in ("tcp", "udp"):
        if version >= (8, 4):
            parse = {"syslog": {"field": "message", "format": "auto", "add_error_key": False}}
            yield {
                "type": protocol,
                "id": f"headroom-syslog-{protocol}",
                **listen,
                "processors": [parse, _program("syslog")],
            }
        else:
            yield {
                "type": "syslog",
                "format": "auto",
                f"protocol.{protocol}": listen,
                "processors": [_program("syslog")],
            }


def _pods(plan: Plan, reading: Reading, version: Version) -> Input:
    source = reading.source
    assert isinstance(source, PodSource)
    found = _read(plan, reading, source.path, version)
    found["prospector.scanner"] = {**found["prospector.scanner"], "symlinks": True}
    steps: list[Input] = []
    if source.labels and source.pods is None:
        matcher = {"logs_path": {"logs_path": "/var/log/pods/", "resource_type": "pod"}}
        steps.append(
            {
                "add_kubernetes_metadata": {
                    "host": variable("NODE_NAME", "localhost"),
                    "matchers": [matcher],
                    "default_matchers.enabled": False,
                    "labels.dedot": True,
                    "annotations.dedot": True,
                }
            }
        )
    return {
        **found,
        "parsers": [{"container": {"stream": "all", "format": "auto"}}, *_joined(reading)],
        "processors": [*steps, _program(reading.name)],
    }


def _config(plan: Plan, inputs: Sequence[Input], version: Version) -> Mapping[str, Any]:
    name, default = endpoint(plan)
    key = variable(_credential(plan), "none")
    stream = "%{[data_stream.type]}-%{[data_stream.dataset]}-%{[data_stream.namespace]}"
    rejected = f"logs-{UNATTRIBUTED}.rejected-{plan.streams[0].namespace}"
    return {
        "filebeat.inputs": list(inputs),
        "queue.disk": {"max_size": "1GB"},
        "setup.template.enabled": False,
        "setup.ilm.enabled": False,
        "output.elasticsearch": {
            "hosts": [variable(name, default) + path_of_intake(plan)],
            "headers": {
                "Authorization": f"ApiKey {key}" if is_elastic(plan) else f"Bearer {key}",
            },
            "index": stream,
            "compression_level": 3,
            "max_retries": -1,
            "backoff.init": "1s",
            "backoff.max": "60s",
            **({"allow_older_versions": True} if version >= (8,) else {}),
            "non_indexable_policy.dead_letter_index": {"index": rejected},
        },
    }


def _daemonset(plan: Plan, texts: Mapping[str, str], about: Sequence[str]) -> str:
    name, default = endpoint(plan)
    version = (*plan.version("filebeat", VERSION), 0, 0)[:3]
    node = Node(
        name="headroom-filebeat",
        image=f"docker.elastic.co/beats/filebeat:{'.'.join(map(str, version))}",
        args=["-e", "--strict.perms=false", "-c", f"{_FOLDER}/filebeat.yml"],
        files=texts,
        mount=_FOLDER,
        state="/usr/share/filebeat/data",
        environment={name: default},
        secrets=[_credential(plan)],
    )
    return daemonset(about, plan.env, node)
