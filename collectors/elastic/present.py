"""What a cluster has already, and what it can take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors.elastic.client import Cluster
from collectors.elastic.refusal import Refusal
from collectors.elastic.resources import Kind, api_path
from slo.errors import AuthenticationFailed
from slo.records import dataclass

_NO_API = ("no handler found", "Incorrect HTTP method")
_LISTS: Mapping[Kind, tuple[str, str]] = {
    Kind.COMPONENT: ("component_templates", "component_template"),
    Kind.INDEX: ("index_templates", "index_template"),
}
_WHY = {
    Kind.PIPELINE: "this cluster has no ingest pipelines",
    Kind.COMPONENT: "this cluster has no component templates",
    Kind.INDEX: "this cluster has no index templates",
    Kind.POLICY: "this cluster has no index state management (plugin opensearch-index-management)",
    Kind.ROLE: "this cluster has no security API: it is off, or its plugin is not there",
}
_OTHERS_MAY = (Kind.POLICY, Kind.ROLE)
_MOST = "10000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The resources of a cluster by kind and name, and why it has none of some kinds.

    ``versions`` are the parameters that changing a policy asks for.
    """

    bodies: Mapping[Kind, Mapping[str, Mapping[str, Any]]]
    lacking: Mapping[Kind, str]
    versions: Mapping[str, Mapping[str, str]]

    def body(self, kind: Kind, name: str) -> Mapping[str, Any] | None:
        """What a cluster has under a name."""
        return self.bodies.get(kind, {}).get(name)


def present(cluster: Cluster, kinds: frozenset[Kind]) -> Present:
    """Everything of some kinds that a cluster has. Raises ``SourceError``."""
    bodies: dict[Kind, Mapping[str, Mapping[str, Any]]] = {}
    lacking: dict[Kind, str] = {}
    versions: dict[str, Mapping[str, str]] = {}
    for kind in Kind:
        if kind not in kinds:
            continue
        try:
            bodies[kind] = _all(cluster, kind, versions)
        except Refusal as refusal:
            if not refusal.reason.startswith(_NO_API):
                raise
            lacking[kind] = _WHY[kind]
        except AuthenticationFailed as denied:
            # Who may put templates often may not manage privileges.
            if kind not in _OTHERS_MAY:
                raise
            lacking[kind] = f"the source's user may not see {kind}: {denied}"
    return Present(bodies=bodies, lacking=lacking, versions=versions)


def processors(cluster: Cluster) -> frozenset[str] | None:
    """The types of ingest processors that every node has, ``None`` if that is not told."""
    try:
        answer = cluster.call("GET", "/_nodes/_all/ingest")
    except (Refusal, AuthenticationFailed):
        return None
    nodes = answer.get("nodes") if isinstance(answer, Mapping) else None
    if not isinstance(nodes, Mapping) or not nodes:
        return None
    found = [node.get("ingest", {}).get("processors", []) for node in nodes.values()]
    return frozenset.intersection(*(frozenset(each["type"] for each in one) for one in found))


def _all(
    cluster: Cluster, kind: Kind, versions: dict[str, Mapping[str, str]]
) -> Mapping[str, Mapping[str, Any]]:
    params = {"flat_settings": "true"} if kind in _LISTS else {}
    if kind is Kind.POLICY:
        params = {"size": _MOST}
    answer = cluster.get(api_path(kind, cluster.flavor), params=params)
    if not isinstance(answer, Mapping):
        return {}
    if kind in _LISTS:
        outer, inner = _LISTS[kind]
        return {each["name"]: each[inner] for each in answer.get(outer, [])}
    if kind is Kind.POLICY:
        return _policies(answer, versions)
    return {str(name): body for name, body in answer.items() if isinstance(body, Mapping)}


def _policies(
    answer: Mapping[str, Any], versions: dict[str, Mapping[str, str]]
) -> Mapping[str, Mapping[str, Any]]:
    found = {}
    for each in answer.get("policies", []):
        name = str(each.get("_id") or each["policy"].get("policy_id"))
        found[name] = {"policy": each["policy"]}
        versions[name] = {
            "if_seq_no": str(each["_seq_no"]),
            "if_primary_term": str(each["_primary_term"]),
        }
    return found
