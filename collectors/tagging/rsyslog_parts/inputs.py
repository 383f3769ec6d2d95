"""Inputs and the rulesets behind them: whose a record is, and how its line reads."""

from __future__ import annotations

import re
from collections.abc import Sequence

from collectors.tagging.model import (
    FileSource,
    JournalSource,
    Plan,
    PodSource,
    Source,
    SyslogSource,
)
from collectors.tagging.places import unit_name
from collectors.tagging.rsyslog_parts.text import (
    json_fields,
    listed,
    parameter,
    quoted,
    regex,
    ruleset,
    variable,
)
from collectors.tagging.shipping import (
    HOST,
    UNATTRIBUTED,
    Reading,
    in_text,
    of_kind,
    stream_name,
)
from collectors.tagging.syslog_daemons import hosts_by_path
from slo.portable_regex import to_posix

FLUSH_SECONDS = 2
"""How long an unfinished record waits for its next line."""

_MOST_LINES = 2000
_DIRECT = 'queue.type="Direct"'
_CRI = "[^ ]+ (stdout|stderr) "
_CRI_LINE = rf"^{_CRI}([FP])[^ ]* ([^{chr(10)}]*){chr(10)}?(.*)$"
_PATH = "/([^_/]+)_([^_/]+)_([^_/]+)/([^/]+)/[^/]+$"
_GLOB = {"[": "[[]", "?": "[?]", "\\": "\\\\"}
_ANCHOR = re.compile(r"\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|(?P<start>\^)|.", re.DOTALL)
_PLACES = ("namespace", "pod", "uid", "container")


def readers(found: Sequence[Reading]) -> str:
    """One ruleset for each source: its owner's tags, then its fields."""
    return "".join(_reader(each) for each in found)


def _reader(reading: Reading) -> str:
    source = reading.source
    head = (
        f"  set $.index = {quoted(stream_name(reading.stream))};\n"
        f"  set $.tags = {quoted(json_fields(reading.tags))};\n"
        + "".join(
            f"  set $.own_{name} = {quoted(field)};\n"
            for name, field in (
                ("trace", source.trace_id),
                ("span", source.span_id),
                ("time", source.time),
            )
            if field is not None
        )
        + "  set $.read = 1; set $.count = 0; set $.json = ''; set $.fields = '';\n"
    )
    step = {"json": "headroom_object", "logfmt": "headroom_logfmt"}.get(source.format)
    body = "" if step is None else f"  call {step}\n"
    return ruleset(
        f"headroom_{reading.name}",
        f"{head}{body}  if $.read != 0 then {{\n    call headroom_plain\n"
        f"{_of_plain(reading)}  }}\n  call headroom_finish\n",
    )


def _of_plain(reading: Reading) -> str:
    level = "    call headroom_level\n" if reading.searches_level else ""
    found = ""
    for concept in ("trace", "span"):
        pattern = regex(in_text(reading.source, concept))
        found += (
            f"    set $.{concept} = tolower(re_extract($.line, {pattern}, 0, 3, ''));\n"
            f"    if not re_match($.{concept}, '[1-9a-f]') then set $.{concept} = '';\n"
        )
    return level + found


def _start(*, at: str, host: str) -> str:
    """What every source begins with; invalid UTF-8 would make a document that nobody reads."""
    return (
        '  action(type="mmutf8fix")\n'
        f"  set $.host = {host};\n"
        "  set $.line = ltrim($msg);\n"
        f"  set $.said = exec_template('{at}');\n"
    )


def _here() -> str:
    return f"  set $.host = getenv('{HOST}');\n  if $.host == '' then set $.host = $$myhostname;\n"


def files(found: Sequence[Reading]) -> tuple[str, dict[str, str]]:
    """The rulesets and inputs of files, and the inputs of single hosts by the host's name."""
    every, single = "", dict[str, str]()
    claimed = hosts_by_path(found)
    for reading in of_kind(found, FileSource):
        source = reading.source
        assert isinstance(source, FileSource)
        name = f"headroom_read_{reading.name}"
        every += ruleset(
            name,
            _file_body(reading, () if reading.hosts else claimed[source.path]),
            parameters=_DIRECT,
        )
        text = _imfile(_glob(source.path), name, source)
        if not reading.hosts:
            every += text
        for host in reading.hosts:
            single[host] = single.get(host, "") + text
    return every, single


def _file_body(reading: Reading, rivals: Sequence[str]) -> str:
    unless = f"  if $.host == {listed(rivals)} then stop\n" if rivals else ""
    return (
        f"{_here()}{unless}"
        '  action(type="mmutf8fix")\n'
        "  set $.line = $msg; set $.path = $!metadata!filename;\n"
        f"  call headroom_{reading.name}\n"
    )


def _glob(path: str) -> str:
    return "".join(_GLOB.get(char, char) for char in path)


def _imfile(path: str, name: str, source: Source, joined: str | None = None) -> str:
    if joined is None and source.multiline is not None:
        joined = f"startmsg.regex={parameter(to_posix(source.multiline))}"
    # A single line has no escaped line feeds either: readTimeout needs lines to be joined.
    more = f'\n  {joined} readTimeout="{FLUSH_SECONDS}"' if joined else ""
    return (
        f'input(type="imfile" file={parameter(path)} tag="headroom" ruleset="{name}"\n'
        f'  addMetadata="on" escapeLF="off" reopenOnTruncate="on" persistStateAfterSubmission="on"'
        f"{more})\n"
    )


def pods(found: Sequence[Reading]) -> str:
    """The rulesets and inputs of pods; those of one namespace that join lines alike share one."""
    groups: dict[tuple[str, str | None], list[Reading]] = {}
    for reading in of_kind(found, PodSource):
        source = reading.source
        if isinstance(source, PodSource):
            groups.setdefault((source.namespace, source.multiline), []).append(reading)
    text = "".join(
        _pod_group(f"headroom_pods_{at}", group) for at, group in enumerate(groups.values(), 1)
    )
    return _cri() + text if text else ""


def _pod_group(name: str, group: Sequence[Reading]) -> str:
    sources = [each.source for each in group if isinstance(each.source, PodSource)]
    one = sources[0]
    path = one.path if len(sources) == 1 else f"/var/log/pods/{one.namespace}_*/*/*.log"
    joined = f'endmsg.regex="^{_CRI}F"'
    if one.multiline is not None:
        joined = f"startmsg.regex={parameter(_cri_start(one.multiline))}"
    branches = "".join(
        f"  if {_is_pod(source)} then {{ call headroom_{each.name} stop }}\n"
        for each, source in zip(group, sources, strict=True)
    )
    places = "".join(
        f"  set $.{name} = re_extract($.path, {quoted(_PATH)}, 0, {at}, '');\n"
        for at, name in enumerate(_PLACES, 1)
    )
    body = (
        f"{_here()}"
        '  action(type="mmutf8fix")\n'
        "  set $.path = $!metadata!filename;\n"
        f"{places}"
        "  set $.rest = $msg; set $.line = ''; set $.lines = 0;\n"
        "  call headroom_cri\n"
        f"{branches}"
    )
    return ruleset(name, body, parameters=_DIRECT) + _imfile(path, name, one, joined)


def _is_pod(source: PodSource) -> str:
    terms = [f"$.namespace == {quoted(source.namespace)}"]
    if source.pods is not None:
        terms.append(f"re_match($.pod, {regex(source.pods)})")
    if source.container is not None:
        terms.append(f"$.container == {quoted(source.container)}")
    return " and ".join(terms)


def _cri_start(pattern: str) -> str:
    """A record's first line with what the container runtime writes before it."""
    starts = any(match["start"] for match in _ANCHOR.finditer(pattern))
    bare = "".join("" if match["start"] else match.group() for match in _ANCHOR.finditer(pattern))
    return f"^{_CRI}[FP][^ ]* {'' if starts else '.*'}({to_posix(bare)})"


def _cri() -> str:
    """The lines that the container runtime split or stamped, as the pod wrote them."""
    part = [f"re_extract($.rest, {quoted(_CRI_LINE)}, 0, {at}, '')" for at in range(5)]
    return ruleset(
        "headroom_cri",
        f"  if $.said == '' then set $.said = re_extract($.rest, '^[^ ]+', 0, 0, '');\n"
        f"  set $.line = $.line & {part[3]};\n"
        f"  set $.whole = {part[2]};\n"
        f"  set $.rest = {part[4]};\n"
        "  if $.rest != '' and $.whole == 'F' then set $.line = $.line & '\\n';\n"
        "  set $.lines = $.lines + 1;\n"
        f"  if $.rest != '' and $.lines < {_MOST_LINES} then {{ call headroom_cri }}\n",
    )


def syslog(plan: Plan, found: Sequence[Reading]) -> str:
    """The listener of each transport; what no component owns has a stream of its own."""
    readings = of_kind(found, SyslogSource)
    if not readings:
        return ""
    branches = ""
    for reading in readings:
        assert isinstance(reading.source, SyslogSource)
        condition = f"$programname == {quoted(reading.source.program)}"
        if reading.hosts:
            condition += f" and $hostname == {listed(reading.hosts)}"
        branches += f"  if {condition} then {{ call headroom_{reading.name} stop }}\n"
    body = (
        f"{_start(at='headroom_said_at', host='$hostname')}"
        "  set $.severity = $syslogseverity-text; set $.program = $programname;\n"
        f"{branches}"
        "  call headroom_unattributed\n"
    )
    address, port = variable("HEADROOM_SYSLOG_ADDRESS"), variable("HEADROOM_SYSLOG_PORT")
    where = f'address={address} port={port} ruleset="headroom_syslog"'
    return (
        ruleset("headroom_syslog", body, parameters=_DIRECT)
        + _unattributed(plan)
        + f'input(type="imtcp" {where})\n'
        + f'input(type="imudp" {where} rcvbufSize="8m")\n'
    )


def _unattributed(plan: Plan) -> str:
    namespace = plan.streams[0].namespace
    tags = {
        "data_stream.type": "logs",
        "data_stream.dataset": UNATTRIBUTED,
        "data_stream.namespace": namespace,
    }
    return ruleset(
        "headroom_unattributed",
        f"  set $.index = {quoted(f'logs-{UNATTRIBUTED}-{namespace}')};\n"
        f"  set $.tags = {quoted(json_fields(tags))};\n"
        "  set $.fields = ''; call headroom_plain\n  call headroom_finish\n",
    )


def journal(found: Sequence[Reading]) -> str:
    """The journal's records of the units that a component owns; all others stay where they are."""
    readings = of_kind(found, JournalSource)
    if not readings:
        return ""
    branches = ""
    for reading in readings:
        assert isinstance(reading.source, JournalSource)
        branches += (
            f"  if $.unit == {quoted(unit_name(reading.source.unit))} then "
            f"{{ call headroom_{reading.name} stop }}\n"
        )
    body = (
        f"{_start(at='headroom_said_at', host='$hostname')}"
        "  set $.severity = $syslogseverity-text; set $.unit = '' & $!_SYSTEMD_UNIT;\n"
        # What the manager itself says of a unit is that unit's.
        "  if $.unit == 'init.scope' and $!UNIT != '' then set $.unit = '' & $!UNIT;\n"
        f"{branches}"
    )
    # This input has no ruleset of its own: what it reads comes to the first.
    return ruleset("headroom_journal", body) + (
        'if $inputname == "imjournal" then { call headroom_journal }\n'
    )
