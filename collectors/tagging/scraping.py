"""What is scraped once, and whose it is: a component's own, or shared with others."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from collectors.tagging.endpoints import Endpoint, endpoints_of, hosts_of, infrastructure_place
from collectors.tagging.engines import ENGINES, Engine, engine_of
from collectors.tagging.model import Plan, Stream
from collectors.tagging.plan import namespaces
from collectors.tagging.relabeling import (
    Rule,
    choices,
    disowned,
    drop,
    namespace_rules,
    pod_rules,
    share_rules,
)
from collectors.tagging.units import Pods, Unit
from slo.printable import printable
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraping:
    """Everything that one environment's Prometheus scrapes; ``left_out`` says what it cannot."""

    pods: tuple[Unit, ...]
    endpoints: tuple[Unit, ...]
    hosts: tuple[Unit, ...]
    cluster_rules: tuple[Rule, ...]
    cluster_engines: tuple[Engine, ...]
    left_out: tuple[str, ...]


def scraping(plan: Plan) -> Scraping:
    """Find what to scrape, each thing once."""
    placed = placements(plan)
    shared = shared_streams(plan)
    rules = (*disowned(), *namespace_rules(placed, shared))
    left_out: list[str] = []
    taken_names: Counter[str] = Counter()
    endpoints = tuple(
        _named(unit, taken_names) for unit in _endpoint_units(plan, shared, rules, left_out)
    )
    pods = tuple(_named(unit, taken_names) for unit in _pod_units(placed, shared, rules))
    taken = {each.address.lower() for unit in endpoints for each in unit.endpoints}
    hosts = tuple(_host_units(plan, taken, left_out))
    own = {unit.engine.name for unit in (*endpoints, *pods) if unit.engine is not None}
    always = tuple(each for each in ENGINES.values() if each.always and each.name not in own)
    return Scraping(
        pods=pods,
        endpoints=endpoints,
        hosts=hosts,
        cluster_rules=rules,
        cluster_engines=always if any(names for _, names in placed) else (),
        left_out=tuple(dict.fromkeys(printable(each) for each in left_out)),
    )


def _named(unit: Unit, taken: Counter[str]) -> Unit:
    taken[unit.name] += 1
    number = taken[unit.name]
    return unit if number == 1 else replace(unit, name=f"{unit.name}--{number}")


def placements(plan: Plan) -> tuple[tuple[Stream, tuple[str, ...]], ...]:
    """Every stream with the Kubernetes namespaces it runs in."""
    environments = plan.environments()
    return tuple(
        (
            stream,
            namespaces(stream.component, environments[stream.app])
            if stream.app in environments
            else (),
        )
        for stream in plan.streams
    )


def by_app(plan: Plan) -> dict[str, Plan]:
    """The plan of each application alone, for files that are one application's."""
    streams: dict[str, list[Stream]] = defaultdict(list)
    for stream in plan.streams:
        streams[stream.app].append(stream)
    return {app: replace(plan, streams=tuple(own), disputes=()) for app, own in streams.items()}


def called(stream: Stream) -> str:
    """A component as messages call it."""
    return f"{stream.app}/{stream.component.name}"


def is_shared(members: Sequence[Stream]) -> bool:
    """Whether a thing that these declare is not one application's alone."""
    return len({each.app for each in members}) > 1 or any(each.component.share for each in members)


def shared_streams(plan: Plan) -> set[int]:
    """Identities of streams whose thing others have too: by share, engine or address."""
    places = [(stream, infrastructure_place(stream)) for stream in plan.streams]
    by_host: dict[str, list[tuple[Stream, str | None]]] = defaultdict(list)
    for stream, found in places:
        if found is not None:
            by_host[found.host].append((stream, found.port))
    shared = set()
    for stream, found in places:
        engine = engine_of(stream.component.engine)
        near = [] if found is None else by_host[found.host]
        if (
            stream.component.share
            or (engine is not None and engine.always)
            or any(
                other.app != stream.app
                and (port is None or found is None or found.port in {None, port})
                for other, port in near
            )
        ):
            shared.add(id(stream))
    return shared


def _endpoint_units(
    plan: Plan, shared: set[int], cluster: Sequence[Rule], left_out: list[str]
) -> Iterator[Unit]:
    found: dict[object, tuple[Endpoint, list[Stream]]] = {}
    for stream in plan.streams:
        for text, endpoint in endpoints_of(stream):
            if endpoint is None:
                left_out.append(f"not scraped here: {called(stream)} at {text}, no usable address")
                continue
            _, members = found.setdefault(endpoint.key, (endpoint, []))
            if not members or members[-1] is not stream:
                members.append(stream)
    grouped: dict[tuple[int, ...], list[Endpoint]] = {}
    streams: dict[tuple[int, ...], tuple[Stream, ...]] = {}
    for endpoint, members in found.values():
        key = tuple(id(member) for member in members)
        grouped.setdefault(key, []).append(endpoint)
        streams[key] = tuple(members)
    for key, endpoints in grouped.items():
        yield _unit(streams[key], shared, cluster, tuple(endpoints))


def _pod_units(
    placed: Sequence[tuple[Stream, tuple[str, ...]]], shared: set[int], cluster: Sequence[Rule]
) -> Iterator[Unit]:
    found: dict[Pods, list[Stream]] = {}
    for stream, names in placed:
        component = stream.component
        if not names or component.metrics:
            continue
        kind, _, workload = (component.workload or "").partition("/")
        pods = Pods(
            namespaces=names,
            kind=kind or None,
            workload=workload or None,
            labels=tuple(sorted(component.pod_labels.items())),
        )
        found.setdefault(pods, []).append(stream)
    narrow: dict[str, list[Pods]] = defaultdict(list)
    for pods in found:
        for name in () if pods.wide else pods.namespaces:
            narrow[name].append(pods)
    for pods, members in found.items():
        rules = tuple(_left_to_others(pods, narrow)) if pods.wide else ()
        yield _unit(tuple(members), shared, cluster, pods=pods, rules=rules)


def _left_to_others(pods: Pods, narrow: Mapping[str, Sequence[Pods]]) -> Iterator[Rule]:
    # Components that name a workload in the namespace take it from the one that has the rest.
    for other in dict.fromkeys(each for name in pods.namespaces for each in narrow.get(name, ())):
        source: list[str] = []
        parts: list[str] = []
        for names, regex in choices(other.kind, other.workload, dict(other.labels)):
            source += names
            parts.append(regex)
        yield drop(source, ";".join(parts))


def _unit(
    members: tuple[Stream, ...],
    shared: set[int],
    cluster: Sequence[Rule],
    endpoints: tuple[Endpoint, ...] = (),
    *,
    pods: Pods | None = None,
    rules: tuple[Rule, ...] = (),
) -> Unit:
    engine = next(filter(None, (engine_of(each.component.engine) for each in members)), None)
    common = is_shared(members) or any(id(each) in shared for each in members)
    if common and engine is not None and engine.shared_path is not None:
        endpoints = tuple(_at_share(each, engine) for each in endpoints)
    metric_rules: tuple[Rule, ...] = ()
    if common:
        everyone = engine is not None and engine.always
        metric_rules = (
            *(cluster if everyone else disowned()),
            *share_rules(members, engine),
        )
    first = members[0]
    name = f"{first.app}-{first.component.name}"
    port = None if engine is None else engine.port
    labels = dict(pods.labels) if pods is not None else {}
    own = () if pods is None else tuple(pod_rules(pods.kind, pods.workload, labels, port))
    return Unit(
        name=f"shared-{name}" if common else name,
        job=_job(members, engine, shared=common),
        members=members,
        shared=common,
        engine=engine,
        endpoints=endpoints,
        pods=pods,
        pod_rules=(*rules, *own),
        metric_rules=metric_rules,
    )


def _job(members: Sequence[Stream], engine: Engine | None, *, shared: bool) -> str:
    first = members[0]
    if shared:
        return first.component.name if engine is None else engine.name
    if len(members) > 1:
        return first.app
    # As OpenTelemetry has it, so that a service is one job however its metrics arrive.
    return f"{first.app}/{first.service}"


def _at_share(endpoint: Endpoint, engine: Engine) -> Endpoint:
    if endpoint.path != engine.path or engine.shared_path is None:
        return endpoint
    return Endpoint(
        address=endpoint.address,
        path=engine.shared_path,
        scheme=endpoint.scheme,
        parameters=endpoint.parameters,
    )


def _host_units(plan: Plan, taken: set[str], left_out: list[str]) -> Iterator[Unit]:
    found: dict[str, tuple[Endpoint, list[Stream]]] = {}
    for stream in plan.streams:
        for host, endpoint in hosts_of(stream):
            if endpoint is None:
                left_out.append(f"not scraped here: the host {host} of {called(stream)}")
            elif endpoint.address.lower() not in taken:
                found.setdefault(endpoint.address.lower(), (endpoint, []))[1].append(stream)
    for endpoint, members in found.values():
        common = is_shared(members)
        yield Unit(
            name=endpoint.address,
            job="node",
            members=tuple(members),
            shared=common,
            engine=ENGINES["node"],
            endpoints=(endpoint,),
            metric_rules=tuple(disowned()) if common else (),
        )
