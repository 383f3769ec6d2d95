"""The pipeline of Fluent Bit: inputs that tag what they read, parsers, and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from collectors.tagging.expressions import written
from collectors.tagging.fluent_bit_script import OWNER, SCRIPT
from collectors.tagging.model import (
    Convention,
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    Stream,
    SyslogSource,
)
from collectors.tagging.shipping import (
    HOST,
    PACKED,
    UNATTRIBUTED,
    Reading,
    is_elastic,
    of_kind,
    stream_name,
)
from slo.collecting import Destination

FOLDER = "/etc/fluent-bit"
STATE = "/var/lib/headroom-fluent-bit"
_TRIES = 1440
_SYSLOG = {
    "rfc5424": (
        (
            r"^<(?<pri>[0-9]{1,5})>1 (?<time>[^ ]+) (?<host>[^ ]+) (?<ident>[^ ]+) (?<pid>[^ ]+) "
            r"(?<msgid>[^ ]+) (?<extradata>(\[(.*?)\]|-))( (?<message>.*))?$"
        ),
        "%Y-%m-%dT%H:%M:%S.%L%z",
    ),
    "rfc3164": (
        (
            r"^<(?<pri>[0-9]+)>(?<time>[^ ]* {1,2}[^ ]* [^ ]*) (?<host>[^ ]*) "
            r"(?<ident>[^\[: ]*)(?:\[(?<pid>[0-9]+)\])?(?:[^:]*:)? *(?<message>.*)$"
        ),
        "%b %d %H:%M:%S",
    ),
}
_CRI = r"^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<log>.*)$"
_IN_GLOB = {"?": "[?]", "[": "[[]", "$": "[$]", ",": "?", "\\": "?"}

Part = dict[str, Any]


def glob(path: str) -> str:
    """A path whose only special sign is ``*``: a comma would end it, ``${`` begin a variable."""
    return "".join(_IN_GLOB.get(char, char) for char in path)


def sections(plan: Plan, found: Sequence[Reading]) -> Part:
    """The sections of a configuration besides that of the service."""
    lines = [
        parser for each in found if each.source.multiline is not None for parser in _lines(each)
    ]
    parsers: list[Part] = [
        {"name": "headroom_cri", "format": "regex", "regex": _CRI}
        | {"time_key": "time", "time_format": "%Y-%m-%dT%H:%M:%S.%L%z"}
    ]
    if of_kind(found, SyslogSource):
        parsers += [
            {"name": f"headroom_syslog_{name}", "format": "regex", "regex": regex}
            | {"time_key": "time", "time_format": form}
            for name, (regex, form) in _SYSLOG.items()
        ]
    return {
        "parsers": parsers,
        **({"multiline_parsers": lines} if lines else {}),
        "pipeline": {
            "inputs": list(_inputs(plan, found)),
            **_filters(plan, found),
            "outputs": list(_outputs(plan, found)),
        },
    }


def _inputs(plan: Plan, found: Sequence[Reading]) -> Iterator[Part]:
    for reading in found:
        if isinstance(reading.source, FileSource):
            yield _tail(plan, reading, glob(reading.source.path), {})
        elif isinstance(reading.source, PodSource):
            yield _pod(plan, reading, reading.source)
        elif isinstance(reading.source, JournalSource):
            yield _journal(plan, reading, reading.source)
    if of_kind(found, SyslogSource):
        for mode in ("tcp", "udp"):
            yield {
                "name": "syslog",
                "alias": f"syslog_{mode}",
                "tag": "headroom.syslog",
                "mode": mode,
                "listen": "${HEADROOM_SYSLOG_BIND}",
                "port": "${HEADROOM_SYSLOG_PORT}",
                "parser": "headroom_syslog_${HEADROOM_SYSLOG_PROTOCOL}",
                "storage.type": "filesystem",
                "processors": {"logs": [_program(), *([] if is_elastic(plan) else _envelope({}))]},
            }


def _tail(plan: Plan, reading: Reading, path: str, more: Part) -> Part:
    joined = {} if reading.source.multiline is None else {"multiline.parser": reading.name}
    before = more.pop("processors", [])
    return {
        "name": "tail",
        "alias": reading.name,
        "tag": f"headroom.{reading.name}",
        "path": path,
        "exclude_path": ",".join(f"*.{ending}" for ending in PACKED),
        "path_key": "log.file.path",
        "key": "log",
        # Files are told by their inodes, so that a file's next name is not read again.
        "db": f"{STATE}/{reading.name}.db",
        "read_from_head": "on",
        "rotate_wait": 30,
        "refresh_interval": 5,
        "buffer_max_size": "1M",
        "skip_long_lines": "on",
        "storage.type": "filesystem",
        **joined,
        **more,
        "processors": {"logs": [*before, *_steps(plan, reading.stream)]},
    }


def _pod(plan: Plan, reading: Reading, source: PodSource) -> Part:
    joined = {} if source.multiline is not None else {"multiline.parser": "docker, cri"}
    if source.pods is not None or not source.labels:
        return _tail(plan, reading, glob(source.path), joined)
    names = f"*_{source.namespace}_{source.container or '*'}-*.log"
    metadata = {
        "name": "kubernetes",
        "kube_tag_prefix": f"headroom.{reading.name}.var.log.containers.",
        "merge_log": "off",
        "labels": "on",
        "annotations": "off",
        "use_kubelet": "on",
    }
    more = {**joined, "tag": f"headroom.{reading.name}.*", "processors": [metadata]}
    return _tail(plan, reading, glob(f"/var/log/containers/{names}"), more)


def _journal(plan: Plan, reading: Reading, source: JournalSource) -> Part:
    unit = source.unit if "." in source.unit else f"{source.unit}.service"
    return {
        "name": "systemd",
        "alias": reading.name,
        "tag": f"headroom.{reading.name}",
        "systemd_filter": f"_SYSTEMD_UNIT={unit}",
        "db": f"{STATE}/{reading.name}.db",
        "read_from_tail": "off",
        "strip_underscores": "off",
        "storage.type": "filesystem",
        "processors": {"logs": _steps(plan, reading.stream)},
    }


def _program() -> Part:
    return {"name": "lua", "script": f"{FOLDER}/{SCRIPT}", "call": "headroom"}


def _steps(plan: Plan, stream: Stream) -> list[Part]:
    if is_elastic(plan):
        return [_program()]
    tags = {
        **stream.tags(Convention.OTEL),
        "data_stream.dataset": stream.dataset,
        "data_stream.namespace": stream.namespace,
    }
    return [_program(), *_envelope(tags)]


def _envelope(tags: Mapping[str, str]) -> list[Part]:
    return [
        {"name": "opentelemetry_envelope"},
        *(
            {
                "name": "content_modifier",
                "context": "otel_resource_attributes",
                "action": "upsert",
                "key": key,
                "value": value_of(value),
            }
            for key, value in tags.items()
        ),
        *_sender(),
    ]


def _sender() -> list[Part]:
    attribute = {"context": "otel_resource_attributes", "action": "upsert", "key": "host.name"}
    return [{"name": "content_modifier", **attribute, "value": f"${{{HOST}}}"}]


def value_of(text: str) -> str:
    """A text in which no variable begins; two variables hold the signs that would begin one."""
    if "${" not in text:
        return text
    # Some versions look for the end of a variable from the text's beginning.
    return (
        "${".join(part.replace("}", "\0") for part in text.split("${"))
        .replace("${", "${HEADROOM_DOLLAR}{")
        .replace("\0", "${HEADROOM_CLOSE}")
    )


def _lines(reading: Reading) -> Iterator[Part]:
    """The parser that joins lines: whatever begins no record goes on with the last."""
    pattern = written(reading.source.multiline or "")
    rest = f"^(?!.*?(?:{pattern}))"
    container = {"parser": "headroom_cri", "key_content": "log"}
    yield {
        "name": reading.name,
        "type": "regex",
        "flush_timeout": 2000,
        **(container if isinstance(reading.source, PodSource) else {}),
        "rules": [
            {"state": "start_state", "regex": f"/{_slashed(pattern)}/", "next_state": "rest"},
            {"state": "rest", "regex": f"/{_slashed(rest)}/", "next_state": "rest"},
        ],
    }


def _slashed(pattern: str) -> str:
    return pattern.replace("/", "\\x2F")


def _filters(plan: Plan, found: Sequence[Reading]) -> Part:
    """Syslog has one input for all programs, so its messages are told apart after it."""
    if not is_elastic(plan) or not of_kind(found, SyslogSource):
        return {}
    rule = f"${OWNER} ^(.+)$ headroom.${OWNER} false"
    rewrite = {"name": "rewrite_tag", "match": "headroom.syslog", "rule": rule}
    more = {"emitter_name": "headroom_syslog", "emitter_storage.type": "filesystem"}
    return {"filters": [rewrite | more]}


def _outputs(plan: Plan, found: Sequence[Reading]) -> Iterator[Part]:
    if not is_elastic(plan):
        yield _otlp()
        return
    members: dict[str, list[str]] = {}
    for reading in found:
        members.setdefault(stream_name(reading.stream), []).append(reading.name)
    if of_kind(found, SyslogSource):
        members[f"logs-{UNATTRIBUTED}-{plan.streams[0].namespace}"] = ["nobody"]
    for number, (stream, names) in enumerate(members.items(), 1):
        yield _elastic(plan, stream, names, number)


def _otlp() -> Part:
    return {
        "name": "opentelemetry",
        "alias": "headroom",
        "match": "headroom.*",
        **_connection("HEADROOM"),
        "header": "Authorization Bearer ${HEADROOM_TOKEN}",
        "compress": "gzip",
        "logs_uri": "${HEADROOM_PATH}/v1/logs",
        "logs_body_key": "$message",
        "logs_body_key_attributes": "true",
        "logs_trace_id_message_key": "$trace_id",
        "logs_span_id_message_key": "$span_id",
        "logs_severity_text_message_key": "$severity_text",
        **_limits(),
    }


def _elastic(plan: Plan, stream: str, names: Sequence[str], number: int) -> Part:
    opensearch = plan.settings.destination is Destination.OPENSEARCH
    key = {
        "http_user": "${OPENSEARCH_USERNAME}",
        "http_passwd": "${OPENSEARCH_PASSWORD}",
    }
    return {
        "name": "opensearch" if opensearch else "es",
        "alias": f"documents_{number}",
        "match_regex": f"^headroom\\.(?:{'|'.join(names)})(?:\\.|$)",
        **_connection("ELASTICSEARCH"),
        "path": "${ELASTICSEARCH_PATH}",
        **(key if opensearch else {"http_api_key": "${ELASTICSEARCH_API_KEY}"}),
        "index": stream,
        "write_operation": "create",
        "suppress_type_name": "on",
        "time_key": "@timestamp",
        "time_key_nanos": "on",
        "replace_dots": "off",
        "trace_error": "off",
        "compress": "gzip",
        **_limits(),
    }


def _connection(name: str) -> Part:
    return {
        "host": f"${{{name}_ENDPOINT_HOST}}",
        "port": f"${{{name}_ENDPOINT_PORT}}",
        "tls": f"${{{name}_ENDPOINT_TLS}}",
    }


def _limits() -> Part:
    # A day of tries; what a destination refuses must not be tried for ever.
    return {"retry_limit": _TRIES, "storage.total_limit_size": "1G"}
