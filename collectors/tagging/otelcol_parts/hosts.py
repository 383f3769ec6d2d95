"""Which hosts a source is on, as conditions of operators."""

from __future__ import annotations

from collections import Counter

from collectors.tagging.model import FileSource, Plan, SyslogSource
from collectors.tagging.otelcol_parts.text import listed

HOST = "HEADROOM_HOST"
"""The variable that holds the name of the host that an agent runs on."""


def elsewhere(plan: Plan, source: FileSource) -> str | None:
    """The condition that a file's record was read on a host that does not count, if any does not.

    Where nobody else claims the path, an agent that does not know its host reads it.
    """
    if not source.hosts:
        return None
    here = f'env("{HOST}")'
    other = f"not ({here} in {listed(_called(plan, source.hosts))})"
    rivals = sum(each.path == source.path for _, each in plan.of(FileSource))
    return other if rivals > 1 else f'{here} != "" and {other}'


def sent_from(plan: Plan, source: SyslogSource) -> str | None:
    """The condition that a message came from one of the hosts that count, if not all do."""
    if not source.hosts:
        return None
    ours = f"attributes.hostname in {listed(_called(plan, source.hosts))}"
    rivals = sum(each.program == source.program for _, each in plan.of(SyslogSource))
    return ours if rivals > 1 else f"(attributes.hostname == nil or {ours})"


def _called(plan: Plan, hosts: tuple[str, ...]) -> tuple[str, ...]:
    """Hosts by their names, and by their first part where only one host has it."""
    every = {host for stream in plan.streams for host in stream.component.hosts}
    parts = Counter(_short(host) for host in every)
    short = (_short(host) for host in hosts if parts[_short(host)] == 1)
    return tuple(dict.fromkeys((*hosts, *short)))


def _short(host: str) -> str:
    first, _, rest = host.partition(".")
    return host if not first or first.isdigit() or not rest else first
