"""Elasticsearch and OpenSearch: which is which, their versions, and what each can do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum

Version = tuple[int, int, int]
"""Major, minor and patch."""


class Flavor(StrEnum):
    """Whose API a cluster speaks, as the workspace spells it."""

    ELASTICSEARCH = "elasticsearch"
    OPENSEARCH = "opensearch"


def parse_version(text: str) -> Version | None:
    """The numbers of a version such as ``8.15.3-SNAPSHOT``, ``None`` if it is none."""
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3] or 0))


def version_of(answer: object) -> Version | None:
    """The oldest version that a list of nodes or a cluster's greeting tells, if it tells one."""
    if not isinstance(answer, Mapping):
        return None
    nodes = answer.get("nodes")
    told = [answer.get("version")]
    if isinstance(nodes, Mapping):
        told = [node.get("version") for node in nodes.values() if isinstance(node, Mapping)]
    texts = (each.get("number") if isinstance(each, Mapping) else each for each in told)
    found = [parse_version(text) for text in texts if isinstance(text, str)]
    return min((each for each in found if each is not None), default=None)
