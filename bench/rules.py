"""Rules as a server loads them, ours and Sloth's in the same form."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from alerts.prometheus.groups import RuleSettings, joined, service_rules
from alerts.prometheus.render import group_data
from bench.model import binaries
from slo.model import ServiceLevel
from slo.units import Duration
from tests.builders import CATALOGUE

SLOTH = "sloth-0.16"
EVALUATION_INTERVAL = 30.0
"""Seconds between evaluations of groups that name no interval, Sloth's among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule: ``record`` is empty for an alert."""

    record: str
    expr: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rules that are evaluated every ``interval`` seconds."""

    name: str
    interval: float
    rules: Sequence[Rule]


def ours(level: ServiceLevel) -> list[Group]:
    """The groups of the rule file that we generate."""
    rules = service_rules(level, RuleSettings(catalogue=CATALOGUE))
    assert rules is not None
    return [_group(group_data(group)) for group in joined(rules)]


def sloths(spec: str, folder: Path) -> list[Group]:
    """The groups of the rule file that Sloth generates from its own specification."""
    source, made = folder / "sloth.yaml", folder / "sloth.rules.yaml"
    source.write_text(spec, encoding="utf-8")
    subprocess.run(
        [binaries(SLOTH) / "sloth", "generate", "--no-log", "-i", source, "-o", made],
        check=True,
        capture_output=True,
    )
    loaded = yaml.safe_load(made.read_text(encoding="utf-8"))
    return [_group(each) for each in loaded["groups"]]


def recordings(found: Sequence[Group]) -> Iterator[tuple[Group, Rule]]:
    """Every recording rule with its group."""
    for group in found:
        for rule in group.rules:
            if rule.record:
                yield group, rule


def _group(data: Mapping[str, Any]) -> Group:
    interval = data.get("interval")
    return Group(
        name=data["name"],
        interval=EVALUATION_INTERVAL
        if interval is None
        else float(Duration.parse(interval).seconds),
        rules=[
            Rule(record=rule.get("record", ""), expr=rule["expr"], labels=rule.get("labels", {}))
            for rule in data["rules"]
        ],
    )
