"""YACE, the CloudWatch exporter: load balancers, databases and queues under their application."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from collectors.tagging.cloudwatch_metrics import SERVICES, Service
from collectors.tagging.header import header
from collectors.tagging.model import Convention, Plan, Stream
from collectors.tagging.regions import DEFAULT_REGION, regions_of
from collectors.tagging.relabeling import disowned
from collectors.tagging.scraping import called, is_shared, shared_streams
from collectors.tagging.terraform import tags_file
from collectors.tagging.texts import yaml_text
from slo.model import Environment
from slo.portable_regex import escaped
from slo.records import dataclass

_NAME = "yace"
_EXPORTER = "127.0.0.1:5000"
_LENGTH = 300
_SEARCHED = ("app", "env", "component")
_UNKNOWN = "its metrics are not known"

Job = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """What all jobs are made from; ``notes`` grows with what a reader must know."""

    plan: Plan
    streams: Sequence[Stream]
    environments: Mapping[str, Environment]
    notes: list[str]


def files(plan: Plan) -> Mapping[str, str]:
    """The exporter's configuration, the job that scrapes it, and the tags that AWS needs."""
    streams = [each for each in plan.streams if each.component.cloudwatch_namespace is not None]
    if not streams:
        return {}
    world = _World(plan=plan, streams=streams, environments=plan.environments(), notes=[])
    discovery = list(_discovery_jobs(world))
    static = list(_static_jobs(world))
    document: dict[str, object] = {"apiVersion": "v1alpha1"}
    if discovery:
        document["discovery"] = {"jobs": discovery}
    if static:
        document["static"] = static
    head = header(plan, _NAME, *dict.fromkeys(world.notes))
    written = {"tags.tf": tags_file(plan, streams)}
    if discovery or static:
        written["config.yaml"] = yaml_text(document, head)
        written["scrape.yaml"] = yaml_text(
            {"scrape_configs": [_scrape_job(plan)]},
            header(plan, _NAME, f"The exporter answers at {_EXPORTER}."),
        )
    return written


def _discovery_jobs(world: _World) -> Iterator[Job]:
    for stream in world.streams:
        component = stream.component
        service = SERVICES.get(component.cloudwatch_namespace or "")
        if component.cloudwatch_dimensions:
            continue
        if service is None or component.share:
            reason = _UNKNOWN if service is None else "its dimensions are needed"
            world.notes.append(_not_collected(stream, reason))
            continue
        tags = {"app": stream.app, "env": world.plan.env, "component": component.name}
        yield {
            "type": component.cloudwatch_namespace,
            "regions": _regions(world, stream),
            "searchTags": [{"key": key, "value": f"^{escaped(tags[key])}$"} for key in _SEARCHED],
            "customTags": _custom_tags(stream.tags(Convention.LABEL)),
            "includeContextOnInfoMetrics": True,
            "period": service.period,
            "length": max(_LENGTH, service.period),
            "metrics": [
                {"name": name, "statistics": list(statistics)}
                for name, statistics in service.metrics.items()
            ],
        }


def _static_jobs(world: _World) -> Iterator[Job]:
    same: dict[tuple[object, ...], list[Stream]] = {}
    for stream in world.streams:
        component = stream.component
        if not component.cloudwatch_dimensions:
            continue
        if component.cloudwatch_namespace not in SERVICES:
            world.notes.append(_not_collected(stream, _UNKNOWN))
            continue
        dimensions = tuple(sorted(component.cloudwatch_dimensions.items()))
        same.setdefault((component.cloudwatch_namespace, dimensions), []).append(stream)
    shared = shared_streams(world.plan)
    written: set[str] = set()
    for members in same.values():
        common = is_shared(members) or any(
            id(each) in shared or _holds_others(each, world.streams) for each in members
        )
        for job in _jobs_of(world, members, shared=common):
            if repr(job) not in written:
                written.add(repr(job))
                yield job


def _holds_others(stream: Stream, streams: Sequence[Stream]) -> bool:
    """Whether another application has a part of what a stream's dimensions select."""
    component = stream.component
    own = component.cloudwatch_dimensions.items()
    return any(
        other.app != stream.app
        and other.component.cloudwatch_namespace == component.cloudwatch_namespace
        and own <= other.component.cloudwatch_dimensions.items()
        for other in streams
    )


def _not_collected(stream: Stream, reason: str) -> str:
    namespace = stream.component.cloudwatch_namespace
    return f"Not collected here: {called(stream)} of {namespace}, {reason}."


def _jobs_of(world: _World, members: Sequence[Stream], *, shared: bool) -> Iterator[Job]:
    """One job for a thing of one application; for a shared one, one for each known share.

    What a shared thing reports as a whole belongs to nobody, and is read once for all.
    """
    first = members[0]
    namespace = first.component.cloudwatch_namespace or ""
    service = SERVICES[namespace]
    dimensions = first.component.cloudwatch_dimensions
    if not shared:
        tags = first.tags(Convention.LABEL)
        if len(members) > 1:
            tags.pop("service")
        yield _static_job(world, first, service, dimensions, tags)
        return
    for member in members:
        part = _part(member, service)
        if part is not None:
            tags = member.tags(Convention.LABEL)
            yield _static_job(world, member, service, {**dimensions, **part}, tags)
        else:
            world.notes.append(
                f"Not tagged here: {called(member)}, whose share is no dimension of {namespace}."
            )
    whole = {name: value for name, value in dimensions.items() if name not in _parts(service)}
    if whole:
        tags = {
            "env": world.plan.env,
            "infra_kind": namespace,
            "infra_id": "/".join(whole.values()),
        }
        yield _static_job(world, first, service, whole, tags)


def _parts(service: Service) -> frozenset[str]:
    return frozenset((service.parts or {}).values())


def _part(stream: Stream, service: Service) -> Mapping[str, str] | None:
    """The dimensions that a share stands for, ``None`` unless each of its parts is one."""
    share, parts = stream.component.share, service.parts or {}
    found = {parts.get(_plain(name)): value for name, value in share.items()}
    if not found or None in found:
        return None
    return {name: value for name, value in found.items() if name is not None}


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _static_job(
    world: _World,
    stream: Stream,
    service: Service,
    dimensions: Mapping[str, str],
    tags: Mapping[str, str],
) -> Job:
    metrics = service.metrics
    if service.by_part is not None and not _parts(service).isdisjoint(dimensions):
        metrics = service.by_part
    owner = f"{stream.app}-{stream.component.name}" if "app" in tags else tags["infra_id"]
    return {
        "name": owner,
        "namespace": stream.component.cloudwatch_namespace,
        "regions": _regions(world, stream),
        "dimensions": [{"name": name, "value": value} for name, value in dimensions.items()],
        "customTags": _custom_tags(tags),
        "metrics": [
            {
                "name": name,
                "statistics": list(statistics),
                "period": service.period,
                "length": max(_LENGTH, service.period),
            }
            for name, statistics in metrics.items()
        ],
    }


def _regions(world: _World, stream: Stream) -> list[str]:
    found = regions_of(stream, world.environments.get(stream.app))
    if not found:
        world.notes.append(
            f"The region of {called(stream)} is not known: {DEFAULT_REGION} stands here."
        )
    return list(found or (DEFAULT_REGION,))


def _custom_tags(tags: Mapping[str, str]) -> list[Mapping[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _scrape_job(plan: Plan) -> Mapping[str, object]:
    return {
        "job_name": f"{plan.env}-{_NAME}",
        "honor_labels": False,
        "scrape_interval": "1m",
        "scrape_timeout": "50s",
        "static_configs": [{"targets": [_EXPORTER], "labels": {"job": _NAME}}],
        "metric_relabel_configs": [
            *disowned(),
            {
                "regex": "custom_tag_(app|service|env|team|tier|infra_kind|infra_id)",
                "replacement": "$1",
                "action": "labelmap",
            },
            {"regex": "custom_tag_.+", "action": "labeldrop"},
        ],
    }
