"""What is put into a cluster: kinds, names, bodies, and how it is known to be Headroom's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from collectors.elastic.flavors import Flavor
from slo.records import dataclass

MANAGED_BY = "headroom"
META = "_meta"
_DESCRIPTION = "managed by headroom"


class Kind(StrEnum):
    """A kind of resource, by the name of its folder, in the order in which they are put."""

    PIPELINE = "pipelines"
    COMPONENT = "component-templates"
    INDEX = "index-templates"
    POLICY = "policies"
    ROLE = "roles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One thing to put; ``owner`` is the application, ``None`` where several share it."""

    kind: Kind
    name: str
    body: Mapping[str, Any]
    owner: str | None = None

    @property
    def title(self) -> str:
        """How people are told of it."""
        return f"{self.kind}/{self.name}"

    @property
    def text(self) -> str:
        """Its body as the file that is generated."""
        return text_of(self.body)


def text_of(body: object) -> str:
    """A body as lines of JSON with sorted keys, the same bytes for the same content."""
    return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def meta(owner: str | None) -> dict[str, str]:
    """What marks a resource as ours; none of it changes with Headroom's version."""
    return {"managed_by": MANAGED_BY} if owner is None else {"managed_by": MANAGED_BY, "app": owner}


def description(text: str) -> str:
    """A description that marks what has no other place for a mark."""
    return f"{_DESCRIPTION}: {text}"


def is_ours(body: Mapping[str, Any]) -> bool:
    """Whether a resource, as a cluster has it, was put by Headroom."""
    for key in (META, "metadata"):
        mark = body.get(key)
        if isinstance(mark, Mapping) and mark.get("managed_by") == MANAGED_BY:
            return True
    policy = body.get("policy")
    described = policy if isinstance(policy, Mapping) else body
    return str(described.get("description", "")).startswith(_DESCRIPTION)


def api_path(kind: Kind, flavor: Flavor) -> str:
    """The path below which a kind's resources stand in the API of a flavour."""
    roles = {
        Flavor.ELASTICSEARCH: "/_security/role",
        Flavor.OPENSEARCH: "/_plugins/_security/api/roles",
    }
    return {
        Kind.PIPELINE: "/_ingest/pipeline",
        Kind.COMPONENT: "/_component_template",
        Kind.INDEX: "/_index_template",
        Kind.POLICY: "/_plugins/_ism/policies",
        Kind.ROLE: roles[flavor],
    }[kind]
