"""Settings for parsing: events, times, secrets, lifted fields and the owner of syslog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from collectors.tagging.line_fields import DIGITS, identifier
from collectors.tagging.masking import maskings
from collectors.tagging.model import Convention, Plan, Source, Stream, SyslogSource
from collectors.tagging.places import named, names_of_hosts, rivals
from collectors.tagging.splunk_parts.conf import Stanza, field, literal, stanza
from slo.portable_regex import escaped
from slo.records import dataclass

SYSLOG = "headroom:syslog"
"""The source type of everything that comes by syslog."""

_HEAD = "^(?:<[0-9]+>)?(?:1 [^ ]+ {host} {program} |[A-Z][a-z]{{2}} +[0-9]+ [0-9:]{{8}} {host} "
_TAIL = r"{program}(?:\[[^\]]*\])?:)"
_BREAK = r"([\r\n]+)"
_LOWER = "headroom_lower"
_GROUP = r"\{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A source with its stream and a name that is unique in the plan."""

    name: str
    stream: Stream
    source: Source


def index(stream: Stream) -> str:
    """The index of a stream's application and environment."""
    return f"{stream.dataset.partition('.')[0]}_{stream.namespace}"


def source_type(name: str) -> str:
    """The source type of what one source sends."""
    return f"headroom:{name}"


def tags(stream: Stream) -> dict[str, str]:
    """The tags of a stream by the fields that hold them."""
    return stream.tags(Convention.LABEL)


def props(plan: Plan, reads: Sequence[Read]) -> Iterator[Stanza]:
    """How events of each source type are broken, timed, masked and told apart."""
    common = {
        "SHOULD_LINEMERGE": False,
        "TRUNCATE": 1_048_576,
        "TZ": "UTC",
        "force_local_processing": True,
        **_masks(plan),
    }
    for read in reads:
        source, breaker = read.source, _breaker(read.source)
        lifted = [f"{_transform(read.name, concept)}" for concept in _lifted(source)]
        yield stanza(
            source_type(read.name),
            {
                **common,
                "LINE_BREAKER": breaker,
                "EVENT_BREAKER_ENABLE": True,
                "EVENT_BREAKER": breaker,
                **_time(source),
                "KV_MODE": {"json": "json", "logfmt": "auto"}.get(source.format, "none"),
                "TRANSFORMS-headroom": ", ".join((*lifted, _LOWER)),
                # What a record says of its owner must not stand beside what is known of it.
                **{f"EVAL-{name}": literal(value) for name, value in tags(read.stream).items()},
            },
        )
    if plan.of(SyslogSource):
        programs = [name for name, _, _ in named(plan, SyslogSource)]
        wanted = [f"{name}_{what}" for name in programs for what in ("tags", "index")]
        lifted = [_transform(name, concept) for name in programs for concept in DIGITS]
        yield stanza(
            SYSLOG,
            {
                **common,
                "LINE_BREAKER": _BREAK,
                "EVENT_BREAKER_ENABLE": True,
                "EVENT_BREAKER": _BREAK,
                "KV_MODE": "none",
                "TRANSFORMS-headroom": ", ".join(
                    (*(f"headroom_{each}" for each in wanted), *lifted, _LOWER)
                ),
            },
        )


def transforms(plan: Plan, reads: Sequence[Read]) -> Iterator[Stanza]:
    """What lifts identifiers and versions, and gives syslog messages their owner."""
    for read in reads:
        for concept, pattern in _lifted(read.source).items():
            yield _lifting(read.name, concept, pattern)
    for name, stream, source in named(plan, SyslogSource):
        pattern = _program(plan, source)
        values = {key: value for key, value in tags(stream).items() if "$" not in value}
        meta = " ".join(field(key, value) for key, value in values.items())
        yield stanza(
            f"headroom_{name}_tags", {"REGEX": pattern, "FORMAT": meta, "WRITE_META": True}
        )
        yield stanza(
            f"headroom_{name}_index",
            {"REGEX": pattern, "DEST_KEY": "_MetaData:Index", "FORMAT": index(stream)},
        )
        for concept in DIGITS:
            found = identifier(concept, source.fields_of(concept), "found")
            yield _lifting(name, concept, found.replace("?P<found>", ""))
    yield stanza(_LOWER, {"INGEST_EVAL": "trace_id:=lower(trace_id), span_id:=lower(span_id)"})


def unsaid(plan: Plan) -> Iterator[str]:
    """Sentences on tags that a transform cannot write."""
    for name, stream, _ in named(plan, SyslogSource):
        for key, value in tags(stream).items():
            if "$" in value:
                yield f"Not tagged by syslog: {key} of {name}; FORMAT cannot hold a dollar sign."


def fields(plan: Plan) -> Iterator[Stanza]:
    """The fields that a search finds in the index itself."""
    names = dict.fromkeys(name for stream in plan.streams for name in tags(stream))
    for name in (*names, "version", "trace_id", "span_id"):
        yield stanza(name, {"INDEXED": True, "INDEXED_VALUE": False})


def _masks(plan: Plan) -> dict[str, str]:
    return {
        f"SEDCMD-headroom_{at:02}": f"s/{_delimited(rule.pattern)}/{rule.replacement(_GROUP)}/g"
        for at, rule in enumerate(maskings(plan))
    }


def _delimited(pattern: str) -> str:
    return pattern.replace("/", r"\/")


def _breaker(source: Source) -> str:
    if source.multiline is None:
        return _BREAK
    return rf"(?m){_BREAK}(?=[^\r\n]*?(?:{source.multiline}))"


def _time(source: Source) -> Mapping[str, object]:
    if source.format == "plain":
        return {"MAX_TIMESTAMP_LOOKAHEAD": 48}
    names = "|".join(map(escaped, source.time_fields))
    before = f'"(?:{names})" *: *"?' if source.format == "json" else f'(?:^| )(?:{names})="?'
    return {"TIME_PREFIX": before, "MAX_TIMESTAMP_LOOKAHEAD": 48}


def _lifted(source: Source) -> dict[str, str]:
    """The expression whose only group is a lifted field, by concept."""
    if source.format == "json":
        hexadecimal = {concept: f"[0-9a-fA-F]{{{digits}}}" for concept, digits in DIGITS.items()}
        wanted = {**hexadecimal, "version": r'[^"\\]+'}
        return {
            concept: f'(?:{_keys(source, concept)}) *: *"({value})"'
            for concept, value in wanted.items()
        }
    found = {
        concept: identifier(concept, source.fields_of(concept), "found").replace("?P<found>", "")
        for concept in DIGITS
    }
    if source.format == "logfmt":
        names = "|".join(map(escaped, source.fields_of("version")))
        found["version"] = f'(?:^| )(?:{names})="?([^" ]+)'
    return found


def _keys(source: Source, concept: str) -> str:
    """The keys of a field in a JSON object; one whose name holds dots may be nested."""
    found = []
    for name in source.fields_of(concept):
        found.append(f'"{escaped(name)}"')
        if "." in name:
            parts = [f'"{escaped(part)}"' for part in name.split(".")]
            found.append(r" *: *\{[^{}]*".join(parts))
    return "|".join(found)


def _transform(name: str, concept: str) -> str:
    return f"headroom_{name}_{concept}"


def _lifting(name: str, concept: str, pattern: str) -> Stanza:
    target = {"trace": "trace_id", "span": "span_id"}.get(concept, concept)
    return stanza(
        _transform(name, concept),
        {"REGEX": pattern, "FORMAT": f"{target}::$1", "WRITE_META": True},
    )


def _program(plan: Plan, source: SyslogSource) -> str:
    names = "|".join(map(escaped, names_of_hosts(plan, source.hosts)))
    host = f"(?:{names})" if source.hosts else "[^ ]+"
    if not source.hosts and (others := rivals(plan, source)):
        apart = "|".join(map(escaped, names_of_hosts(plan, others)))
        host = f"(?!(?:{apart}) )[^ ]+"
    program = escaped(source.program)
    return _HEAD.format(host=host, program=program) + _TAIL.format(program=program)
