"""syslog-ng: a daemon of its own beside the system's, with its unit and its variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.tagging.header import header
from collectors.tagging.machines import environment
from collectors.tagging.model import Plan, PodSource, SyslogSource
from collectors.tagging.places import called
from collectors.tagging.shipping import HOST, Reading, endpoint, of_kind
from collectors.tagging.syslog_daemons import by_labels, host_file, notes, readable, unit
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
    found = readable(plan)
    if not found:
        return {}
    shared, single = paths.files(found)
    version = plan.version("syslog-ng", VERSION)
    text = "\n".join(
        part
        for part in (
            f"@version: {version[0]}.{version[1] if len(version) > 1 else 0}\n"
            + comment(header(plan, NAME, *notes(plan, NAME), *_more_notes(plan, version))),
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


def _more_notes(plan: Plan, version: Sequence[int]) -> tuple[str, ...]:
    apart = [
        called(stream)
        for stream, source in plan.of(PodSource)
        if source.multiline is not None and not by_labels(source)
    ]
    return (
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
    program, config, run = "/usr/sbin/syslog-ng", f"{FOLDER}/{CONFIG}", "/run/headroom-syslog-ng"
    return unit(
        found,
        NAME,
        f"{program} --syntax-only --cfgfile={config}",
        f"{program} --foreground --no-caps --cfgfile={config} --persist-file={STATE}/persist"
        f" --control={run}/control --pidfile={run}/pid",
        (),
    )
