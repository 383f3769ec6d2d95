"""Pipelines of lines: joined, without secrets, tagged, and for Loki told apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from collectors.tagging.alloy_parts.sources import HOST, OTHERS
from collectors.tagging.alloy_parts.syntax import Block, Expression, block
from collectors.tagging.line_fields import DIGITS, LEVEL, LEVELS, TIME, identifier
from collectors.tagging.masking import Masking, maskings
from collectors.tagging.model import (
    LEVEL_FIELDS,
    Convention,
    FileSource,
    Plan,
    Source,
    Stream,
    SyslogSource,
)
from collectors.tagging.places import named

METADATA = (
    *("trace_id", "span_id", "version", "host", "filename", "unit", "program"),
    *("namespace", "pod", "container", "node", "pod_uid"),
)
"""What Loki keeps beside a line: it has too many values for a label."""

KEPT = ("app", "service", "env", "team", "tier", "level")
"""The only labels of streams in Loki."""

_NUMBERS = {"UnixNs": 19, "UnixUs": 16, "UnixMs": 13, "Unix": 10}
_LAYOUTS = (
    "2006-01-02T15:04:05Z0700",
    "2006-01-02 15:04:05Z07:00",
    "2006-01-02 15:04:05Z0700",
)


def for_otlp(plan: Plan, kinds: Iterable[type[Source]], to: Expression) -> Iterator[Block]:
    """A pipeline for each source whose records go on as OTLP; the owner is in labels."""
    for name, stream, source in _every(plan, kinds):
        labels: dict[str, str | Expression] = {
            **stream.tags(Convention.LABEL),
            "dataset": stream.dataset,
            "stream_namespace": stream.namespace,
            "format": source.format,
            **_host(source),
        }
        yield _pipeline(name, [*_cleaned(plan, source), _static(labels)], to)
    if SyslogSource in kinds and plan.of(SyslogSource):
        yield _pipeline(OTHERS, [*_masked(plan), _static({"format": "plain"})], to)


def for_loki(
    plan: Plan, kinds: Iterable[type[Source]], to: Mapping[str, Expression], other: Expression
) -> Iterator[Block]:
    """A pipeline for each source whose lines go to Loki, by application."""
    for name, stream, source in _every(plan, kinds):
        stages = [
            *_cleaned(plan, source),
            *_static_host(source),
            *_found(source),
            *_identifiers(source),
            *_times(),
            level_stage("level"),
            _static(stream.tags(Convention.LABEL)),
            *loki_stages(),
        ]
        yield _pipeline(name, stages, to[stream.app])
    if SyslogSource in kinds and plan.of(SyslogSource):
        stages = [*_masked(plan), level_stage("level"), *loki_stages()]
        yield _pipeline(OTHERS, stages, other)


def loki_stages() -> Iterator[Block]:
    """The stages that leave only what Loki should index in labels, and the rest beside."""
    yield block("stage.labels", values={"level": "level"})
    yield block("stage.structured_metadata", values={name: name for name in METADATA})
    yield block("stage.label_keep", values=[*KEPT])


def level_stage(source: str) -> Block:
    """The stage that gives a severity the word that it has everywhere."""
    words = [
        f"{{{{ {'if' if at == 0 else 'else if'} has $level (list {_words(each)}) }}}}{name}"
        for at, (name, each) in enumerate(LEVELS.items())
    ]
    template = f"{{{{ $level := ToLower .Value }}}}{''.join(words)}{{{{ end }}}}"
    return block("stage.template", source=source, template=template)


def masks(rules: Sequence[Masking]) -> Iterator[Block]:
    """A stage for each replacement: only what a group holds is replaced."""
    for rule in rules:
        expression = f"{rule.before}({rule.secret}){rule.after}"
        yield block("stage.replace", expression=expression, replace=rule.mask)


def _every(plan: Plan, kinds: Iterable[type[Source]]) -> Iterator[tuple[str, Stream, Source]]:
    for kind in kinds:
        yield from named(plan, kind)


def _pipeline(name: str, stages: Sequence[Block], to: Expression) -> Block:
    return block("loki.process", *stages, label=name, forward_to=[to])


def _cleaned(plan: Plan, source: Source) -> Iterator[Block]:
    if source.multiline is not None:
        yield block(
            "stage.multiline", firstline=source.multiline, max_wait_time="2s", max_lines=1000
        )
    yield from _masked(plan)


def _masked(plan: Plan) -> Iterator[Block]:
    return masks(maskings(plan))


def _static(labels: Mapping[str, str] | Mapping[str, str | Expression]) -> Block:
    return block("stage.static_labels", values=dict(labels))


def _host(source: Source) -> Mapping[str, str | Expression]:
    return {"host": HOST} if isinstance(source, FileSource) else {}


def _static_host(source: Source) -> Iterator[Block]:
    if isinstance(source, FileSource):
        yield _static(_host(source))


def _found(source: Source) -> Iterator[Block]:
    """The stages that bring what a record says of itself to ``found_*`` and ``level``."""
    if source.format == "plain":
        for concept in DIGITS:
            pattern = identifier(concept, source.fields_of(concept), f"found_{concept}")
            yield block("stage.regex", expression=pattern)
        yield block("stage.regex", expression=TIME.replace("<timestamp>", "<found_time>"))
        yield block("stage.regex", expression=LEVEL)
        return
    wanted = {concept: source.fields_of(concept) for concept in ("trace", "span", "version")}
    fields = {
        **{f"found_{concept}": names for concept, names in wanted.items()},
        "found_time": source.time_fields,
        "found_level": LEVEL_FIELDS,
    }
    places = {
        f"{name}_{at}": field for name, names in fields.items() for at, field in enumerate(names)
    }
    if source.format == "json":
        paths = {name: _path(field) for name, field in places.items()}
        yield block("stage.json", expressions=paths)
    else:
        yield block("stage.logfmt", mapping=places)
    for name, names in fields.items():
        yield _first(name, [f"{name}_{at}" for at in range(len(names))])
    # A record's own severity is surer than the journal's or syslog's.
    yield _first("level", ["found_level", "level"])


def _path(field: str) -> str:
    """A JMESPath to a field whose name may hold dots, or that is nested."""
    flat, *nested = [_name(field), ".".join(map(_name, field.split(".")))]
    return " || ".join(dict.fromkeys((flat, *nested)))


def _name(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _first(name: str, places: Sequence[str]) -> Block:
    tried = " ".join(f".{place}" for place in places)
    template = f'{{{{ with (or {tried} "") }}}}{{{{ . }}}}{{{{ end }}}}'
    return block("stage.template", source=name, template=template)


def _identifiers(source: Source) -> Iterator[Block]:
    for concept, digits in DIGITS.items():
        pattern = f"^(?P<{concept}_id>[0-9a-fA-F]{{{digits}}})$"
        yield block("stage.regex", source=f"found_{concept}", expression=pattern)
        lower = "{{ ToLower .Value }}"
        yield block("stage.template", source=f"{concept}_id", template=lower)
    if source.format != "plain":
        yield _first("version", ["found_version"])


def _times() -> Iterator[Block]:
    for unit, digits in _NUMBERS.items():
        fraction = "(?:[.][0-9]+)?" if unit == "Unix" else ""
        pattern = f"^(?P<time_{unit}>[0-9]{{{digits}}}{fraction})$"
        yield block("stage.regex", source="found_time", expression=pattern)
        yield _timestamp(f"time_{unit}", unit)
    zoned = "^(?P<time_text>[0-9]{4}-[0-9]{2}-[0-9]{2}.+)$"
    yield block("stage.regex", source="found_time", expression=zoned)
    yield _timestamp("time_text", "RFC3339Nano", _LAYOUTS)


def _timestamp(source: str, layout: str, others: Sequence[str] = ()) -> Block:
    return block(
        "stage.timestamp",
        source=source,
        format=layout,
        fallback_formats=[*others] or None,
        action_on_failure="skip",
    )


def _words(words: Iterable[str]) -> str:
    return " ".join(f'"{word}"' for word in words)
