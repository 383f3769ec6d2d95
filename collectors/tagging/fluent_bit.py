"""Fluent Bit: one configuration for hosts and one for Kubernetes nodes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from collectors.tagging.fluent_bit_pipeline import FOLDER, STATE, sections
from collectors.tagging.fluent_bit_script import SCRIPT, script
from collectors.tagging.header import header
from collectors.tagging.machines import Node, daemonset, drop_in, environment
from collectors.tagging.model import (
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    SyslogSource,
)
from collectors.tagging.shipping import (
    HOST,
    Reading,
    endpoint,
    is_elastic,
    left_out,
    of_kind,
    readings,
)
from collectors.tagging.texts import comment, yaml_text
from slo.collecting import Destination

NAME = "Fluent Bit"
VERSION = "5.1"
"""The version that files are for unless the workspace names another."""

_PLAIN_UNIT = re.compile(r"[A-Za-z0-9:_.@-]+")
_REJECTED_SINCE = (4, 2)
_NOT_ON_NODES: Mapping[type[Source], str] = {
    FileSource: "file",
    JournalSource: "journald",
    SyslogSource: "syslog",
}
_ALSO_OTLP = "Not collected here: OTLP; let services send it to Headroom itself."
_VARIABLES = "Its variables have no defaults of their own: headroom.env holds them."

Part = dict[str, Any]


def files(plan: Plan) -> Mapping[str, str]:
    """The files for one environment; see docs/collectors/fluent-bit.md for what each is for."""
    if not plan.streams:
        return {}
    every = readings(plan)
    found = tuple(each for each in every if _is_readable(each))
    odd = [each.stream for each in every if not _is_readable(each)]
    common = (_VARIABLES, *_notes(plan), *([_ALSO_OTLP] if plan.of(OtlpSource) else []))
    pods = of_kind(found, PodSource)
    on_host = [each for each in found if not isinstance(each.source, PodSource)]
    about = header(
        plan,
        NAME,
        "For hosts.",
        *common,
        *left_out(plan, {PodSource: "pods"}),
        *(f"Not collected here: a unit of {each.app}, whose name is a pattern." for each in odd),
    )
    program = script(plan, found, resources=not is_elastic(plan))
    text = comment(header(plan, NAME), "--") + program
    made = {
        "fluent-bit.yaml": yaml_text({"service": _service(plan), **sections(plan, on_host)}, about),
        SCRIPT: text,
        "headroom.conf": drop_in(
            header(plan, NAME, "For /etc/systemd/system/fluent-bit.service.d/."),
            f"{FOLDER}/headroom.env",
            [
                f"Environment={HOST}=%H",
                "StateDirectory=headroom-fluent-bit",
                "ExecStart=",
                f"ExecStart=/opt/fluent-bit/bin/fluent-bit -c {FOLDER}/fluent-bit.yaml",
            ],
        ),
        "headroom.env": environment(header(plan, NAME), _environment(plan), active=True),
    }
    if not pods:
        return made
    about = header(plan, NAME, "For Kubernetes nodes.", *common, *left_out(plan, _NOT_ON_NODES))
    config = yaml_text({"service": _service(plan), **sections(plan, pods)}, about)
    return made | {
        "fluent-bit-kubernetes.yaml": config,
        "daemonset.yaml": _daemonset(plan, {"fluent-bit.yaml": config, SCRIPT: text}, about),
    }


def _is_readable(reading: Reading) -> bool:
    source = reading.source
    return not isinstance(source, JournalSource) or bool(_PLAIN_UNIT.fullmatch(source.unit))


def _notes(plan: Plan) -> tuple[str, ...]:
    asked = plan.settings.destination
    if is_elastic(plan) or asked is Destination.OTLP:
        return ()
    return (f"{NAME} does not send to {asked} here: records go to Headroom.",)


def _service(plan: Plan) -> Part:
    rejected = {"storage.keep.rejected": "on", "storage.rejected.path": "rejected"}
    return {
        "flush": 1,
        "grace": 30,
        "log_level": "info",
        "scheduler.base": 2,
        "scheduler.cap": 60,
        "storage.path": f"{STATE}/storage",
        "storage.sync": "normal",
        "storage.max_chunks_up": 64,
        "storage.backlog.mem_limit": "16M",
        **(rejected if plan.version("fluent-bit", VERSION) >= _REJECTED_SINCE else {}),
    }


def _environment(plan: Plan) -> Mapping[str, str]:
    _, default = endpoint(plan)
    name = "ELASTICSEARCH" if is_elastic(plan) else "HEADROOM"
    url = urlsplit(default)
    secure = url.scheme == "https"
    port = url.netloc.rpartition(":")[2]
    return {
        f"{name}_ENDPOINT_HOST": url.hostname or "127.0.0.1",
        f"{name}_ENDPOINT_PORT": port if port.isdigit() else "443" if secure else "80",
        f"{name}_ENDPOINT_TLS": "on" if secure else "off",
        f"{name}_PATH": url.path,
        **dict.fromkeys(_credentials(plan), "none"),
        "HEADROOM_SYSLOG_BIND": "127.0.0.1",
        "HEADROOM_SYSLOG_PORT": "5514",
        "HEADROOM_SYSLOG_PROTOCOL": "rfc5424",
        "HEADROOM_DOLLAR": "$",
        "HEADROOM_CLOSE": "}",
    }


def _credentials(plan: Plan) -> tuple[str, ...]:
    if plan.settings.destination is Destination.OPENSEARCH:
        return "OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD"
    return ("ELASTICSEARCH_API_KEY",) if is_elastic(plan) else ("HEADROOM_TOKEN",)


def _daemonset(plan: Plan, texts: Mapping[str, str], about: Sequence[str]) -> str:
    version = (*plan.version("fluent-bit", VERSION), 1)[:3]
    secrets = _credentials(plan)
    node = Node(
        name="headroom-fluent-bit",
        image=f"fluent/fluent-bit:{'.'.join(map(str, version))}",
        args=["-c", f"{FOLDER}/fluent-bit.yaml"],
        files=texts,
        mount=FOLDER,
        state=STATE,
        environment={
            name: value for name, value in _environment(plan).items() if name not in secrets
        },
        secrets=secrets,
    )
    return daemonset(about, plan.env, node)
