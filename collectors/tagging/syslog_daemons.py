"""What rsyslog and syslog-ng have in common: fields, hosts, pods, and how they are run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from collectors.tagging.model import FileSource, JournalSource, OtlpSource, Plan, PodSource
from collectors.tagging.places import called
from collectors.tagging.shipping import (
    HOST,
    Reading,
    destination_notes,
    left_out,
    of_kind,
    readings,
)

SENDER = (
    *("host.hostname", "log.file.path", "log.syslog.appname", "systemd.unit"),
    *("kubernetes.namespace", "kubernetes.pod.name", "kubernetes.pod.uid"),
    "kubernetes.container.name",
)
"""Fields of a document that say where a record was read: a record cannot."""

LIFTED = ("log.level", "trace.id", "span.id", "service.version")
"""Fields of a document that are lifted out of a record."""

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


def by_labels(source: PodSource) -> bool:
    """Whether only their labels, which nothing on a node's disk holds, tell the pods apart."""
    return source.pods is None and bool(source.labels)


def readable(plan: Plan) -> tuple[Reading, ...]:
    """Every source that such a daemon can read and tell apart."""
    return tuple(
        each
        for each in readings(plan)
        if not (isinstance(each.source, PodSource) and by_labels(each.source))
    )


def notes(plan: Plan, program: str) -> tuple[str, ...]:
    """Sentences for a header: where records go, and which are not collected."""
    unknown = [called(stream) for stream, source in plan.of(PodSource) if by_labels(source)]
    return (
        "Records go to the Elasticsearch-compatible intake of their destination.",
        *destination_notes(plan, program),
        *left_out(plan, {OtlpSource: "OTLP"}),
        *(f"Not collected here: {name}, whose pods only labels tell apart." for name in unknown),
    )


def hosts_by_path(found: Sequence[Reading]) -> dict[str, list[str]]:
    """The hosts that any source of a file names, by the file's path."""
    hosts: dict[str, list[str]] = {}
    for each in found:
        if isinstance(each.source, FileSource):
            hosts.setdefault(each.source.path, []).extend(each.hosts)
    return hosts


def host_file(host: str) -> str:
    """The name of a host's file: the host's own unless it is none for a file."""
    if _SAFE.fullmatch(host):
        return host
    digest = hashlib.sha256(host.encode()).hexdigest()[:12]
    return f"{re.sub('[^A-Za-z0-9]+', '-', host).strip('-')[:40]}-{digest}"


def unit(found: Sequence[Reading], name: str, check: str, run: str, more: Sequence[str]) -> str:
    """A systemd unit: ``check`` and ``run`` are commands, ``more`` lines of the service."""
    groups = "adm systemd-journal" if of_kind(found, JournalSource) else "adm"
    lines = (
        "[Unit]",
        f"Description={name} with Headroom's tags",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        f"Environment={HOST}=%H",
        f"EnvironmentFile=/etc/headroom-{name}/headroom-{name}.env",
        f"ExecStartPre={check}",
        f"ExecStart={run}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        *more,
        f"SupplementaryGroups={groups}",
        f"StateDirectory=headroom-{name}",
        "StateDirectoryMode=0700",
        f"RuntimeDirectory=headroom-{name}",
        "Restart=always",
        "RestartSec=5",
        "MemoryMax=1G",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    )
    return "\n".join(lines) + "\n"
