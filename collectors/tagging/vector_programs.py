r"""Vector's own language: a program for each source.

What they hand on is the same for all; `vector_records` makes documents of it.

No program holds a ``$``: Vector may or may not expand variables in its configuration, by version
and by flag, and without a ``$`` both read the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.tagging.expressions import written
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Stream,
    SyslogSource,
)
from collectors.tagging.shipping import (
    HOST,
    LEVEL,
    LEVEL_WITHIN,
    LEVELS,
    PRIORITIES,
    TIME,
    UNATTRIBUTED,
    Reading,
    in_text,
)

Meta = Mapping[str, str]
"""Expressions for what the source knows of a record, by field."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "$": "\\u{24}", "{": "\\u{7B}", "}": "\\u{7D}"}
_HERE = f'(get_env_var("{HOST}") ?? get_hostname() ?? "")'
_POD_FIELDS = {
    "kubernetes.namespace": "pod_namespace",
    "kubernetes.pod.name": "pod_name",
    "kubernetes.pod.uid": "pod_uid",
    "kubernetes.node.name": "pod_node_name",
    "kubernetes.container.name": "container_name",
}


def quoted(text: str) -> str:
    """A text as a literal; braces would begin a template, and ``$`` a variable."""
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'


def listed(texts: Iterable[str]) -> str:
    """Texts as a literal of an array."""
    return f"[{', '.join(quoted(text) for text in texts)}]"


def regex(pattern: str) -> str:
    """A portable expression as a literal."""
    return "r'" + written(pattern, end="\\z") + "'"


def at(*path: str) -> str:
    """A field of any type: with a known type, the compiler would refuse to see it checked."""
    return f"(get(., {listed(path)}) ?? null)"


def text_of(*path: str) -> str:
    """A field as a text, empty when it is none."""
    return f'(string({at(*path)}) ?? "")'


def object_of(*path: str) -> str:
    """A field as an object, empty when it is none."""
    return f"(object({at(*path)}) ?? {{}})"


def of_lines(reading: Reading) -> str:
    """The program that says whose the records of a source are, and tells their fields apart."""
    source = reading.source
    lines = [
        f"text = {text_of('message')}",
        "fields = {}",
        *_told(source.format),
        *_found(reading),
    ]
    return _handed(
        lines,
        tags=reading.tags,
        meta=_meta(reading),
        names={concept: source.fields_of(concept) for concept in ("trace", "span")},
        time=source.time_fields,
    )


def _told(form: str) -> list[str]:
    if form == "json":
        return [
            "parsed, err = parse_json(text)",
            "if err == null && is_object(parsed) { fields = object(parsed) ?? {} }",
        ]
    if form == "logfmt":
        found = f"if match(text, {regex('^[^ =]+=')}) {{ fields = parse_logfmt(text) ?? {{}} }}"
        return [found]
    return []


def _found(reading: Reading) -> list[str]:
    """What a plain line says in its text, as fields."""
    if reading.source.format != "plain":
        return []
    wanted = {
        reading.source.fields_of(concept)[0]: in_text(reading.source, concept)
        for concept in ("trace", "span")
    }
    wanted[reading.source.time_fields[0]] = TIME
    lines = [_extracted(name, "text", pattern) for name, pattern in wanted.items()]
    if reading.searches_level:
        start = f"truncate(text, {LEVEL_WITHIN})"
        lines += [f"start = {start}", _extracted(LEVELS[0], "start", LEVEL)]
    return lines


def _extracted(name: str, text: str, pattern: str) -> str:
    found = f"parse_regex({text}, {regex(pattern)}, numeric_groups: true)"
    return (
        f"found, err = {found}\n"
        f'if err == null {{ fields = set(fields, [{quoted(name)}], found."1") ?? fields }}'
    )


def _meta(reading: Reading) -> Meta:
    source = reading.source
    if isinstance(source, FileSource):
        return {"log.file.path": ".file", "host.hostname": _HERE}
    if isinstance(source, PodSource):
        return {
            "log.file.path": ".file",
            **{name: f".kubernetes.{field}" for name, field in _POD_FIELDS.items()},
        }
    if isinstance(source, JournalSource):
        number = "to_int(.PRIORITY) ?? 6"
        return {
            "host.hostname": ".host",
            "systemd.unit": "._SYSTEMD_UNIT",
            "log.level": f"get({listed(PRIORITIES)}, [{number}]) ?? null",
        }
    assert isinstance(source, SyslogSource)
    return {
        "host.hostname": ".hostname",
        "log.level": ".severity",
        "process.name": ".appname",
    }


def of_services(stream: Stream, source: OtlpSource) -> str:
    """The program for the log records that a service sends; its version stays its own."""
    reading = Reading(name="", stream=stream, source=source, hosts=(), strict=False)
    return _handed(_sent(), tags=reading.tags, meta=_service_meta(), names={}, time=())


def of_nobody(plan: Plan, *, sent: bool) -> str:
    """The program for what no stream of the plan owns: senders and programs unknown."""
    tags = {
        "data_stream.type": "logs",
        "data_stream.dataset": UNATTRIBUTED,
        "data_stream.namespace": plan.streams[0].namespace,
    }
    if not sent:
        lines = [f"text = {text_of('message')}", "fields = {}"]
        meta = {"host.hostname": ".hostname", "log.level": ".severity", "process.name": ".appname"}
        return _handed(lines, tags=tags, meta=meta, names={}, time=())
    known = [
        f"fields = merge(fields, {object_of('resources')})",
    ]
    meta = {**_service_meta(), "service.name": '.resources."service.name"'}
    return _handed([*_sent(), *known], tags=tags, meta=meta, names={}, time=())


def _sent() -> list[str]:
    return [
        f"text = {text_of('message')}",
        'if text == "" && .message != null { text = encode_json(.message) }',
        f"fields = {object_of('attributes')}",
        'if is_string(.trace_id) { fields = set(fields, ["trace_id"], .trace_id) ?? fields }',
        'if is_string(.span_id) { fields = set(fields, ["span_id"], .span_id) ?? fields }',
    ]


def _service_meta() -> Meta:
    return {
        "host.hostname": '.resources."host.name"',
        "service.version": '.resources."service.version"',
        "log.level": ".severity_text",
    }


def _handed(
    lines: Iterable[str],
    *,
    tags: Mapping[str, str],
    meta: Meta,
    names: Mapping[str, tuple[str, ...]],
    time: tuple[str, ...],
) -> str:
    """The end of a source's program: what the program for all records goes on with."""
    pairs = "\n".join(f"  {quoted(name)}: {quoted(value)}," for name, value in tags.items())
    known = "\n".join(f"  {quoted(name)}: {value}," for name, value in meta.items())
    return (
        "\n".join(
            [
                *lines,
                f"tags = {{\n{pairs}\n}}",
                f"known = {{\n{known}\n}}",
                ". = {",
                '  "text": text,',
                '  "fields": fields,',
                '  "tags": tags,',
                '  "known": known,',
                f'  "trace": {listed(names.get("trace", ("trace_id",)))},',
                f'  "span": {listed(names.get("span", ("span_id",)))},',
                f'  "time": {listed(time)},',
                '  "read": .timestamp,',
                "}",
            ]
        )
        + "\n"
    )


def owner_of_service(plan: Plan, stream: Stream, source: OtlpSource) -> str:
    """The condition that a record was sent by a service, and not for another environment."""
    said = '.resources."service.namespace"'
    parts = [
        f'.resources."service.name" == {quoted(source.service)}',
        f"({said} == {quoted(stream.app)} || .known_app == false)",
    ]
    for name in ("deployment.environment.name", "deployment.environment"):
        said = f".resources.{quoted(name)}"
        parts.append(f"({said} == null || {said} == {quoted(plan.env)})")
    return " && ".join(parts)


def of_senders(plan: Plan) -> str:
    """The program that says whether a sender names an application of the plan."""
    apps = listed(dict.fromkeys(stream.app for stream in plan.streams))
    return f'.known_app = includes({apps}, .resources."service.namespace")\n'


def owner_of_pod(source: PodSource) -> str:
    """The condition that a record comes from a source's pods."""
    parts = []
    if source.pods is not None:
        parts.append(f"match({text_of('kubernetes', 'pod_name')}, {regex(source.pods)})")
    else:
        labels = object_of("kubernetes", "pod_labels")
        parts += [
            f"(get({labels}, [{quoted(key)}]) ?? null) == {quoted(value)}"
            for key, value in source.labels.items()
        ]
    if source.container is not None:
        parts.append(f".kubernetes.container_name == {quoted(source.container)}")
    return " && ".join(parts) or "true"


def owner_of_message(reading: Reading) -> str:
    """The condition that a syslog message is of a program, and from one of its hosts."""
    source = reading.source
    assert isinstance(source, SyslogSource)
    program = f".appname == {quoted(source.program)}"
    if not reading.hosts:
        return program
    ours = f"includes({listed(reading.hosts)}, .hostname)"
    return f"{program} && {ours if reading.strict else f'(.hostname == null || {ours})'}"


def on_host(reading: Reading) -> str:
    """The condition that this host is one of those whose files count."""
    here = f'(get_env_var("{HOST}") ?? "")'
    ours = f"includes({listed(reading.hosts)}, {here})"
    return ours if reading.strict else f'{here} == "" || {ours}'
