"""rsyslog: a daemon of its own beside the system's, with its unit and its variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from collectors.tagging.header import header
from collectors.tagging.machines import environment
from collectors.tagging.model import JournalSource, Plan, SyslogSource
from collectors.tagging.rsyslog_parts import inputs
from collectors.tagging.rsyslog_parts.records import library
from collectors.tagging.rsyslog_parts.sending import DEAD_LETTERS, REFUSED, credentials, sending
from collectors.tagging.rsyslog_parts.text import variable
from collectors.tagging.shipping import HOST, Reading, endpoint, of_kind
from collectors.tagging.syslog_daemons import host_file, notes, readable, unit
from collectors.tagging.texts import comment

NAME = "rsyslog"
CONFIG = "rsyslog.conf"
FOLDER = "/etc/headroom-rsyslog"
STATE = "/var/lib/headroom-rsyslog"

_PASSWORDS = "Version 8.2302 shows a name and a password; it knows no key of an API."
_OWN = "inputs.conf"
"""The file of what only one host has, in the folder of that host."""

_MODULES = ("imfile", "mmutf8fix", "omelasticsearch")


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/rsyslog.md for what each is for."""
    found = readable(plan)
    if not found:
        return {}
    shared, single = inputs.files(found)
    text = "\n".join(
        part
        for part in (
            comment(header(plan, NAME, *notes(plan, NAME), _PASSWORDS)) + _globals(found),
            library(plan),
            inputs.readers(found),
            shared,
            inputs.pods(found),
            inputs.syslog(plan, found),
            inputs.journal(found),
            sending(plan),
            _include() if single else "",
        )
        if part
    )
    hosts = {
        f"hosts/{host_file(host)}/{_OWN}": comment(
            header(plan, NAME, f"What only {host} has: {HOST} names its folder.")
        )
        + each
        for host, each in sorted(single.items())
    }
    return {CONFIG: text, **hosts, **_delivery(plan, found)}


def _globals(found: Sequence[Reading]) -> str:
    # A line of the file of refused requests holds a whole request.
    text = (
        f'global(workDirectory={variable("HEADROOM_STATE")} maxMessageSize="4m"\n'
        '  processInternalMessages="off" parser.permitSlashInProgramName="on")\n'
        'main_queue(queue.type="Direct")\n'
    )
    modules = [*_MODULES]
    if of_kind(found, SyslogSource):
        modules += ["imtcp", "imudp"]
    text += "".join(f'module(load="{name}")\n' for name in modules)
    if of_kind(found, JournalSource):
        text += (
            'module(load="imjournal" stateFile="imjournal" persistStateInterval="10"\n'
            '  ratelimit.interval="0" ignorePreviousMessages="on" workAroundJournalBug="on")\n'
        )
    return text


def _include() -> str:
    # Only a slash ends a variable's name; after anything else every host's files would be read.
    path = f"`echo $HEADROOM_CONFIG/hosts/$HEADROOM_HOST/{_OWN}`"
    return f'include(file={path} mode="optional")\n'


def _delivery(plan: Plan, found: Sequence[Reading]) -> dict[str, str]:
    name, _ = endpoint(plan)
    user, password = credentials(plan)
    variables = {
        name: with_port(endpoint(plan)[1]),
        user: "headroom",
        password: "",
        "HEADROOM_STATE": STATE,
        "HEADROOM_CONFIG": FOLDER,
    }
    if of_kind(found, SyslogSource):
        variables |= {"HEADROOM_SYSLOG_ADDRESS": "127.0.0.1", "HEADROOM_SYSLOG_PORT": "5514"}
    about = header(plan, NAME)
    note = f"{HOST} is the host's own name unless it is set here; addresses need their port."
    return {
        "headroom-rsyslog.env": environment((*about, note), variables, active=True),
        "headroom-rsyslog.service": comment(about) + _unit(found),
        "headroom-rsyslog.logrotate": comment(about) + _rotation(),
    }


def with_port(url: str) -> str:
    """An address with its port, without which this version takes 9200."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "http", url
    host, slash, path = rest.partition("/")
    if not re.search(r":[0-9]+$", host):
        host += ":443" if scheme == "https" else ":80"
    return f"{scheme}://{host}{slash}{path}"


def _unit(found: Sequence[Reading]) -> str:
    config = f"{FOLDER}/{CONFIG}"
    return unit(
        found,
        NAME,
        f"/usr/sbin/rsyslogd -N1 -f {config}",
        f"/usr/sbin/rsyslogd -n -i /run/headroom-rsyslog/pid -f {config}",
        # Told to end, it gives up the batch at hand; killed, it goes on with what is on disk.
        ("KillSignal=SIGKILL", "SuccessExitStatus=SIGKILL"),
    )


def _rotation() -> str:
    return (
        f"{STATE}{DEAD_LETTERS} {STATE}{REFUSED} {{\n"
        "  size 64M\n"
        "  rotate 4\n"
        "  missingok\n"
        "  notifempty\n"
        "  sharedscripts\n"
        "  postrotate\n"
        "    systemctl kill -s HUP headroom-rsyslog.service\n"
        "  endscript\n"
        "}\n"
    )
