"""Directives of Fluentd: sources, the way of records, and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collectors.tagging.expressions import written
from collectors.tagging.model import FileSource, JournalSource, Plan, PodSource, SyslogSource
from collectors.tagging.shipping import (
    PACKED,
    Reading,
    endpoint,
    is_elastic,
    of_kind,
    path_of_intake,
)
from collectors.tagging.tables import kind
from slo.records import dataclass

STATE = "/var/lib/headroom-fluentd"
_CRI = r"/^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]+) (?<message>.*)$/"
_DELIMITERS = ",|;:!~^&"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A directive with what stands in it; a value is written as it is."""

    name: str
    argument: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    sections: tuple[Section, ...] = ()

    def lines(self, depth: int = 0) -> Iterator[str]:
        """The directive as lines of a configuration."""
        start = "  " * depth
        yield f"{start}<{f'{self.name} {self.argument}'.rstrip()}>"
        for key, value in self.parameters:
            yield f"{start}  {key} {value}"
        for each in self.sections:
            yield from each.lines(depth + 1)
        yield f"{start}</{self.name}>"


def quoted(text: str) -> str:
    """A text as a literal in which Fluentd expands nothing, ``#{...}`` included."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def variable(name: str, default: str, after: str = "") -> str:
    """A literal that Fluentd fills from its environment; ``default`` holds no quotes."""
    return f"\"#{{ENV['{name}'] || '{default}'}}{after}\""


def credential(plan: Plan) -> str:
    """The variable that holds the credential of the destination."""
    return "ELASTICSEARCH_API_KEY" if is_elastic(plan) else "HEADROOM_TOKEN"


def sections(plan: Plan, found: Sequence[Reading]) -> Iterator[Section]:
    """A whole configuration: sources, the way of their records, and what is refused."""
    yield from _sources(found)
    yield from _ways(plan, found)
    yield _errors()


def _sources(found: Sequence[Reading]) -> Iterator[Section]:
    for reading in found:
        if isinstance(reading.source, FileSource):
            parse = _lines(reading) if reading.source.multiline else _whole()
            yield _tail(reading, reading.source.path, parse)
        elif isinstance(reading.source, PodSource):
            yield _tail(reading, reading.source.path, _container())
        elif isinstance(reading.source, JournalSource):
            yield _journal(reading, reading.source)
    if of_kind(found, SyslogSource):
        yield from (_syslog(protocol) for protocol in ("tcp", "udp"))


def _tag(reading: Reading) -> str:
    return f"headroom.{kind(reading)}.{reading.name}"


def _tail(reading: Reading, path: str, parse: Section) -> Section:
    packed = ", ".join(f'"/**/*.{ending}"' for ending in PACKED)
    delimiter = next((each for each in _DELIMITERS if each not in path), ",")
    return Section(
        name="source",
        parameters=(
            ("@type", "tail"),
            ("@id", reading.name),
            ("@label", "@HEADROOM"),
            ("tag", _tag(reading)),
            ("path", quoted(glob(path))),
            *((("path_delimiter", quoted(delimiter)),) if delimiter != "," else ()),
            ("exclude_path", f"[{packed}]"),
            ("path_key", "log.file.path"),
            ("pos_file", variable("HEADROOMSTATE", STATE, f"/{reading.name}.pos")),
            ("read_from_head", "true"),
            # A file is told by its inode, so that its next name is not read again.
            ("follow_inodes", "true"),
            ("refresh_interval", "5s"),
            *((("multiline_flush_interval", "2s"),) if reading.source.multiline else ()),
        ),
        sections=(parse,),
    )


def glob(path: str) -> str:
    """A path whose only special sign is ``*``; a ``%`` would begin a part of the date."""
    plain = path.replace("%", "%%")
    if "*" not in plain:
        return plain
    return "".join(f"\\{char}" if char in "\\[]{}?" else char for char in plain)


def _whole() -> Section:
    return Section(name="parse", parameters=(("@type", "none"), ("message_key", "message")))


def _lines(reading: Reading) -> Section:
    first = written(reading.source.multiline or "")
    return Section(
        name="parse",
        parameters=(
            ("@type", "multiline"),
            ("format_firstline", quoted(f"/{first}/")),
            ("format1", quoted("/(?<message>.*)/")),
            ("time_key", "headroom_no_time"),
        ),
    )


def _container() -> Section:
    return Section(
        name="parse",
        parameters=(
            ("@type", "regexp"),
            ("expression", quoted(_CRI)),
            ("time_key", "time"),
            ("time_format", quoted("%Y-%m-%dT%H:%M:%S.%N%:z")),
        ),
    )


def _journal(reading: Reading, source: JournalSource) -> Section:
    unit = source.unit if "." in source.unit else f"{source.unit}.service"
    return Section(
        name="source",
        parameters=(
            ("@type", "systemd"),
            ("@id", reading.name),
            ("@label", "@HEADROOM"),
            ("tag", _tag(reading)),
            ("matches", f'[{{"_SYSTEMD_UNIT":"{unit}"}}]'),
            ("read_from_head", "true"),
        ),
        sections=(
            Section(
                name="storage",
                parameters=(
                    ("@type", "local"),
                    ("persistent", "true"),
                    ("path", variable("HEADROOMSTATE", STATE, f"/{reading.name}.json")),
                ),
            ),
        ),
    )


def _syslog(protocol: str) -> Section:
    return Section(
        name="source",
        parameters=(
            ("@type", "syslog"),
            ("@id", f"headroom_syslog_{protocol}"),
            ("@label", "@HEADROOM"),
            ("tag", "headroom.syslog"),
            ("bind", variable("HEADROOM_SYSLOG_BIND", "127.0.0.1")),
            ("port", variable("HEADROOM_SYSLOG_PORT", "5514")),
            ("severity_key", "severity"),
        ),
        sections=(
            Section(name="transport", argument=protocol),
            Section(name="parse", parameters=(("@type", "syslog"), ("message_format", "auto"))),
        ),
    )


def _ways(plan: Plan, found: Sequence[Reading]) -> Iterator[Section]:
    """The labels in which records are joined, tagged and sent."""
    joined = tuple(step for reading in of_kind(found, PodSource) for step in _concat(reading))
    if joined:
        yield Section(
            name="label",
            argument="@HEADROOM",
            sections=(
                *joined,
                # What waited too long to be joined takes the same way from here.
                Section(
                    name="match",
                    argument="headroom.**",
                    parameters=(("@type", "relabel"), ("@label", "@HEADROOM_JOINED")),
                ),
            ),
        )
    yield Section(
        name="label",
        argument="@HEADROOM_JOINED" if joined else "@HEADROOM",
        sections=(
            Section(
                name="filter",
                argument="headroom.**",
                parameters=(("@type", "headroom"), ("@id", "headroom_records")),
            ),
            Section(
                name="match",
                argument="headroom.**",
                parameters=tuple(_output(plan)),
                sections=(_buffer(), _secondary()),
            ),
        ),
    )


def _concat(reading: Reading) -> Iterator[Section]:
    common = (
        ("@type", "concat"),
        ("key", "message"),
        ("stream_identity_key", "log.file.path"),
        ("use_first_timestamp", "true"),
        ("flush_interval", "2"),
        ("timeout_label", "@HEADROOM_JOINED"),
    )
    yield Section(
        name="filter",
        argument=_tag(reading),
        parameters=(
            *common,
            ("separator", '""'),
            ("use_partial_cri_logtag", "true"),
            ("partial_cri_logtag_key", "logtag"),
            ("partial_cri_stream_key", "stream"),
        ),
    )
    if reading.source.multiline is not None:
        first = written(reading.source.multiline)
        yield Section(
            name="filter",
            argument=_tag(reading),
            parameters=(*common, ("multiline_start_regexp", quoted(f"/{first}/"))),
        )


def _output(plan: Plan) -> Iterator[tuple[str, str]]:
    name, default = endpoint(plan)
    word = "ApiKey" if is_elastic(plan) else "Bearer"
    value = f"{word} #{{ENV['{credential(plan)}'] || 'none'}}"
    yield "@type", "elasticsearch"
    yield "@id", "headroom_documents"
    yield "hosts", variable(name, default, path_of_intake(plan))
    yield "custom_headers", f'"{{\\"Authorization\\":\\"{value}\\"}}"'
    yield "index_name", "logs-unattributed-" + plan.streams[0].namespace
    yield "target_index_key", "headroom_index"
    yield "write_operation", "create"
    yield "suppress_type_name", "true"
    yield "include_timestamp", "true"
    yield "time_key_format", quoted("%Y-%m-%dT%H:%M:%S.%N%z")
    yield "verify_es_version_at_startup", "false"
    yield "default_elasticsearch_version", "8"
    yield "reconnect_on_error", "true"
    yield "reload_on_failure", "false"
    yield "reload_connections", "false"
    yield "request_timeout", "30s"
    yield "log_es_400_reason", "false"


def _buffer() -> Section:
    return Section(
        name="buffer",
        parameters=(
            ("@type", "file"),
            ("path", variable("HEADROOMSTATE", STATE, "/buffer")),
            ("total_limit_size", "1GB"),
            ("chunk_limit_size", "4MB"),
            ("overflow_action", "block"),
            ("flush_mode", "interval"),
            ("flush_interval", "1s"),
            ("retry_type", "exponential_backoff"),
            ("retry_wait", "1s"),
            ("retry_max_interval", "60s"),
            ("retry_timeout", "72h"),
        ),
    )


def _secondary() -> Section:
    return Section(
        name="secondary",
        parameters=(
            ("@type", "secondary_file"),
            ("directory", variable("HEADROOMSTATE", STATE, "/rejected")),
            ("basename", quoted("dump.${chunk_id}")),
        ),
    )


def _errors() -> Section:
    """What the output refuses for good, and what the filter fails on, without its secrets."""
    return Section(
        name="label",
        argument="@ERROR",
        sections=(
            Section(
                name="filter",
                argument="**",
                parameters=(("@type", "headroom"), ("rejected", "true")),
            ),
            Section(
                name="match",
                argument="**",
                parameters=(
                    ("@type", "file"),
                    ("path", variable("HEADROOMSTATE", STATE, "/rejected/records")),
                    ("append", "true"),
                ),
                sections=(Section(name="format", parameters=(("@type", "json"),)),),
            ),
        ),
    )
