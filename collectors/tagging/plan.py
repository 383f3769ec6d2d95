"""Plans out of applications: which streams an environment has, and what they carry."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from collectors.joining.pods import pod_names
from collectors.tagging.model import (
    Dispute,
    FileSource,
    JournalSource,
    OtlpSource,
    Plan,
    PodSource,
    Source,
    Stream,
    SyslogSource,
)
from slo.collecting import SECRETS, Collecting
from slo.errors import UsageError
from slo.model import App, Catalog, Component, ComponentKind, Environment, LogSource
from slo.naming import data_stream_part
from slo.portable_regex import escaped

TIER = "tier"
"""The label of an application that says how much depends on it."""

_SENDS_OTLP = {ComponentKind.SERVICE, ComponentKind.FUNCTION, ComponentKind.FRONTEND}


def plans(catalog: Catalog, settings: Collecting) -> tuple[Plan, ...]:
    """One plan for each environment that any application has, by name.

    A service that several components claim is tagged for none. Raises ``UsageError`` when two
    claim the same files, pods, unit or program, which could not be collected once and rightly,
    or when two streams would have one name.
    """
    names = sorted({env.name for app in catalog.apps for env in app.environments})
    built_in = SECRETS if settings.redact_builtin else ()
    found = []
    for name in names:
        claimed = tuple(_streams(catalog, name))
        _check_owners(name, claimed)
        disputes = tuple(_disputes(claimed))
        found.append(
            Plan(
                env=name,
                streams=tuple(_settled(stream, disputes) for stream in claimed),
                disputes=disputes,
                settings=settings,
                secrets=(*built_in, *settings.redact),
                apps=tuple(
                    app for app in catalog.apps if any(env.name == name for env in app.environments)
                ),
            )
        )
    return tuple(found)


def _streams(catalog: Catalog, name: str) -> Iterator[Stream]:
    found = [
        (app, env, component)
        for app in catalog.apps
        for env in app.environments
        if env.name == name
        for component in app.components
    ]
    names = Counter(_identifier(app.name, component.name) for app, _, component in found)
    for app, env, component in found:
        identifier = _identifier(app.name, component.name)
        if names[identifier] > 1:
            # Not numbered: another application must not change it, since states are kept by it.
            digest = hashlib.sha256(f"{app.name}\0{component.name}".encode()).hexdigest()
            identifier = f"{identifier}_{digest[:8]}"
        yield _stream(app, env, component, identifier)


def _stream(app: App, env: Environment, component: Component, identifier: str) -> Stream:
    values = {
        "app": app.name,
        "component": component.service or component.name,
        "environment": env.name,
        "team": app.team,
    }
    if TIER in app.labels:
        values["criticality"] = app.labels[TIER]
    return Stream(
        values=values,
        dataset=f"{data_stream_part(app.name)}.{data_stream_part(component.name)}",
        namespace=data_stream_part(env.name),
        identifier=identifier,
        component=component,
        sources=tuple(_sources(component, env)),
    )


def _sources(component: Component, env: Environment) -> Iterator[Source]:
    for log in component.logs:
        yield from _log_sources(log, component, env)
    if component.kind in _SENDS_OTLP:
        yield OtlpSource(service=component.service or component.name)


def _log_sources(log: LogSource, component: Component, env: Environment) -> Iterator[Source]:
    common: Mapping[str, Any] = {
        "format": log.format,
        "multiline": log.multiline,
        "trace_id": log.trace_id,
        "span_id": log.span_id,
        "time": log.time,
    }
    if log.kind == "file":
        yield FileSource(path=log.path or "", hosts=component.hosts, **common)
    elif log.kind == "journald":
        yield JournalSource(unit=log.path or "", **common)
    elif log.kind == "syslog":
        yield SyslogSource(program=log.path or "", hosts=component.hosts, **common)
    else:
        for namespace in namespaces(component, env):
            yield _pods(namespace, log, component, common)


def _pods(
    namespace: str, log: LogSource, component: Component, common: Mapping[str, Any]
) -> PodSource:
    kind, _, workload = (component.workload or "").partition("/")
    return PodSource(
        namespace=namespace,
        workload_kind=kind or None,
        workload=workload or None,
        pods=pod_names(kind, escaped(workload)) if workload else None,
        labels=component.pod_labels,
        container=log.path,
        **common,
    )


def namespaces(component: Component, env: Environment) -> tuple[str, ...]:
    """The Kubernetes namespaces a component runs in: its clusters' own, else its file's."""
    own = [cluster.match["namespace"] for cluster in env.clusters if "namespace" in cluster.match]
    if own and component.namespace is not None:
        return tuple(dict.fromkeys(own))
    return () if component.namespace is None else (component.namespace,)


def _identifier(app: str, component: str) -> str:
    safe = re.sub(r"[^a-z0-9]+", "_", f"{app}_{component}".lower()).strip("_")
    return safe if safe[:1].isalpha() else f"s_{safe}"


def _check_owners(env: str, streams: Sequence[Stream]) -> None:
    names: dict[tuple[str, str], Stream] = {}
    claims: dict[tuple[str, ...], Stream] = {}
    for stream in streams:
        other = names.setdefault((stream.dataset, stream.namespace), stream)
        if other is not stream:
            raise UsageError(
                f"{_called(other)} and {_called(stream)} would both write to the data stream "
                f"{stream.dataset}-{stream.namespace} of {env}",
                hint="rename one: data streams cannot hold -, so it becomes _",
            )
        for claim in (each for source in stream.sources for each in _claims(source)):
            other = claims.setdefault(claim, stream)
            if other is not stream:
                raise UsageError(
                    f"{_called(other)} and {_called(stream)} both claim {' '.join(claim)} in {env}",
                    hint="a record has one owner: give each a path, workload or service of its own",
                )


def _claims(source: Source) -> Iterator[tuple[str, ...]]:
    if isinstance(source, FileSource):
        for host in source.hosts or ("every host",):
            yield "the files", source.path, "of", host
    elif isinstance(source, JournalSource):
        yield "the unit", source.unit
    elif isinstance(source, SyslogSource):
        for host in source.hosts or ("every host",):
            yield "the program", source.program, "of", host
    elif isinstance(source, PodSource):
        labels = ",".join(f"{key}={value}" for key, value in sorted(source.labels.items()))
        which = source.workload or labels or "all"
        yield "the pods", f"{source.namespace}/{which}", source.container or "(all containers)"


def _disputes(streams: Sequence[Stream]) -> Iterator[Dispute]:
    claimants: dict[str, list[str]] = {}
    for stream in streams:
        for source in stream.of(OtlpSource):
            claimants.setdefault(source.service, []).append(_called(stream))
    for service, names in claimants.items():
        if len(names) > 1:
            yield Dispute(service=service, claimants=tuple(names))


def _settled(stream: Stream, disputes: Sequence[Dispute]) -> Stream:
    disputed = {each.service for each in disputes}
    kept = tuple(
        source
        for source in stream.sources
        if not (isinstance(source, OtlpSource) and source.service in disputed)
    )
    return stream if kept == stream.sources else replace(stream, sources=kept)


def _called(stream: Stream) -> str:
    return f"{stream.app}/{stream.component.name}"
