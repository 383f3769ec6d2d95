"""What is in a cluster beside what should be, in one form, so that only true differences show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff
from functools import cache
from typing import Any

from collectors.elastic.resources import Kind, Resource, text_of

_TEMPLATES = (Kind.COMPONENT, Kind.INDEX)


def difference(wanted: Resource, there: Mapping[str, Any] | None) -> str:
    """A unified diff from what a cluster has to what is wanted, empty where they agree."""
    before = "" if there is None else text_of(normal(wanted.kind, there, wanted.body))
    after = text_of(normal(wanted.kind, wanted.body, wanted.body))
    lines = unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=f"{wanted.title} (in the cluster)" if there is not None else "/dev/null",
        tofile=f"{wanted.title} (generated)",
    )
    return "".join(lines)


def normal(kind: Kind, body: Mapping[str, Any], wanted: Mapping[str, Any]) -> Mapping[str, Any]:
    """A body without what a cluster adds by itself to a wanted one, and with settings spelt alike.

    What somebody changed or added by hand in a template stays.
    """
    if kind not in _TEMPLATES:
        found = _projected(body, wanted)
        return found if isinstance(found, Mapping) else {}
    kept = {key: value for key, value in body.items() if key in {*wanted, "template"}}
    if "data_stream" in kept:
        kept["data_stream"] = {}
    template = _template(body.get("template"))
    kept.pop("template", None)
    return {**kept, "template": template} if template else kept


def flat(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings by their whole name, with values as the cluster's texts."""
    found = {}
    for name, value in _flattened(settings, ""):
        whole = name if name.startswith("index.") else f"index.{name}"
        found[whole] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def overlap(one: str, other: str) -> bool:
    """Whether some name meets both of two patterns in which ``*`` stands for any text."""
    starts = one.partition("*")[0], other.partition("*")[0]
    # Most pairs differ at once, and a workspace may have thousands.
    if not (starts[0].startswith(starts[1]) or starts[1].startswith(starts[0])):
        return False

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(one) or j == len(other):
            return not one[i:].strip("*") and not other[j:].strip("*")
        if one[i] == "*":
            return meet(i + 1, j) or meet(i, j + 1)
        if other[j] == "*":
            return meet(i, j + 1) or meet(i + 1, j)
        return one[i] == other[j] and meet(i + 1, j + 1)

    return meet(0, 0)


def _template(template: object) -> dict[str, Any]:
    if not isinstance(template, Mapping):
        return {}
    found = {key: value for key, value in template.items() if value or key == "lifecycle"}
    if isinstance(found.get("settings"), Mapping):
        found["settings"] = flat(found["settings"])
    if isinstance(found.get("lifecycle"), Mapping):
        # An enabled lifecycle is the usual one, and the cluster says so.
        found["lifecycle"] = {
            key: value
            for key, value in found["lifecycle"].items()
            if not (key == "enabled" and value is True)
        }
    return found


def _flattened(settings: Mapping[str, Any], before: str) -> Iterator[tuple[str, object]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flattened(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _projected(there: object, wanted: object) -> object:
    """What is there of what is wanted; keys that nobody wanted are the cluster's own."""
    if isinstance(there, Mapping) and isinstance(wanted, Mapping):
        return {key: _projected(there[key], wanted[key]) for key in wanted if key in there}
    if isinstance(there, list) and isinstance(wanted, list) and len(there) == len(wanted):
        # Privileges are sets, and come back in an order of the cluster's own.
        if all(isinstance(each, str) for each in (*there, *wanted)):
            return wanted if sorted(there) == sorted(wanted) else there
        return [_projected(each, want) for each, want in zip(there, wanted, strict=True)]
    return wanted if str(there).lower() == str(wanted).lower() else there
