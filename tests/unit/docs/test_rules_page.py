"""docs/rules.md lists the series, the alerts and the windows that there are."""

import re
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import pytest
import yaml

from slo.loader import default_catalogue
from slo.units import Duration
from tests.unit.docs import pages

EXAMPLE = Path("examples", "full")
PERIODS = ("30d", "28d", "7d")
_WINDOW = re.compile(r"ratio_rate[0-9]+[a-z0-9]*$")


@pytest.fixture
def page(pytestconfig: pytest.Config) -> str:
    """The page."""
    return pages.read(pytestconfig.rootpath / pages.DOCS / "rules.md")


Rule: TypeAlias = Mapping[str, object]


@pytest.fixture
def groups(pytestconfig: pytest.Config, tmp_path: Path) -> Mapping[str, tuple[str, list[Rule]]]:
    """The groups of the example that uses every feature: interval and rules by name."""
    source = pytestconfig.rootpath / EXAMPLE
    pages.output(f"headroom generate {source} --only rules --out {tmp_path}")
    files = sorted(tmp_path.glob("prometheus/*/*.yaml"))
    found = [group for file in files for group in yaml.safe_load(pages.read(file))["groups"]]
    return {group["name"]: (group["interval"], group["rules"]) for group in found}


@pytest.fixture
def rules(groups: Mapping[str, tuple[str, list[Rule]]]) -> list[Rule]:
    """Every rule of the example."""
    return [rule for _, rules in groups.values() for rule in rules]


def test_the_groups_are_those_of_the_page(
    page: str, groups: Mapping[str, tuple[str, list[Rule]]]
) -> None:
    """Their names, their intervals, and how many rules one holds at most."""
    ends = {f"APP/ENV/SLO/{name.rpartition('/')[2]}" for name in groups}
    shown = dict(re.findall(r"^\| `(APP/[^`]+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert ends == set(shown)
    for name, (interval, rules) in groups.items():
        told = shown[f"APP/ENV/SLO/{name.rpartition('/')[2]}"]
        assert interval == told or told.startswith("scrape")
        assert len(rules) <= int(page.partition("No group holds more than ")[2].split()[0])


def _first_column(page: str, section: str) -> set[str]:
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def test_the_series_are_those_that_rules_record(page: str, rules: list[Rule]) -> None:
    """One row for each; the series of windows share a row."""
    recorded = {str(rule["record"]) for rule in rules if "record" in rule}
    named = {_WINDOW.sub("ratio_rateWINDOW", name) for name in recorded}
    # A slot without its bad half is an accident and still has its rule.
    assert named == _first_column(page, "Series")


def test_the_alerts_are_those_that_rules_raise(page: str, rules: list[Rule]) -> None:
    """One row for each, with its severities."""
    raised: dict[str, set[str]] = {}
    for rule in rules:
        if "alert" in rule:
            labels = rule["labels"]
            assert isinstance(labels, dict)
            raised.setdefault(str(rule["alert"]), set()).add(labels["severity"])
    rows = dict(re.findall(r"^\| `(\w+)` \| ([a-z ]+) \|", page, re.MULTILINE))
    assert raised == {name: set(text.split(" or ")) for name, text in rows.items()}


def test_the_windows_are_those_of_the_catalogue(page: str) -> None:
    """Each pair with its share and its factors, as numbers and not as text."""
    rows = re.findall(
        r"^\| (page|ticket) \| (\w+) \| (\w+) \| ([0-9.]+) % \| (.+) \|$", page, re.MULTILINE
    )
    expected = [
        (
            str(pair.severity),
            str(pair.long),
            str(pair.short),
            pair.budget * 100,
            [pair.for_period(Duration.parse(period)).factor for period in PERIODS],
        )
        for pair in default_catalogue().pairs
    ]
    shown = [
        (severity, long, short, Fraction(share), [Fraction(each) for each in factors.split(" | ")])
        for severity, long, short, share, factors in rows
    ]
    assert expected == shown
