"""Which hosts have a source, and how units, files and pods are told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from collectors.tagging.model import FileSource, Plan, S, Stream, SyslogSource

_PLANS = 8
_UNIT_KINDS = (".service", ".socket", ".timer", ".mount", ".path", ".target", ".scope", ".slice")
_Claiming = FileSource | SyslogSource


def names_of_hosts(plan: Plan, hosts: Iterable[str]) -> tuple[str, ...]:
    """Hosts by their names, and by their first part where only one host has it."""
    named = tuple(hosts)
    parts = _first_parts(plan)
    short = (_short(host) for host in named if parts[_short(host)] == 1)
    return tuple(dict.fromkeys((*named, *short)))


@lru_cache(maxsize=_PLANS)
def _first_parts(plan: Plan) -> Counter[str]:
    every = {host for stream in plan.streams for host in stream.component.hosts}
    return Counter(_short(host) for host in every)


def _short(host: str) -> str:
    first, _, rest = host.partition(".")
    return host if not first or first.isdigit() or not rest else first


def rivals(plan: Plan, source: _Claiming) -> tuple[str, ...]:
    """The hosts on which others claim the same path or program."""
    others = (each for each in claimants(plan, source) if each is not source)
    return tuple(dict.fromkeys(host for each in others for host in each.hosts))


def claimants(plan: Plan, source: _Claiming) -> Sequence[_Claiming]:
    """Every source of the same path or program."""
    return _claimed(plan).get(_claim(source), ())


@lru_cache(maxsize=_PLANS)
def _claimed(plan: Plan) -> Mapping[tuple[str, str], Sequence[_Claiming]]:
    found: dict[tuple[str, str], list[_Claiming]] = {}
    sources = (source for stream in plan.streams for source in stream.sources)
    for source in sources:
        if isinstance(source, FileSource | SyslogSource):
            found.setdefault(_claim(source), []).append(source)
    return found


def _claim(source: _Claiming) -> tuple[str, str]:
    if isinstance(source, FileSource):
        return "file", source.path
    return "syslog", source.program


def unit_name(name: str) -> str:
    """A systemd unit with the kind that its name leaves out."""
    return name if name.endswith(_UNIT_KINDS) else f"{name}.service"


def named(plan: Plan, kind: type[S]) -> tuple[tuple[str, Stream, S], ...]:
    """Sources of a kind, each with a name that is unique in the plan and its stream."""
    return tuple(
        (stream.identifier if at == 1 else f"{stream.identifier}__{at}", stream, source)
        for stream in plan.streams
        for at, source in enumerate(stream.sources, 1)
        if isinstance(source, kind)
    )


def go_glob(path: str) -> str:
    """A path whose only special sign is ``*`` as Go's own patterns of files.

    Programs that use them take a path without ``*``, ``?`` and ``[`` as it is.
    """
    if not any(char in path for char in "*?["):
        return path
    return "".join(f"\\{char}" if char in "\\[?" else char for char in path)


def called(stream: Stream) -> str:
    """How people call a stream."""
    return f"{stream.app}/{stream.component.name}"


def not_collected(plan: Plan, kinds: Mapping[type[Any], str]) -> tuple[str, ...]:
    """Sentences for a header on the sources that a collector does not read, and why."""
    found: list[str] = []
    for kind, why in kinds.items():
        names = dict.fromkeys(called(stream) for stream in plan.streams if stream.of(kind))
        found.extend(f"Not collected here: {name} {why}." for name in names)
    return tuple(found)
