"""syslog-ng: a daemon of its own beside the system's, with its unit and its variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.tagging.header import header
from collectors.tagging.machines import environment
from collectors.tagging.model import JournalSource, OtlpSource, Plan, PodSource, SyslogSource
from collectors.tagging.places import called
from collectors.tagging.rsyslog import host_file
from collectors.tagging.shipping import (
    HOST,
    Reading,
    destination_notes,
    endpoint,
    left_out,
    of_kind,
    readings,
)
from collectors.tagging.syslog_ng_parts import paths
from collectors.tagging.syslog_ng_parts.records import library, owner
from collectors.tagging.syslog_ng_parts.sending import credentials, sending
from collectors.tagging.texts import comment

NAME = "syslog-ng"
VERSION = "3.38"
"""The version that files are for unless the workspace names another."""

CONFIG = "syslog-ng.conf"
FOLDER = "/etc/headroom-syslog-ng"
STATE = "/var/lib/headroom-syslog-ng"

_OPTIONS = """\
options {
  keep-hostname(yes); chain-hostnames(no); use-dns(no); use-fqdn(no); use-uniqid(yes);
  ts-format(iso); frac-digits(6); log-msg-size(262144); time-reopen(10);
  log-fifo-size(100000); stats-freq(600);
};
"""


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/syslog-ng.md for what each is for."""
    found = _read(readings(plan))
    if not found:
        return {}
    shared, single = paths.files(found)
    version = plan.version("syslog-ng", VERSION)
    text = "\n".join(
        part
        for part in (
            f"@version: {version[0]}.{version[1] if len(version) > 1 else 0}\n"
            + comment(header(plan, NAME, *_notes(plan, version))),
            _OPTIONS,
            library(plan),
            "".join(owner(each) for each in found),
            sending(plan),
            shared,
            paths.pods(found),
            paths.syslog(plan, found),
            paths.journal(found),
            # Without the sign for any character a file that is not there would be a fault.
            '@include "`HEADROOM_CONFIG`/hosts/`HEADROOM_HOST`.con?"\n' if single else "",
        )
        if part
    )
    hosts = {
        f"hosts/{host_file(host)}.conf": comment(
            header(plan, NAME, f"What only {host} has: {HOST} names this file.")
        )
        + each
        for host, each in sorted(single.items())
    }
    return {CONFIG: text, **hosts, **_delivery(plan, found)}


def _read(found: Sequence[Reading]) -> tuple[Reading, ...]:
    return tuple(
        each
        for each in found
        if not (isinstance(each.source, PodSource) and paths.by_labels(each.source))
    )


def _notes(plan: Plan, version: Sequence[int]) -> tuple[str, ...]:
    pods = plan.of(PodSource)
    unknown = [called(stream) for stream, source in pods if paths.by_labels(source)]
    apart = [
        called(stream)
        for stream, source in pods
        if source.multiline is not None and not paths.by_labels(source)
    ]
    return (
        "Records go to the Elasticsearch-compatible intake of their destination.",
        *destination_notes(plan, NAME),
        *left_out(plan, {OtlpSource: "OTLP"}),
        *(f"Not collected here: {name}, whose pods only labels tell apart." for name in unknown),
        *(f"Lines of {name} are not joined: all pods are read by one source." for name in apart),
        *(("Version 3 sends numbers of JSON as texts.",) if tuple(version) < (4,) else ()),
        "What a destination refuses for a single document is not seen: there is no dead letter.",
    )


def _delivery(plan: Plan, found: Sequence[Reading]) -> dict[str, str]:
    name, where = endpoint(plan)
    variables = {
        name: where,
        **dict.fromkeys(credentials(plan), "none"),
        "HEADROOM_STATE": STATE,
        "HEADROOM_CONFIG": FOLDER,
    }
    if of_kind(found, SyslogSource):
        variables |= {"HEADROOM_SYSLOG_ADDRESS": "127.0.0.1", "HEADROOM_SYSLOG_PORT": "5514"}
    about = header(plan, NAME)
    note = f"{HOST} is the host's own name unless it is set here."
    return {
        "headroom-syslog-ng.env": environment((*about, note), variables, active=True),
        "headroom-syslog-ng.service": comment(about) + _unit(found),
    }


def _unit(found: Sequence[Reading]) -> str:
    groups = "adm systemd-journal" if of_kind(found, JournalSource) else "adm"
    run = "/run/headroom-syslog-ng"
    return (
        "[Unit]\n"
        "Description=syslog-ng with Headroom's tags\n"
        "Wants=network-online.target\n"
        "After=network-online.target\n"
        "\n"
        "[Service]\n"
        f"Environment={HOST}=%H\n"
        f"EnvironmentFile={FOLDER}/headroom-syslog-ng.env\n"
        f"ExecStartPre=/usr/sbin/syslog-ng --syntax-only --cfgfile={FOLDER}/{CONFIG}\n"
        f"ExecStart=/usr/sbin/syslog-ng --foreground --no-caps --cfgfile={FOLDER}/{CONFIG}"
        f" --persist-file={STATE}/persist --control={run}/control --pidfile={run}/pid\n"
        "ExecReload=/bin/kill -HUP $MAINPID\n"
        f"SupplementaryGroups={groups}\n"
        "StateDirectory=headroom-syslog-ng\n"
        "StateDirectoryMode=0700\n"
        "RuntimeDirectory=headroom-syslog-ng\n"
        "Restart=always\n"
        "RestartSec=5\n"
        "MemoryMax=1G\n"
        "NoNewPrivileges=yes\n"
        "ProtectSystem=strict\n"
        "ProtectHome=read-only\n"
        "\n"
        "[Install]\n"
        "WantedBy=multi-user.target\n"
    )
