"""The rungs: which components a record's facts name, and whether one application gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from collectors.joining import facts as known
from collectors.joining.environments import environment_of
from collectors.joining.facts import Fact, Facts
from collectors.joining.index import Candidate, Index, dimension_keys, place
from collectors.joining.shares import holds
from slo.model import App, ComponentKind
from slo.records import dataclass

SHARE = "share."
"""How ``Ownership.missing`` begins when it names a share."""

_LONGEST = 160

ENGINES = {
    "postgres": "postgresql",
    "mssql": "microsoft.sql_server",
    "sqlserver": "microsoft.sql_server",
    "mongo": "mongodb",
    "oracle": "oracle.db",
    "elastic": "elasticsearch",
    "amqp": "rabbitmq",
}
"""Other names of the systems that OpenTelemetry names, as engines are often declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """Whose a record is.

    ``rung`` is the step of the ladder that decided, 1 to 5, also when it refused several
    ``claimants``; None when nothing claimed the record. ``missing`` is the key that would have
    told: the application's tag, a share, or the environment's tag; with ``=value`` when the key
    was there and its value says nothing known. ``key`` is what decided, as ``key=value``.
    """

    app: str | None = None
    env: str | None = None
    component: str | None = None
    rung: int | None = None
    claimants: tuple[str, ...] = ()
    missing: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a rung found: a fact and the components that it names."""

    fact: Fact
    candidates: Sequence[Candidate]


def by_tag(facts: Facts, index: Index) -> Ownership | None:
    """Rung 1: the application's own tag."""
    tags = facts.tags(known.APP_TAG)
    if not tags:
        return None
    named = {tag.value: tag for tag in tags if tag.value in index.apps}
    if not named:
        return Ownership(missing=_said(tags[0]), key=_said(tags[0]))
    decisive = next(iter(named.values()))
    if len(named) > 1:
        return Ownership(rung=1, claimants=tuple(sorted(named)), key=_said(decisive))
    app = index.apps[decisive.value]
    component = _component(app, facts, index)
    return _owned(app, component, facts, rung=1, fact=decisive)


def by_catalogue(facts: Facts, index: Index) -> Ownership | None:
    """Rungs 2 and 3: a component's name, or the workload it runs as."""
    return _first(((2, _alias), (3, _workload)), facts, index)


def by_infrastructure(facts: Facts, index: Index) -> Ownership | None:
    """Rung 5: a database, load balancer, queue or host."""
    rungs = tuple((5, find) for find in (_endpoint, _at_place, _dimension, _queue, _host, _part))
    return _first(rungs, facts, index)


_Find = Callable[[Facts, Index], Claim | None]


def _first(rungs: Iterable[tuple[int, _Find]], facts: Facts, index: Index) -> Ownership | None:
    for rung, find in rungs:
        claim = find(facts, index)
        if claim is not None:
            return _settle(claim, facts, rung)
    return None


def _settle(claim: Claim, facts: Facts, rung: int) -> Ownership:
    """Give a record to the one application that may have it, or name all that claim it."""
    candidates = claim.candidates
    apps = {each.app.name for each in candidates}
    apps.update(other for each in candidates for other in each.others)
    shared = [each for each in candidates if holds(each.component.share, facts)]
    mine = shared
    if len(apps) == 1:
        mine = shared or [each for each in candidates if not each.component.share]
    owners = {each.app.name: each.app for each in mine}
    if len(owners) == 1:
        names = {each.component.name for each in mine}
        component = names.pop() if len(names) == 1 else None
        (app,) = owners.values()
        return _owned(app, component, facts, rung=rung, fact=claim.fact)
    parts = sorted({name for each in candidates for name in each.component.share})
    return Ownership(
        rung=rung,
        claimants=tuple(sorted(owners or apps)),
        missing=None if owners or not parts else f"{SHARE}{'+'.join(parts)}",
        key=_said(claim.fact),
    )


def _owned(
    app: App, component: str | None, facts: Facts, *, rung: int, fact: Fact | None
) -> Ownership:
    env, missing = environment_of(app, facts)
    return Ownership(
        app=app.name,
        env=env,
        component=component,
        rung=rung,
        missing=None if missing is None else missing[:_LONGEST],
        key=None if fact is None else _said(fact),
    )


def _component(app: App, facts: Facts, index: Index) -> str | None:
    """The component of an application that a record names, as far as it does."""
    for find in (_alias, _workload):
        claim = find(facts, index)
        if claim is not None:
            names = {each.component.name for each in claim.candidates if each.app.name == app.name}
            if len(names) == 1:
                return names.pop()
    return None


def _alias(facts: Facts, index: Index) -> Claim | None:
    fact = facts.sender(known.SERVICE_NAME)
    if fact is None or not (found := index.services.get(fact.value)):
        return None
    return Claim(fact=fact, candidates=found)


def _workload(facts: Facts, index: Index) -> Claim | None:
    namespace = facts.sender(known.NAMESPACE)
    places = index.workloads.get(namespace.value, ()) if namespace else ()
    found: list[Candidate] = []
    decisive = namespace
    for candidate in (*places, *index.workloads.get(None, ())):
        if candidate.component.namespace or _lives_in(candidate.app, namespace):
            fact = _runs_as(candidate, facts, namespace)
        else:
            fact = _labelled(candidate, facts)
        if fact is not None:
            decisive = fact
            found.append(candidate)
    return Claim(fact=decisive, candidates=found) if decisive and found else None


def _lives_in(app: App, namespace: Fact | None) -> bool:
    """Whether an application's environments name a namespace; a bare workload name is not enough.

    Every second namespace has a ``deployment/api``.
    """
    return namespace is not None and any(
        cluster.match.get("namespace") == namespace.value
        for environment in app.environments
        for cluster in environment.clusters
    )


def _runs_as(candidate: Candidate, facts: Facts, namespace: Fact | None) -> Fact | None:
    component = candidate.component
    if component.workload is None and not component.pod_labels:
        return namespace
    if candidate.pods is not None and component.workload is not None:
        kind, _, name = component.workload.partition("/")
        declared = facts.sender(known.WORKLOADS.get(kind, ()))
        if declared is not None:
            return declared if declared.value == name else None
        pod = facts.sender(known.POD)
        if pod is not None and candidate.pods.fullmatch(pod.value):
            return pod
    return _labelled(candidate, facts)


def _labelled(candidate: Candidate, facts: Facts) -> Fact | None:
    fact = None
    for label, wanted in candidate.component.pod_labels.items():
        fact = facts.sender(f"{prefix}{label}" for prefix in known.POD_LABEL)
        if fact is None or fact.value != wanted:
            return None
    return fact


def _endpoint(facts: Facts, index: Index) -> Claim | None:
    fact = facts.subject(known.INSTANCE)
    found = index.endpoints.get(fact.value.lower()) if fact else None
    return Claim(fact=fact, candidates=found) if fact and found else None


def _at_place(facts: Facts, index: Index) -> Claim | None:
    system = facts.subject(known.DATABASE_SYSTEM) or facts.subject(known.MESSAGING_SYSTEM)
    for host_key, port_key in (*known.ADDRESSES, *((key, None) for key in known.DOMAINS)):
        fact = facts.subject((host_key,))
        if fact is None:
            continue
        port = facts.subject((port_key,)) if port_key else None
        where = place(fact.value, port.value if port else None)
        found = [
            candidate
            for declared, candidate in index.places.get(where.host, ())
            if declared.meets(where) and _fits(candidate, system)
        ]
        if found:
            return Claim(fact=fact, candidates=found)
    return None


def _fits(candidate: Candidate, system: Fact | None) -> bool:
    """Whether a record of a system may be about a component: a database is no load balancer."""
    if candidate.component.kind is ComponentKind.LOAD_BALANCER:
        return system is None
    engine = candidate.component.engine
    return system is None or engine is None or _engine(engine) == _engine(system.value)


def _engine(name: str) -> str:
    plain = name.strip().lower()
    return ENGINES.get(plain, plain)


def _dimension(facts: Facts, index: Index) -> Claim | None:
    for candidate in index.dimensions:
        found = [
            fact
            for name, wanted in candidate.component.cloudwatch_dimensions.items()
            if (fact := facts.subject(dimension_keys(name))) is not None and fact.value == wanted
        ]
        if len(found) == len(candidate.component.cloudwatch_dimensions):
            same = [
                other
                for other in index.dimensions
                if other.component.cloudwatch_dimensions
                == candidate.component.cloudwatch_dimensions
            ]
            return Claim(fact=found[0], candidates=same)
    return None


def _queue(facts: Facts, index: Index) -> Claim | None:
    """A queue without an address: its system, and the part that an application declared."""
    system = facts.subject(known.MESSAGING_SYSTEM)
    part = facts.subject(known.DESTINATION)
    addressed = any(facts.subject((key,)) for key, _ in known.ADDRESSES)
    if system is None or part is None or addressed:
        return None
    found = [
        each
        for each in index.queues
        if each.component.engine is not None
        and _fits(each, system)
        and holds(each.component.share, facts)
    ]
    return Claim(fact=part, candidates=found) if found else None


def _host(facts: Facts, index: Index) -> Claim | None:
    for key in (*known.HOST, *known.INSTANCE):
        fact = facts.sender((key,))
        if fact is not None and (found := index.hosts.get(place(fact.value).host)):
            return Claim(fact=fact, candidates=found)
    return None


def _part(facts: Facts, index: Index) -> Claim | None:
    """A shared thing by the machine that tells of it, as exporters do on a port of their own.

    Only what has a share: other programs of that machine are not the thing itself.
    """
    for key in (*known.HOST, *known.INSTANCE):
        fact = facts.sender((key,))
        if fact is None:
            continue
        places = index.places.get(place(fact.value).host, ())
        found = [each for _, each in places if holds(each.component.share, facts)]
        if found:
            return Claim(fact=fact, candidates=found)
    return None


def _said(fact: Fact) -> str:
    return str(fact)[:_LONGEST]
