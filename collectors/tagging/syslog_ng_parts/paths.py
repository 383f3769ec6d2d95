"""Sources and the log paths from them to the destination."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from collectors.tagging.model import FileSource, JournalSource, Plan, PodSource, SyslogSource
from collectors.tagging.places import unit_name
from collectors.tagging.shipping import HOST, UNATTRIBUTED, Reading, of_kind
from collectors.tagging.syslog_daemons import hosts_by_path
from collectors.tagging.syslog_ng_parts.records import STATE, steps
from collectors.tagging.syslog_ng_parts.text import (
    ECS,
    block,
    is_text,
    matches,
    one_of,
    quoted,
    regex,
    rewritten,
    sets,
    variable,
)
from slo.portable_regex import escaped

FLUSH_SECONDS = 2
"""How long an unfinished record waits for its next line."""

_FOLLOW = "flags(no-parse) follow-freq(1)"
_CRI = "^[^ ]+ (?:stdout|stderr) [FP][^ ]* "
_CRI_END = "^[^ ]+ (?:stdout|stderr) F[^ ]* [^\n]*"
_POD = "/([^/_]+)_([^/_]+)_([^/_]+)/([^/]+)/[^/]+$"
_PLACES = ("namespace", "pod.name", "pod.uid", "container.name")
_LOGS = "/var/log/pods"
_LAST_STEPS = (
    f'  if ("${{{STATE}time}}" eq "") {{ '
    + rewritten(f'set("$ISODATE" value("{STATE}time"));')
    + " } else { };\n"
    # What a secret was is still the last match until there is another.
    + '  filter { match("^x" template("x") type(pcre) flags(store-matches)) };\n'
)
_SEVERITY = f'set("$LEVEL" value("{ECS}log.level"));'


def files(found: Sequence[Reading]) -> tuple[str, dict[str, str]]:
    """The sources and paths of files, and those of single hosts by the host's name."""
    every, single = "", dict[str, str]()
    claimed = hosts_by_path(found)
    for reading in of_kind(found, FileSource):
        source = reading.source
        assert isinstance(source, FileSource)
        text = _file(reading, source, claimed[source.path])
        if not reading.hosts:
            every += text
        for host in reading.hosts:
            single[host] = single.get(host, "") + text
    return every, single


def _file(reading: Reading, source: FileSource, rivals: Sequence[str]) -> str:
    more = ""
    if source.multiline is not None:
        more = (
            f"\n    multi-line-mode(prefix-garbage) multi-line-prefix({regex(source.multiline)})"
            f"\n    multi-line-timeout({FLUSH_SECONDS})"
        )
    folder, name, deep = _split(source.path)
    only = "" if "*" not in source.path else f"  filter {{ {_is_path(source.path)} }};\n"
    elsewhere = one_of(variable(HOST), rivals) if rivals and not reading.hosts else ""
    unless = f"  filter {{ not {elsewhere} }};\n" if elsewhere else ""
    return block(
        "source",
        f"s_{reading.name}",
        f"  wildcard-file(base-dir({quoted(folder)}) filename-pattern({quoted(name)})\n"
        f"    recursive({'yes' if deep else 'no'}) max-files(1000)\n"
        f"    log-iw-size(100000) {_FOLLOW}{more});\n",
    ) + _log(f"s_{reading.name}", f"{unless}{only}{_of_file()}{steps(reading)}")


def _split(path: str) -> tuple[str, str, bool]:
    """The folder to look into, the pattern of names, and whether folders below it count."""
    whole = PurePosixPath(path)
    parts = whole.parent.parts
    plain = next((at for at, part in enumerate(parts) if "*" in part), len(parts))
    # In a name `?` is any character: what is wider is filtered by the path.
    return str(PurePosixPath(*parts[:plain])), whole.name, plain < len(parts)


def _is_path(path: str) -> str:
    pattern = "[^/]*".join(escaped(part) for part in path.split("*"))
    return f'match({regex(f"^{pattern}$")} value("FILE_NAME") type(pcre))'


def _of_file() -> str:
    here = f'set("$(if (\\"`{HOST}`\\" ne \\"\\") \\"`{HOST}`\\" \\"$HOST\\")"'
    return (
        "  "
        + rewritten(
            f'{here} value("{ECS}host.hostname"));',
            f'set("$FILE_NAME" value("{ECS}log.file.path"));',
        )
        + "\n"
    )


def _log(source: str, body: str, flags: str = "flow-control") -> str:
    return (
        f"log {{\n  source({source});\n{body}{_LAST_STEPS}  destination(d_headroom);\n"
        f"  flags({flags});\n}};\n"
    )


def pods(found: Sequence[Reading]) -> str:
    """One source for all pods: their lines are joined where the container runtime split them."""
    mine = [
        (each, each.source)
        for each in of_kind(found, PodSource)
        if isinstance(each.source, PodSource)
    ]
    if not mine:
        return ""
    source = block(
        "source",
        "s_pods",
        f'  wildcard-file(base-dir("{_LOGS}") filename-pattern("*.log") recursive(yes)\n'
        f"    max-files(1000) log-iw-size(100000) {_FOLLOW}\n"
        '    multi-line-mode(prefix-suffix) multi-line-prefix("^")\n'
        f"    multi-line-suffix({quoted(_CRI_END)})\n"
        f"    multi-line-timeout({FLUSH_SECONDS}));\n",
    )
    named = "".join(
        f'set("${at}" value("{ECS}kubernetes.{name}"));' for at, name in enumerate(_PLACES, 1)
    )
    common = (
        _of_file()
        + f"  if ({matches(regex(_POD), 'FILE_NAME')}) {{ {rewritten(named)} }} else {{ }};\n"
        + f"  if ({matches(quoted('^([^ ]+) '), 'MESSAGE')}) {{ "
        + rewritten(f'set("$1" value("{STATE}time"));')
        + " } else { };\n  "
        + rewritten(
            f'subst({quoted(_CRI)} "" value("MESSAGE") type(pcre));',
            f'subst({quoted(chr(10) + _CRI[1:])} "" value("MESSAGE") type(pcre) flags(global));',
        )
        + "\n"
    )
    branches = "".join(
        f"  {'if' if at == 0 else 'elif'} ({_is_pod(source)}) {{\n{steps(reading)}  }}\n"
        for at, (reading, source) in enumerate(mine)
    )
    other = '  else { filter { not match("." value("FILE_NAME") type(pcre)) }; };\n'
    return source + _log("s_pods", common + branches + other)


def _is_pod(source: PodSource) -> str:
    place = f"{ECS}kubernetes."
    terms = [is_text(f'"${{{place}namespace}}"', source.namespace)]
    if source.pods is not None:
        terms.append(f'match({regex(source.pods)} value("{place}pod.name") type(pcre))')
    if source.container is not None:
        terms.append(is_text(f'"${{{place}container.name}}"', source.container))
    return " and ".join(terms)


def syslog(plan: Plan, found: Sequence[Reading]) -> str:
    """A listener for each transport; what no component owns has a stream of its own."""
    readings = of_kind(found, SyslogSource)
    if not readings:
        return ""
    where = 'ip("`HEADROOM_SYSLOG_ADDRESS`") port(`HEADROOM_SYSLOG_PORT`)'
    source = block(
        "source",
        "s_syslog",
        f'  network(transport("tcp") {where} max-connections(100)\n'
        f"    log-iw-size(10000) {_PROTOCOL});\n"
        f'  network(transport("udp") {where} so-rcvbuf(8388608) {_PROTOCOL});\n',
    )
    branches = ""
    for at, reading in enumerate(readings):
        assert isinstance(reading.source, SyslogSource)
        terms = [is_text('"$PROGRAM"', reading.source.program)]
        if reading.hosts:
            terms.append(one_of('"$HOST"', reading.hosts))
        word = "if" if at == 0 else "elif"
        branches += f"  {word} ({' and '.join(terms)}) {{\n{steps(reading)}  }}\n"
    namespace = plan.streams[0].namespace
    stranger = sets(
        {
            f"{ECS}data_stream.type": "logs",
            f"{ECS}data_stream.dataset": UNATTRIBUTED,
            f"{ECS}data_stream.namespace": namespace,
            f"{STATE}index": f"logs-{UNATTRIBUTED}-{namespace}",
        }
    )
    common = "  " + rewritten(
        f'set("$HOST" value("{ECS}host.hostname"));',
        f'set("$PROGRAM" value("{ECS}log.syslog.appname"));',
        _SEVERITY,
    )
    rest = f"  else {{\n  rewrite {{\n{stranger}  }};\n    rewrite(r_mask_message);\n  }};\n"
    return source + _log("s_syslog", f"{common}\n{branches}{rest}")


# The older form and the newer one, told apart by what a message begins with.
_PROTOCOL = "flags(syslog-protocol)"


def journal(found: Sequence[Reading]) -> str:
    """The journal's records of the units that a component owns; all others stay where they are."""
    readings = of_kind(found, JournalSource)
    if not readings:
        return ""
    branches = ""
    for at, reading in enumerate(readings):
        assert isinstance(reading.source, JournalSource)
        unit = is_text(f'"${{{STATE}unit}}"', unit_name(reading.source.unit))
        branches += f"  {'if' if at == 0 else 'elif'} ({unit}) {{\n{steps(reading)}  }}\n"
    # What the manager itself says of a unit is that unit's.
    manager = (
        '  if ("${.journald._SYSTEMD_UNIT}" eq "init.scope" and "${.journald.UNIT}" ne "") { '
        + rewritten(f'set("${{.journald.UNIT}}" value("{STATE}unit"));')
        + " } else { "
        + rewritten(f'set("${{.journald._SYSTEMD_UNIT}}" value("{STATE}unit"));')
        + " };\n"
    )
    common = (
        manager
        + "  "
        + rewritten(
            f'set("$HOST" value("{ECS}host.hostname"));',
            f'set("${{{STATE}unit}}" value("{ECS}systemd.unit"));',
            _SEVERITY,
            'groupunset(values(".journald.*"));',
        )
    )
    none = '  else { filter { not match("." template("x") type(pcre)) }; };\n'
    return (
        'source s_journal { systemd-journal(prefix(".journald.") read-old-records(no)); };\n'
        + _log("s_journal", f"{common}\n{branches}{none}")
    )
