"""How the agent gets onto hosts: a systemd unit, its environment file, and an Ansible play."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from collectors.tagging.model import Plan, Source
from collectors.tagging.otelcol_parts.assembly import STATE, needs_journal
from collectors.tagging.otelcol_parts.hosts import HOST
from collectors.tagging.texts import comment, yaml_text

UNIT = "headroom-otelcol.service"
ENVIRONMENT = "headroom-otelcol.env"
PLAY = "play.yaml"
_FOLDER = "/etc/headroom-otelcol"
_PROGRAM = "/usr/bin/otelcol-contrib"
_PLAIN_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def files(plan: Plan, header: Sequence[str]) -> dict[str, str]:
    """The unit, its environment file and the play."""
    return {
        UNIT: _unit(plan, header),
        ENVIRONMENT: _environment(header),
        PLAY: _play(plan, header),
    }


def _unit(plan: Plan, header: Sequence[str]) -> str:
    groups = "adm systemd-journal" if needs_journal(plan) else "adm"
    return comment(header) + (
        "[Unit]\n"
        "Description=OpenTelemetry Collector with Headroom's tags\n"
        "Wants=network-online.target\n"
        "After=network-online.target\n"
        "\n"
        "[Service]\n"
        f"Environment={HOST}=%H\n"
        f"EnvironmentFile=-{_FOLDER}/{ENVIRONMENT}\n"
        f"ExecStart={_PROGRAM} --config={_FOLDER}/agent.yaml\n"
        f"ExecStartPre={_PROGRAM} validate --config={_FOLDER}/agent.yaml\n"
        "User=headroom-otelcol\n"
        f"SupplementaryGroups={groups}\n"
        "StateDirectory=headroom-otelcol\n"
        "Restart=always\n"
        "RestartSec=5\n"
        "MemoryMax=1G\n"
        "NoNewPrivileges=yes\n"
        "ProtectSystem=strict\n"
        "ProtectHome=read-only\n"
        "PrivateTmp=no\n"
        "\n"
        "[Install]\n"
        "WantedBy=multi-user.target\n"
    )


def _environment(header: Sequence[str]) -> str:
    """Every variable that an agent on a host reads, with what it is without this file."""
    usual = {
        "HEADROOM_ENDPOINT": "http://127.0.0.1:8501",
        "HEADROOM_TOKEN": "none",
        "HEADROOM_STATE": STATE,
        "HEADROOM_QUEUE_BYTES": str(1 << 30),
        "HEADROOM_OTLP_GRPC_LISTEN": "127.0.0.1:4317",
        "HEADROOM_OTLP_HTTP_LISTEN": "127.0.0.1:4318",
        "HEADROOM_SYSLOG_TCP_LISTEN": "127.0.0.1:5514",
        "HEADROOM_SYSLOG_UDP_LISTEN": "127.0.0.1:5514",
        "HEADROOM_SYSLOG_PROTOCOL": "rfc5424",
        "HEADROOM_SYSLOG_TIMEZONE": "UTC",
        "HEADROOM_HEALTH_LISTEN": "127.0.0.1:13133",
        "HEADROOM_METRICS_PORT": "8888",
    }
    lines = "".join(f"#{name}={value}\n" for name, value in usual.items())
    return comment((*header, f"{HOST} is the host's own name unless it is set here.")) + lines


def hosts(plan: Plan) -> tuple[str, ...]:
    """The hosts that components with anything to read on them run on, by name."""
    return tuple(
        sorted(
            {
                host
                for stream in plan.streams
                if any(_on_hosts(source) for source in stream.sources)
                for host in stream.component.hosts
            }
        )
    )


def _on_hosts(source: Source) -> bool:
    return type(source).__name__ != "PodSource"


def _play(plan: Plan, header: Sequence[str]) -> str:
    every = hosts(plan)
    # Elsewhere in Ansible's patterns other signs mean sets of hosts, not one.
    plain = [host for host in every if _PLAIN_HOST.fullmatch(host)]
    odd = [host for host in every if host not in plain]
    left_out = (f"Hosts whose names Ansible cannot take: {', '.join(odd)}.",) if odd else ()
    play = {
        "name": "Collector with Headroom's tags",
        "hosts": plain or "headroom_otelcol",
        "become": True,
        "tasks": _tasks(),
        "handlers": [_systemd("Restart the collector", state="restarted", daemon_reload=True)],
    }
    return yaml_text([play], (*header, *left_out))


def _tasks() -> list[dict[str, Any]]:
    copies = {"agent.yaml": _FOLDER, UNIT: "/etc/systemd/system"}
    known = "{{ inventory_hostname }}"
    return [
        {
            "name": "Make the collector's user",
            "ansible.builtin.user": {
                "name": "headroom-otelcol",
                "system": True,
                "shell": "/usr/sbin/nologin",
            },
        },
        {
            "name": "Make the collector's folder",
            "ansible.builtin.file": {"path": _FOLDER, "state": "directory", "mode": "0755"},
        },
        _copy("the environment, once", ENVIRONMENT, _FOLDER, mode="0600", force=False),
        {
            "name": "Tell the collector the host's name in the applications' files",
            "ansible.builtin.lineinfile": {
                "path": f"{_FOLDER}/{ENVIRONMENT}",
                "regexp": f"^{HOST}=",
                "line": f"{HOST}={known}",
            },
            "notify": "Restart the collector",
        },
        *(_copy(name, name, folder, mode="0644") for name, folder in copies.items()),
        {
            "name": "Check the configuration",
            "ansible.builtin.command": {
                "argv": [_PROGRAM, "validate", f"--config={_FOLDER}/agent.yaml"]
            },
            "changed_when": False,
        },
        _systemd("Start the collector", state="started", enabled=True, daemon_reload=True),
    ]


def _copy(what: str, source: str, folder: str, **more: Any) -> dict[str, Any]:
    return {
        "name": f"Copy {what}",
        "ansible.builtin.copy": {"src": source, "dest": f"{folder}/{source}", **more},
        "notify": "Restart the collector",
    }


def _systemd(name: str, **state: Any) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.systemd": {"name": UNIT, **state}}
