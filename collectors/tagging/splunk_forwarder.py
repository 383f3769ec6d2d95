"""Splunk Universal Forwarder: an app for all hosts, one for each that differs, one for indexers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from collectors.tagging.header import header
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from collectors.tagging.places import (
    called,
    named,
    names_of_hosts,
    not_collected,
    rivals,
    unit_name,
)
from collectors.tagging.splunk_parts import parsing
from collectors.tagging.splunk_parts.conf import Stanza, field, stanza, written
from collectors.tagging.splunk_parts.parsing import Read
from collectors.tagging.texts import comment

NAME = "the Splunk Universal Forwarder"

_LEFT_OUT = {
    PodSource: "by pods: use the OpenTelemetry Collector there",
    OtlpSource: "by OTLP: use the OpenTelemetry Collector",
}
_PACKED = r"\.(?:gz|bz2|xz|zst|zip)$"
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_SPECIAL = set("[](){}|^$\\+?")


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/splunk-forwarder.md for each."""
    reads = [
        Read(name=name, stream=stream, source=source)
        for kind in (FileSource, JournalSource)
        for name, stream, source in named(plan, kind)
        if _problem(source) is None
    ]
    if not reads and not plan.of(SyslogSource):
        return {}
    app = f"headroom_{plan.env}"
    every = [read for read in reads if not _bound(plan, read)]
    found = {
        **_app(plan, app, "For forwarders on every host."),
        f"{app}/default/inputs.conf": _text(plan, [*_inputs(every), *_syslog(plan)], *_notes(plan)),
        f"{app}/default/outputs.conf": _text(plan, _outputs()),
        f"{app}/default/limits.conf": _text(plan, [stanza("thruput", {"maxKBps": 0})]),
        **_parsing(plan, app, reads),
    }
    apart: dict[str, list[Read]] = {}
    for read in reads:
        if _bound(plan, read):
            apart.setdefault(f"{app}_{read.name}", []).append(read)
    for name, own in apart.items():
        found |= _app(plan, name, f"For the hosts of {called(own[0].stream)}.")
        found[f"{name}/default/inputs.conf"] = _text(plan, _inputs(own))
    indexers = f"{app}_indexers"
    indexes = dict.fromkeys(parsing.index(stream) for stream in plan.streams if stream.sources)
    return {
        **found,
        **_app(plan, indexers, "For indexers, heavy forwarders and search heads."),
        **_parsing(plan, indexers, reads),
        f"{indexers}/default/indexes.conf": _text(plan, map(_index, indexes)),
        "serverclass.conf": _text(plan, _classes(plan, app, apart)),
    }


def _app(plan: Plan, name: str, purpose: str) -> dict[str, str]:
    described = [
        stanza("install", {"is_configured": True, "state": "enabled"}),
        stanza("ui", {"is_visible": False, "label": f"Headroom {plan.env}"}),
        stanza("launcher", {"author": "headroom", "version": "1.0.0"}),
        stanza("package", {"id": name, "check_for_updates": False}),
    ]
    rights = {"access": "read : [ * ], write : [ admin ]", "export": "system"}
    return {
        f"{name}/default/app.conf": _text(plan, described, purpose),
        f"{name}/metadata/default.meta": _text(plan, [stanza("", rights)]),
    }


def _parsing(plan: Plan, app: str, reads: Sequence[Read]) -> dict[str, str]:
    return {
        f"{app}/default/props.conf": _text(plan, parsing.props(plan, reads)),
        f"{app}/default/transforms.conf": _text(plan, parsing.transforms(plan, reads)),
        f"{app}/default/fields.conf": _text(plan, parsing.fields(plan)),
    }


def _text(plan: Plan, stanzas: Iterable[Stanza], *about: str) -> str:
    return written(stanzas, comment(header(plan, NAME, *about)) + "\n")


def _notes(plan: Plan) -> list[str]:
    return [*not_collected(plan, _LEFT_OUT), *_unfit(plan), *parsing.unsaid(plan)]


def _inputs(reads: Sequence[Read]) -> list[Stanza]:
    found = []
    for read in reads:
        common = {
            "disabled": False,
            "index": parsing.index(read.stream),
            "sourcetype": parsing.source_type(read.name),
            "_meta": _meta(read.stream),
        }
        if isinstance(read.source, FileSource):
            # With crcSalt a renamed file would be read again; a longer head tells files apart.
            more = {
                "initCrcLength": 1024,
                "blacklist": _PACKED,
                "multiline_event_extra_waittime": True,
                "time_before_close": 10,
            }
            found.append(stanza(f"monitor://{read.source.path}", {**common, **more}))
        elif isinstance(read.source, JournalSource):
            more = {"interval": 10, "journalctl-unit": unit_name(read.source.unit)}
            found.append(stanza(f"journald://{read.name}", {**common, **more}))
    return found


def _meta(stream: Stream) -> str:
    return " ".join(field(name, value) for name, value in parsing.tags(stream).items())


def _syslog(plan: Plan) -> list[Stanza]:
    if not plan.of(SyslogSource):
        return []
    common = {
        "disabled": False,
        "sourcetype": parsing.SYSLOG,
        "connection_host": "none",
        "queueSize": "1MB",
        "persistentQueueSize": "500MB",
    }
    stripped = {"no_priority_stripping": True, "no_appending_timestamp": True}
    return [
        stanza("tcp://127.0.0.1:5514", common),
        stanza("udp://127.0.0.1:5514", {**common, **stripped}),
    ]


def _outputs() -> list[Stanza]:
    return [
        stanza("tcpout", {"defaultGroup": "headroom"}),
        stanza(
            "tcpout:headroom",
            {
                "server": "127.0.0.1:9997",
                "useACK": True,
                "maxQueueSize": "64MB",
                "autoLBFrequency": 30,
                "dropEventsOnQueueFull": -1,
            },
        ),
    ]


def _index(name: str) -> Stanza:
    paths = {"homePath": "db", "coldPath": "colddb", "thawedPath": "thaweddb"}
    own = {key: f"$SPLUNK_DB/{name}/{folder}" for key, folder in paths.items()}
    return stanza(name, {**own, "frozenTimePeriodInSecs": 30 * 86_400})


def _classes(plan: Plan, app: str, apart: Mapping[str, Sequence[Read]]) -> list[Stanza]:
    restart = {"restartSplunkd": True, "stateOnClient": "enabled"}
    found = [
        stanza(f"serverClass:{app}", {"whitelist.0": "*"}),
        stanza(f"serverClass:{app}:app:{app}", restart),
    ]
    for name, (read, *_) in apart.items():
        source = read.source
        hosts = source.hosts if isinstance(source, FileSource) else ()
        others = rivals(plan, source) if isinstance(source, FileSource) else ()
        listed = _listed("whitelist", names_of_hosts(plan, hosts)) or {
            "whitelist.0": "*",
            **_listed("blacklist", names_of_hosts(plan, others)),
        }
        found.append(stanza(f"serverClass:{name}", listed))
        found.append(stanza(f"serverClass:{name}:app:{name}", restart))
    return found


def _listed(kind: str, hosts: Sequence[str]) -> dict[str, str]:
    # Elsewhere other signs would mean sets of hosts.
    plain = [host for host in hosts if _HOST.fullmatch(host)]
    return {f"{kind}.{at}": host for at, host in enumerate(plain)}


def _bound(plan: Plan, read: Read) -> bool:
    source = read.source
    return isinstance(source, FileSource) and bool(source.hosts or rivals(plan, source))


def _problem(source: Source) -> str | None:
    """What the syntax of stanzas cannot hold of a source."""
    if isinstance(source, FileSource):
        held = source.path
        fits = not _SPECIAL & set(held) and "..." not in held and held == held.strip()
        return None if fits else held
    if isinstance(source, JournalSource):
        held = source.unit
        return held if held != held.strip() or held.endswith("\\") else None
    return None


def _unfit(plan: Plan) -> list[str]:
    return [
        f"Not collected here: {problem} of {called(stream)}: Splunk reads its signs as its own."
        for stream in plan.streams
        for source in stream.sources
        if (problem := _problem(source)) is not None
    ]
