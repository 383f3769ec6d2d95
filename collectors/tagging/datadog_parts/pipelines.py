"""Pipelines in Datadog that lift what a record says of itself, as Terraform reads JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from collectors.tagging.model import LEVEL_FIELDS, LIFTED_CONCEPTS, OtlpSource, Plan, Stream
from collectors.tagging.texts import json_text

_SPECIAL = re.compile(r'([-+=&|><!(){}\[\]^"“”~*?:\\# /])')


def text(plan: Plan) -> str:
    """A pipeline for each stream that sends lines."""
    streams = [
        stream
        for stream in plan.streams
        if any(not isinstance(source, OtlpSource) for source in stream.sources)
    ]
    found = {stream.identifier: _pipeline(stream) for stream in streams}
    return json_text({"resource": {"datadog_logs_custom_pipeline": found}} if found else {})


def _pipeline(stream: Stream) -> Mapping[str, Any]:
    lines = [source for source in stream.sources if not isinstance(source, OtlpSource)]
    fields = {
        concept: _each([source.fields_of(concept) for source in lines])
        for concept in LIFTED_CONCEPTS
    }
    times = _each([source.time_fields for source in lines])
    version = {
        "name": "version",
        "is_enabled": True,
        "sources": fields["version"],
        "source_type": "attribute",
        "target": "version",
        "target_type": "tag",
        "preserve_source": True,
        "override_on_conflict": False,
    }
    return {
        "name": f"headroom {stream.app} {stream.component.name} {stream.env}",
        "is_enabled": True,
        "filter": [{"query": _query(stream)}],
        "processor": [
            {"date_remapper": [_remapper("time", times)]},
            {"status_remapper": [_remapper("severity", LEVEL_FIELDS)]},
            {"trace_id_remapper": [_remapper("trace", fields["trace"])]},
            {"span_id_remapper": [_remapper("span", fields["span"])]},
            {"attribute_remapper": [version]},
        ],
    }


def _remapper(name: str, sources: Sequence[str]) -> dict[str, Any]:
    return {"name": name, "is_enabled": True, "sources": [_literal(each) for each in sources]}


def _each(groups: Sequence[Sequence[str]]) -> list[str]:
    return list(dict.fromkeys(field for group in groups for field in group))


def _query(stream: Stream) -> str:
    found = {"service": stream.service, "app": stream.app, "env": stream.env}
    escaped = {key: _SPECIAL.sub(r"\\\1", value) for key, value in found.items()}
    return _literal(" ".join(f"{key}:{value}" for key, value in escaped.items()))


def _literal(value: str) -> str:
    """A text in which Terraform sees no template."""
    return value.replace("${", "$${").replace("%{", "%%{")
