"""Scrape jobs that find targets by the tags of services and instances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from collectors.tagging.endpoints import NODE_PORT
from collectors.tagging.model import Convention, Plan, Stream
from collectors.tagging.regions import DEFAULT_REGION, all_regions
from collectors.tagging.relabeling import Rule, drop, keep, lifted, static
from slo.portable_regex import escaped

_APP = "__tmp_headroom_app"
_ENV = "__tmp_headroom_env"
_CONSUL = "__meta_consul_"
_EC2 = "__meta_ec2_"


def consul_job(plan: Plan) -> Mapping[str, object]:
    """Services of Consul that carry the tag ``app=NAME``; one with two such tags is nobody's."""
    tags = f"{_CONSUL}tags"
    return {
        "job_name": f"{plan.env}-consul",
        "honor_labels": False,
        "consul_sd_configs": [{"server": "127.0.0.1:8500"}],
        "relabel_configs": [
            drop([tags], ".*,app=[^,]*,(.*,)?app=.*"),
            drop([f"{_CONSUL}health"], "critical"),
            _tag(_APP, tags, "app"),
            _tag(_ENV, tags, "env"),
            *_owners(plan, f"{_CONSUL}service"),
            {
                "source_labels": [_APP, "service"],
                "separator": "/",
                "regex": "(.+/.+)",
                "target_label": "job",
            },
            _tag("version", tags, "version"),
            lifted("node", f"{_CONSUL}node"),
            lifted("__metrics_path__", f"{_CONSUL}service_metadata_metrics_path"),
        ],
    }


def ec2_job(plan: Plan) -> Mapping[str, object]:
    """Node exporters of running instances that carry the tag ``app``."""
    regions = all_regions(plan) or (DEFAULT_REGION,)
    filters = [{"name": "instance-state-name", "values": ["running"]}]
    return {
        "job_name": f"{plan.env}-ec2",
        "honor_labels": False,
        "ec2_sd_configs": [
            {"region": region, "port": NODE_PORT, "filters": filters} for region in regions
        ],
        "relabel_configs": [
            lifted(_APP, f"{_EC2}tag_app"),
            lifted(_ENV, f"{_EC2}tag_env"),
            *_owners(plan, f"{_EC2}tag_service"),
            lifted("version", f"{_EC2}tag_version"),
            lifted("instance_id", f"{_EC2}instance_id"),
            lifted("zone", f"{_EC2}availability_zone"),
            static("job", "node"),
        ],
    }


def _tag(label: str, source: str, name: str) -> Rule:
    return {"source_labels": [source], "regex": f".*,{name}=([^,]+),.*", "target_label": label}


def _owners(plan: Plan, service: str) -> Iterator[Rule]:
    """Take the application from a tag, and all else about it from its own file."""
    first: dict[str, Stream] = {}
    for stream in plan.streams:
        first.setdefault(stream.app, stream)
    yield keep([_APP], "|".join(first))
    yield keep([_ENV], f"({escaped(plan.env)})?")
    yield lifted("service", service)
    yield static("env", plan.env)
    for app, stream in first.items():
        for label, value in stream.tags(Convention.LABEL).items():
            if label not in {"env", "service"}:
                yield {"source_labels": [_APP], "regex": app, **static(label, value)}
    for stream in plan.streams:
        if stream.component.name != stream.service:
            yield {
                "source_labels": [_APP, "service"],
                "regex": f"{stream.app};{escaped(stream.component.name)}",
                **static("service", stream.service),
            }
