"""What collectors that ship documents of the Elastic Common Schema have in common.

Each of them runs one program in its own language on every record; the table of sources that the
program looks into, and the expressions that it searches with, are made here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from collectors.tagging.model import (
    LEVEL_FIELDS,
    STATIC_CONCEPTS,
    Convention,
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
    name_of,
)
from slo.collecting import Destination
from slo.portable_regex import escaped
from slo.records import dataclass

HOST = "HEADROOM_HOST"
"""The variable that holds the name of the host that a collector runs on."""

MESSAGES = ("message", "msg", "log", "body")
"""Where a record of fields has its text."""

LEVELS = LEVEL_FIELDS
"""Where a record of fields has its severity."""

LEVEL = "(?:^|[^A-Za-z])(TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|FATAL|CRITICAL)(?:[^A-Za-z]|$)"
"""The severity within the first characters of a plain line, as the first group."""

LEVEL_WITHIN = 120
"""How many characters of a plain line are searched for its severity."""

TIME = (
    "^[^0-9]{0,3}([0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    "(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2}))"
)
"""The time at the beginning of a plain line, with its zone, as the first group."""

PRIVATE_KEY = "(?:^|[._-])(?:password|passwd|secret|api[_-]?key|access[_-]?token)$"
"""Names of fields, in lower case, whose values are secrets whatever they look like."""

PRIORITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
"""The severities of syslog and the journal by their number."""

RESERVED = (
    *("agent", "container", "data_stream", "ecs", "event", "host", "kubernetes", "labels", "log"),
    *("orchestrator", "service", "span", "systemd", "trace"),
)
"""Names that are objects in the schema: a field that is no object cannot have one."""

UNATTRIBUTED = "unattributed"
"""The data set of what nobody is known to own."""

PACKED = ("gz", "bz2", "xz", "zst")
"""Endings of files that a rotation has packed."""

_HEX = {"trace": 32, "span": 16}
_HEADROOM = "http://127.0.0.1:8501"
_ELASTIC = "http://127.0.0.1:9200"
_RUN_WITH_OPENSEARCH = frozenset({"rsyslog"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One source with its stream and a name that is unique in the plan and safe everywhere.

    ``hosts`` are all names of the hosts that count, none: all; when ``strict``, a host that does
    not know its name is none of them.
    """

    name: str
    stream: Stream
    source: Source
    hosts: tuple[str, ...]
    strict: bool

    @property
    def tags(self) -> dict[str, str]:
        """What a record of it carries, by the schema's names."""
        return {
            **self.stream.tags(Convention.ECS),
            "data_stream.type": "logs",
            "data_stream.dataset": self.stream.dataset,
            "data_stream.namespace": self.stream.namespace,
        }

    @property
    def searches_level(self) -> bool:
        """Whether a plain line's severity is in its text; elsewhere the transport has it."""
        return isinstance(self.source, FileSource | PodSource)


_KINDS: Mapping[type[Source], str] = {
    FileSource: "file",
    PodSource: "pods",
    JournalSource: "journal",
    SyslogSource: "syslog",
}


def readings(plan: Plan) -> tuple[Reading, ...]:
    """Every source of lines, by stream; pods that are told apart most narrowly come first."""
    found = list(_readings(plan))
    pods = [each for each in found if isinstance(each.source, PodSource)]
    others = [each for each in found if not isinstance(each.source, PodSource)]
    return (*others, *sorted(pods, key=_width))


def _readings(plan: Plan) -> Iterator[Reading]:
    claims = Counter(_claim(source) for stream in plan.streams for source in stream.sources)
    known = {host for stream in plan.streams for host in stream.component.hosts}
    parts = Counter(map(_short, known))
    for stream in plan.streams:
        numbers: Counter[str] = Counter()
        for source in stream.sources:
            kind = _KINDS.get(type(source))
            if kind is None:
                continue
            numbers[kind] += 1
            hosts = source.hosts if isinstance(source, FileSource | SyslogSource) else ()
            # A host by its first part too, where no other host has it.
            short = (_short(host) for host in hosts if parts[_short(host)] == 1)
            yield Reading(
                name=f"{stream.identifier}_{kind}_{numbers[kind]}",
                stream=stream,
                source=source,
                hosts=tuple(dict.fromkeys((*hosts, *short))),
                strict=bool(hosts) and claims[_claim(source)] > 1,
            )


def _claim(source: Source) -> tuple[str, str] | None:
    """What another source may claim on other hosts."""
    if isinstance(source, FileSource):
        return "file", source.path
    return ("syslog", source.program) if isinstance(source, SyslogSource) else None


def _width(reading: Reading) -> tuple[bool, bool, str, int]:
    source = reading.source
    assert isinstance(source, PodSource)
    # The longest name first: that of a deployment may begin like another's.
    return (
        source.pods is None,
        source.container is None,
        "".join(chr(0x10FFFF - ord(char)) for char in source.workload or ""),
        -len(source.labels),
    )


def _short(host: str) -> str:
    first, _, rest = host.partition(".")
    return host if not first or first.isdigit() or not rest else first


def of_kind(found: Sequence[Reading], kind: type[Source]) -> tuple[Reading, ...]:
    """The readings of one kind of source."""
    return tuple(each for each in found if isinstance(each.source, kind))


def left_out(plan: Plan, kinds: Mapping[type[Source], str]) -> tuple[str, ...]:
    """Sentences for a header on what a file does not collect."""
    found = [
        f"{stream.app}/{stream.component.name} by {word}"
        for kind, word in kinds.items()
        for stream in plan.streams
        if stream.of(kind)
    ]
    return (f"Not collected here: {', '.join(found)}.",) if found else ()


def claims() -> tuple[str, ...]:
    """The fields in which a record may speak of its owner, who is known better."""
    spoken = (Convention.OTEL, Convention.ECS)
    names = [name_of(concept, each) for concept in STATIC_CONCEPTS for each in spoken]
    known = (name for name in names if name is not None)
    return tuple(dict.fromkeys((*known, "deployment.environment")))


CLAIMED_PREFIXES = ("data_stream.", "elasticsearch.", "@metadata.")
"""Beginnings of fields that would send a record elsewhere."""


def in_text(source: Source, concept: str) -> str:
    """An expression that finds an identifier in a plain line, as its first group."""
    names = "|".join(escaped(field) for field in source.fields_of(concept))
    return (
        f"(?:^|[^A-Za-z0-9_.])(?:{names})[\"']?[=: ]+[\"']?"
        f"([0-9a-fA-F]{{{_HEX[concept]}}})(?:[^0-9a-fA-F]|$)"
    )


def stream_name(stream: Stream) -> str:
    """The data stream of a component's records."""
    return f"logs-{stream.dataset}-{stream.namespace}"


def is_elastic(plan: Plan) -> bool:
    """Whether documents go to a cluster of the user's own, not to Headroom."""
    return plan.settings.destination in {Destination.ELASTICSEARCH, Destination.OPENSEARCH}


def endpoint(plan: Plan) -> tuple[str, str]:
    """The variable that holds where documents go, and its default: a text without quotes."""
    own = plan.settings.endpoint
    if is_elastic(plan):
        return "ELASTICSEARCH_ENDPOINT", _plain(own or _ELASTIC)
    direct = plan.settings.destination is Destination.OTLP
    return "HEADROOM_ENDPOINT", _plain((own if direct else None) or _HEADROOM)


def _plain(url: str) -> str:
    return quote(url, safe=":/?@&()*+,;=%~").rstrip("/")


def path_of_intake(plan: Plan) -> str:
    """What follows the endpoint: Headroom's intake of documents has a path of its own."""
    return "" if is_elastic(plan) else "/elastic"


def destination_notes(plan: Plan, program: str) -> tuple[str, ...]:
    """Sentences for a header on where records go when that is not what was asked for."""
    asked = plan.settings.destination
    if asked is Destination.OPENSEARCH and program not in _RUN_WITH_OPENSEARCH:
        return (f"Not tried: whether the Elasticsearch output of this {program} takes OpenSearch.",)
    if asked in {Destination.OTLP, Destination.ELASTICSEARCH, Destination.OPENSEARCH}:
        return ()
    return (f"{program} does not send to {asked} here: records go to Headroom.",)
