"""Unit tests of generated rules by promtool: written as data, judged by PromQL itself.

A check says what must be there (`holds`) or must not (`lacks`) at a time; comparisons of numbers
are part of the expression, because versions of promtool differ in how exactly they compare.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from alerts.prometheus.groups import RuleSettings
from alerts.prometheus.layouts import plain
from slo.model import App, ServiceLevel, Slo
from slo.promql import Matcher, selector_text
from tests.builders import CATALOGUE, level
from tests.servers.processes import promtool_test_rules

SETTINGS = RuleSettings(catalogue=CATALOGUE)
_GOT = re.compile(r"got:\[(.*)\]?", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What is there or not at one time after the start, such as ``2h``."""

    at: str
    holds: Sequence[str] = ()
    lacks: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Rule files, the series they see and what must come of it.

    ``series`` maps selectors to promtool's notation; a sample every ``spacing``, rules every
    ``every`` whatever a group says of itself.
    """

    rules: Mapping[str, str]
    series: Mapping[str, str]
    checks: Sequence[Check]
    every: str = "1m"
    spacing: str = "1m"
    external: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """The test as promtool reads it."""
        tests = [
            {"expr": f"count({expr}) > bool 0", "eval_time": check.at, "exp_samples": _ONE}
            for check in self.checks
            for expr in check.holds
        ]
        tests += [
            {"expr": expr, "eval_time": check.at, "exp_samples": []}
            for check in self.checks
            for expr in check.lacks
        ]
        return {
            "evaluation_interval": self.every,
            "rule_files": sorted(self.rules),
            "tests": [
                {
                    "interval": self.spacing,
                    "external_labels": dict(self.external),
                    "input_series": [
                        {"series": name, "values": values} for name, values in self.series.items()
                    ],
                    "promql_expr_test": tests,
                }
            ],
        }

    def run(self, binaries: Path, folder: Path) -> None:
        """Fail with promtool's own words unless all checks hold."""
        outcome = promtool_test_rules(binaries, self._write(folder, self.data()))
        assert outcome.ok, outcome.output

    def fired(self, binaries: Path, folder: Path, alert: str, at: str) -> str:
        """What promtool says of an alert that fires and that nobody expects: its annotations."""
        data = self.data()
        test = data["tests"][0]
        test["promql_expr_test"] = []
        test["alert_rule_test"] = [{"eval_time": at, "alertname": alert, "exp_alerts": []}]
        outcome = promtool_test_rules(binaries, self._write(folder, data))
        assert not outcome.ok, f"{alert} does not fire"
        found = _GOT.search(outcome.output)
        assert found, outcome.output
        return found[1]

    def _write(self, folder: Path, data: Mapping[str, Any]) -> Path:
        for name, text in self.rules.items():
            (folder / name).write_text(text, encoding="utf-8")
        path = folder / "test.yaml"
        path.write_text(json.dumps(data), encoding="utf-8")
        return path


_ONE = [{"labels": "{}", "value": 1}]


def rules_of(*levels: ServiceLevel, settings: RuleSettings = SETTINGS) -> dict[str, str]:
    """The plain rule files of applications with one level each, by a name of their own."""
    files: dict[str, str] = {}
    for number, one in enumerate(levels):
        for text in plain(one.app, settings).values():
            files[f"{number}.yaml"] = text
    return files


def app_of(*slos: Slo, **more: Any) -> App:
    """An application with several SLOs in one environment."""
    app = level(slos[0], **more).app
    where = replace(app.environments[0], slos=slos)
    return replace(app, environments=(where,))


def series(name: str, **labels: str) -> str:
    """A selector with exactly these labels."""
    return selector_text(name, [Matcher(name=k, value=v) for k, v in labels.items()])


def near(expr: str, value: float, within: float = 1e-6) -> str:
    """An expression that yields something when another is near a value, relative to it."""
    return f"abs(({expr}) / {value!r} - 1) < {within!r}"


def firing(alert: str, **labels: str) -> str:
    """An expression that yields an alert that fires."""
    return series("ALERTS", alertname=alert, alertstate="firing", **labels)


def without(text: str, records: Iterable[str]) -> str:
    """A rule file without the rules that record certain series."""
    data = yaml.safe_load(text)
    for group in data["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule.get("record") not in records]
    return yaml.safe_dump(data)
