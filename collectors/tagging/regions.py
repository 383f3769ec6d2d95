"""Regions of AWS, as applications' files show them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from collectors.tagging.model import Plan, Stream
from slo.model import Environment

DEFAULT_REGION = "us-east-1"
"""The region where no file shows any."""

_NAME = "[a-z]{2}(?:-[a-z]+)+-[0-9]"
_REGION = re.compile(_NAME)
_ADDRESS = re.compile(rf"[.]({_NAME})[.](?:[a-z0-9-]+[.])*amazonaws[.]com(?:[.]cn)?")
_ARN = re.compile(rf"arn:aws[a-z-]*:[a-z0-9-]*:({_NAME}):")


def regions_of(stream: Stream, environment: Environment | None) -> tuple[str, ...]:
    """Where a component runs: by its address or dimensions, else by its environment's clusters."""
    component = stream.component
    texts = (component.address or "", *component.cloudwatch_dimensions.values(), *component.metrics)
    found = _unique(
        match[1]
        for text in texts
        for match in (_ADDRESS.search(text.lower()), _ARN.match(text))
        if match is not None
    )
    if found:
        return found
    clusters = () if environment is None else environment.clusters
    return _unique(
        cluster.match["region"]
        for cluster in clusters
        if _REGION.fullmatch(cluster.match.get("region", ""))
    )


def all_regions(plan: Plan) -> tuple[str, ...]:
    """Every region that any component shows."""
    environments = plan.environments()
    return _unique(
        region
        for stream in plan.streams
        for region in regions_of(stream, environments.get(stream.app))
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
