"""Terraform: the tags that say which application a resource of AWS belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collectors.tagging.header import header
from collectors.tagging.model import Convention, Plan, Stream
from collectors.tagging.texts import comment

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quoted(text: str) -> str:
    """A string of HCL in which nothing is a template."""
    escaped = "".join(_ESCAPES.get(char, char) for char in text)
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def tags_file(plan: Plan, streams: Sequence[Stream]) -> str:
    """A map of tags by component, for resources to take theirs from."""
    entries = "".join(
        f"    {quoted(f'{each.app}/{each.component.name}')} = {_block(_tags(each))}\n"
        for each in streams
        if not each.component.share
    )
    head = header(
        plan,
        "terraform",
        "Tag the resources of AWS with these, so that YACE and EC2 discovery find their owner:",
        '  tags = merge(local.headroom_tags["APP/COMPONENT"], { Name = "..." })',
        "What several applications share carries no application's tags.",
    )
    return f"{comment(head)}\nlocals {{\n  headroom_tags = {{\n{entries}  }}\n}}\n"


def _tags(stream: Stream) -> Mapping[str, str]:
    tags = stream.tags(Convention.LABEL)
    return {**tags, "component": stream.component.name}


def _block(tags: Mapping[str, str]) -> str:
    lines = "".join(f"      {name} = {quoted(value)}\n" for name, value in tags.items())
    return "{\n" + lines + "    }"
