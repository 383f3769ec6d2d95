"""docs/rules.md lists the series, the alerts and the windows that there are."""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

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


@pytest.fixture
def rules(pytestconfig: pytest.Config, tmp_path: Path) -> list[Mapping[str, object]]:
    """Every rule of the example that uses every feature."""
    source = pytestconfig.rootpath / EXAMPLE
    pages.output(f"headroom generate {source} --only rules --out {tmp_path}")
    files = sorted(tmp_path.glob("prometheus/*/*.yaml"))
    return [rule for file in files for group in _groups(file) for rule in group["rules"]]


def _groups(file: Path) -> Iterator[Mapping[str, list[Mapping[str, object]]]]:
    yield from yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]


def _first_column(page: str, section: str) -> set[str]:
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def test_the_series_are_those_that_rules_record(
    page: str, rules: list[Mapping[str, object]]
) -> None:
    """One row for each; the series of windows share a row."""
    recorded = {str(rule["record"]) for rule in rules if "record" in rule}
    named = {_WINDOW.sub("ratio_rateWINDOW", name) for name in recorded}
    # A slot without its bad half is an accident and still has its rule.
    assert named == _first_column(page, "Series")


def test_the_alerts_are_those_that_rules_raise(
    page: str, rules: list[Mapping[str, object]]
) -> None:
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
