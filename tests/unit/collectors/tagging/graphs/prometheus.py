"""What Prometheus makes of scrape jobs: targets, their labels and those of their series.

Relabelling as Prometheus documents it, for the actions that generated files use.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from collectors.tagging.model import LIFTED_CONCEPTS
from slo.naming import TAGS
from tests.unit.collectors.tagging.graphs.model import Path

Labels = Mapping[str, str]


def jobs(text: str) -> dict[str, dict[str, Any]]:
    """The scrape jobs of a file by name; names must differ."""
    found = yaml.load(text, Loader=yaml.CSafeLoader)["scrape_configs"]
    by_name = {job["job_name"]: job for job in found}
    assert len(found) == len(by_name)
    return by_name


def relabeled(labels: Labels, rules: Sequence[Mapping[str, Any]]) -> dict[str, str] | None:
    """Apply rules to a target or a series; ``None`` when they drop it."""
    kept = dict(labels)
    for rule in rules:
        after = _after(kept, rule)
        if after is None:
            return None
        kept = {name: value for name, value in after.items() if value}
    return kept


def _after(labels: dict[str, str], rule: Mapping[str, Any]) -> dict[str, str] | None:
    regex = re.compile(rule.get("regex", "(.*)"), re.DOTALL)
    separator = rule.get("separator", ";")
    text = separator.join(labels.get(name, "") for name in rule.get("source_labels", ()))
    match = regex.fullmatch(text)
    action = rule.get("action", "replace")
    if action in {"keep", "drop"}:
        return labels if (match is not None) == (action == "keep") else None
    if action == "labeldrop":
        return {name: value for name, value in labels.items() if not regex.fullmatch(name)}
    replacement = rule.get("replacement", "$1")
    if action == "labelmap":
        moved = {
            _expanded(replacement, found): labels[name]
            for name in labels
            if (found := regex.fullmatch(name)) is not None
        }
        return {**labels, **moved}
    assert action == "replace"
    if match is None:
        return labels
    return {**labels, rule["target_label"]: _expanded(replacement, match)}


def _expanded(template: str, match: re.Match[str]) -> str:
    """Replace ``$1`` and ``${1}`` as Go does; ``$$`` is a dollar."""

    def one(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name = found[1] or found[2]
        return (match[int(name)] or "") if name.isdigit() and int(name) <= regex_groups else ""

    regex_groups = match.re.groups
    return re.sub(r"\$\$|\$\{(\w+)\}|\$(\w+)", one, template)


def static_targets(job: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The targets that a job names, with their labels after relabelling."""
    for group in job.get("static_configs", ()):
        for address in group["targets"]:
            labels = relabeled(
                {"__address__": address, "job": job["job_name"], **group["labels"]},
                job.get("relabel_configs", ()),
            )
            if labels is not None:
                yield {"instance": labels["__address__"], **labels}


def series(target: Labels, job: Mapping[str, Any], exposed: Labels) -> dict[str, str] | None:
    """The labels that a series has once it is scraped from a target."""
    own = {name: value for name, value in target.items() if not name.startswith("__")}
    assert job["honor_labels"] is False
    moved = {f"exported_{name}" if name in own else name: each for name, each in exposed.items()}
    return relabeled({**moved, **own}, job.get("metric_relabel_configs", ()))


def path(source: str, labels: Labels, output: str) -> Path:
    """A path whose tags are by their labels, and whose lifted ones are by their concept."""
    lifted = {tag.label: tag.concept for tag in TAGS if tag.concept in LIFTED_CONCEPTS}
    return Path(
        source=source,
        tags={name: value for name, value in labels.items() if name not in lifted},
        lifted=frozenset(lifted[name] for name in labels if name in lifted),
        output=output,
    )
