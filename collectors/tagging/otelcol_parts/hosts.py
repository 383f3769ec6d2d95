"""Which hosts a source is on, as conditions of operators."""

from __future__ import annotations

from collectors.tagging.model import FileSource, Plan, SyslogSource
from collectors.tagging.otelcol_parts.text import listed
from collectors.tagging.places import claimants, names_of_hosts

HOST = "HEADROOM_HOST"
"""The variable that holds the name of the host that an agent runs on."""


def elsewhere(plan: Plan, source: FileSource) -> str | None:
    """The condition that a file's record was read on a host that does not count, if any does not.

    Where nobody else claims the path, an agent that does not know its host reads it.
    """
    if not source.hosts:
        return None
    here = f'env("{HOST}")'
    other = f"not ({here} in {listed(names_of_hosts(plan, source.hosts))})"
    return other if len(claimants(plan, source)) > 1 else f'{here} != "" and {other}'


def sent_from(plan: Plan, source: SyslogSource) -> str | None:
    """The condition that a message came from one of the hosts that count, if not all do."""
    if not source.hosts:
        return None
    ours = f"attributes.hostname in {listed(names_of_hosts(plan, source.hosts))}"
    return ours if len(claimants(plan, source)) > 1 else f"(attributes.hostname == nil or {ours})"
