"""Components that read lines: files, pods, the journal and syslog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from collectors.tagging.alloy_parts.syntax import (
    Block,
    Expression,
    block,
    joined,
    reference,
    variable,
)
from collectors.tagging.model import FileSource, JournalSource, Plan, PodSource, SyslogSource
from collectors.tagging.otelcol_parts.text import glob_path, glob_regex
from collectors.tagging.places import named, names_of_hosts, rivals, unit_name
from slo.portable_regex import escaped

HOST = variable("HEADROOM_HOST", Expression(text="constants.hostname"))
"""The name of the host that Alloy runs on."""

_PACKED = "/**/*.{gz,bz2,xz,zst}"
_META = "__meta_kubernetes_pod_"
_OWN = {"namespace": "__meta_kubernetes_namespace"}
_KEPT = {"pod": "name", "container": "container_name", "node": "node_name", "pod_uid": "uid"}


def files(plan: Plan) -> Iterator[Block]:
    """Readers of files, each by its path."""
    for name, _, source in named(plan, FileSource):
        targets: Any = [{"__path__": glob_path(source.path), "__path_exclude__": _PACKED}]
        rule, host = _host_rule(plan, source)
        if rule is not None:
            hosts = block(
                "discovery.relabel",
                rule,
                label=name,
                targets=[{**targets[0], "__host__": host}],
            )
            yield hosts
            targets = hosts.export("output")
        found = block("local.file_match", label=name, path_targets=targets)
        yield found
        yield block(
            "loki.source.file",
            label=name,
            targets=found.export("targets"),
            forward_to=[_process(name)],
        )


def _host_rule(plan: Plan, source: FileSource) -> tuple[Block | None, Expression]:
    others = rivals(plan, source)
    if not source.hosts:
        drop = _rule("drop", ["__host__"], _any(names_of_hosts(plan, others)))
        return (drop if others else None), HOST
    ours = _any(names_of_hosts(plan, source.hosts))
    if others:
        return _rule("keep", ["__host__"], ours), HOST
    # Where nobody else claims the path, a host that was not told its name reads it.
    return _rule("keep", ["__host__"], f"|{ours}"), variable("HEADROOM_HOST")


def pods(plan: Plan) -> Iterator[Block]:
    """Readers of pods by the API, for the node that Alloy runs on."""
    sources = named(plan, PodSource)
    found = block(
        "discovery.kubernetes",
        block("namespaces", names=sorted({source.namespace for _, _, source in sources})),
        block(
            "selectors",
            role="pod",
            field=joined(
                "spec.nodeName=", variable("NODE_NAME", Expression(text="constants.hostname"))
            ),
        ),
        label="pods",
        role="pod",
    )
    yield found
    for name, _, source in sources:
        others = [each for _, _, each in sources if _goes_first(each, source)]
        own = block(
            "discovery.relabel",
            *_chosen(source),
            *(_rule("drop", *_selector(each)) for each in others),
            *_pod_labels(),
            label=name,
            targets=found.export("targets"),
        )
        yield own
        yield block(
            "loki.source.kubernetes",
            label=name,
            targets=own.export("output"),
            forward_to=[_process(name)],
        )


def _goes_first(other: PodSource, source: PodSource) -> bool:
    """Whether pods that both could mean are the other's, which says more of them."""
    if other is source or other.namespace != source.namespace:
        return False
    if other.workload is not None and source.workload is not None:
        longer = other.workload.startswith(f"{source.workload}-")
        same = other.workload == source.workload
        return longer or (same and other.container is not None and source.container is None)
    return _rank(other) > _rank(source)


def _rank(source: PodSource) -> tuple[bool, int, bool]:
    return source.workload is not None, len(source.labels), source.container is not None


def _selector(source: PodSource) -> tuple[list[str], str]:
    """The labels that tell a source's targets in its namespace, and what they match."""
    wanted = [("__meta_kubernetes_namespace", escaped(source.namespace))]
    if source.pods is not None:
        pods_named = source.pods.removeprefix("^").removesuffix("$")
        wanted.append((f"{_META}name", f"(?:{pods_named})"))
    else:
        wanted += [(_label(key), escaped(value)) for key, value in source.labels.items()]
    if source.container is not None:
        wanted.append((f"{_META}container_name", escaped(source.container)))
    return [label for label, _ in wanted], ";".join(match for _, match in wanted)


def _chosen(source: PodSource) -> Iterator[Block]:
    yield _rule("keep", *_selector(source))


def _label(key: str) -> str:
    return f"{_META}label_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}"


def _pod_labels() -> Iterator[Block]:
    for label, meta in _OWN.items():
        yield block("rule", source_labels=[meta], target_label=label)
    for label, meta in _KEPT.items():
        yield block("rule", source_labels=[f"{_META}{meta}"], target_label=label)
    # A pod is found once for each of its ports, and must be read once.
    yield block("rule", action="labeldrop", regex=f"{_META}container_port_.*")
    yield block("rule", target_label="__address__", replacement="pod")


def journal(plan: Plan) -> Iterator[Block]:
    """One reader of the journal, and a filter for each unit."""
    units = named(plan, JournalSource)
    if not units:
        return
    rules = block(
        "loki.relabel",
        *_copies({"__journal__systemd_unit": "unit", "__journal_unit": "unit"}),
        *_copies({"__journal__hostname": "host", "__journal_priority_keyword": "level"}),
        _rule("keep", ["unit"], "|".join(dict.fromkeys(_unit(each.unit) for _, _, each in units))),
        label="journal",
        forward_to=[],
    )
    yield rules
    yield block(
        "loki.source.journal",
        label="units",
        relabel_rules=rules.export("rules"),
        max_age="24h",
        forward_to=[reference("loki.relabel", name) for name, _, _ in units],
    )
    for name, _, source in units:
        yield _filter(name, ["unit"], _unit(source.unit))


def _unit(name: str) -> str:
    unit = unit_name(name)
    return glob_regex(unit)[1:-1] if "*" in unit or "?" in unit else escaped(unit)


def syslog(plan: Plan) -> Iterator[Block]:
    """Listeners by both transports, and a filter for each program."""
    programs = named(plan, SyslogSource)
    if not programs:
        return
    rules = block(
        "loki.relabel",
        *_copies({"__syslog_message_app_name": "program", "__syslog_message_hostname": "host"}),
        *_copies({"__syslog_message_severity": "level"}),
        label="syslog",
        forward_to=[],
    )
    yield rules
    chosen = [(name, _program(plan, source)) for name, _, source in programs]
    yield block(
        "loki.source.syslog",
        *(_listener(transport) for transport in ("tcp", "udp")),
        label="programs",
        relabel_rules=rules.export("rules"),
        forward_to=[
            *(reference("loki.relabel", name) for name, _ in chosen),
            reference("loki.relabel", OTHERS),
        ],
    )
    for (name, of), (_, _, source) in zip(chosen, programs, strict=True):
        elsewhere = () if source.hosts else names_of_hosts(plan, rivals(plan, source))
        drop = [_rule("drop", ["host"], _any(elsewhere))] if elsewhere else []
        yield _filter(name, *of, *drop)
    yield block(
        "loki.relabel",
        *(_rule("drop", *of) for _, of in chosen),
        label=OTHERS,
        forward_to=[_process(OTHERS)],
    )


OTHERS = "syslog_others"
"""What is called for messages of programs that nobody claims."""


def _listener(transport: str) -> Block:
    address = variable(f"HEADROOM_SYSLOG_{transport.upper()}_LISTEN", "127.0.0.1:5514")
    return block(
        "listener",
        address=address,
        protocol=transport,
        syslog_format=variable("HEADROOM_SYSLOG_PROTOCOL", "rfc5424"),
        use_incoming_timestamp=True,
    )


def _program(plan: Plan, source: SyslogSource) -> tuple[list[str], str]:
    program = escaped(source.program)
    others = rivals(plan, source)
    if source.hosts:
        ours = _any(names_of_hosts(plan, source.hosts))
        return ["program", "host"], f"{program};({ours if others else f'|{ours}'})"
    return ["program"], program


def _filter(name: str, labels: Sequence[str], regex: str, *more: Block) -> Block:
    kept = _rule("keep", labels, regex)
    return block("loki.relabel", kept, *more, label=name, forward_to=[_process(name)])


def _copies(labels: dict[str, str]) -> Iterator[Block]:
    for source, target in labels.items():
        yield block("rule", source_labels=[source], regex="(.+)", target_label=target)


def _rule(action: str, labels: Sequence[str], regex: str) -> Block:
    return block("rule", source_labels=[*labels], regex=regex, action=action)


def _any(names: Iterable[str]) -> str:
    return "|".join(map(escaped, names))


def _process(name: str) -> Expression:
    return reference("loki.process", name)
