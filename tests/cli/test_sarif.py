"""SARIF as its standard wants it: what `headroom validate` writes and any problem at all."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from app.cli.annotations import sarif
from slo.problem_ids import PROBLEM_IDS
from slo.problems import Problem, Severity, Span, error
from tests.cli.installed import app_text, headroom, write

SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0.schema.json").read_text())
STANDARD = Draft202012Validator(SCHEMA)


def complaints(log: object) -> list[str]:
    """Return what the standard has against a log."""
    return [f"{each.json_path}: {each.message}" for each in STANDARD.iter_errors(log)]


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Return the place of a value that is not empty, in a file of any name."""
    line, column = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    lines = draw(st.integers(0, 2))
    end = draw(st.integers(1 if lines else column + 1, 20))
    name = draw(st.text(min_size=1, max_size=9))
    return Span(file=name, line=line, column=column, end_line=line + lines, end_column=end)


PROBLEMS = st.builds(
    Problem,
    id=st.sampled_from(sorted(PROBLEM_IDS)),
    severity=st.sampled_from(Severity),
    message=st.text(min_size=1),
    span=st.none() | spans(),
    hint=st.none() | st.text(min_size=1),
    related=st.lists(st.tuples(spans(), st.text(min_size=1)), max_size=2, unique=True).map(tuple),
)


@given(st.lists(PROBLEMS, max_size=5))
def test_any_problems_make_a_log_by_the_standard(problems: list[Problem]) -> None:
    """File names and messages are a user's own; the log stays well formed."""
    log: Any = json.loads(json.dumps(sarif(problems)))

    assert [] == complaints(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [each.id for each in problems] == [rules[one["ruleIndex"]] for one in run["results"]]


def test_the_command_writes_a_log_by_the_standard(tmp_path: Path) -> None:
    """With related places, a place of several lines, and names that no URI can hold as they are."""
    write(tmp_path, **{"a b:ü#%?": app_text(), "two": app_text()})
    (tmp_path / "three.yaml").write_text(app_text("three", objective="'99\n      9'"))
    log = headroom("validate", "--format", "sarif", cwd=tmp_path).json

    assert [] == complaints(log)
    results = log["runs"][0]["results"]
    regions = [one["locations"][0]["physicalLocation"]["region"] for one in results]
    related = [one for result in results for one in result.get("relatedLocations", ())]
    (related_file,) = (one["physicalLocation"]["artifactLocation"]["uri"] for one in related)
    assert "a b:ü#%?.yaml" == unquote(related_file)
    assert any(region["endLine"] > region["startLine"] for region in regions)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda run: run["results"][0].update(level="fatal"), "$.runs[0].results[0].level"),
        (lambda run: run["results"][0].pop("message"), "$.runs[0].results[0]"),
        (lambda run: run.update(colour="red"), "$.runs[0]"),
    ],
)
def test_the_schema_of_the_tests_refuses_what_the_standard_does(change: Any, path: str) -> None:
    """Otherwise it would prove nothing."""
    log: Any = sarif([error("spec/too-long", "m", Span.at("a.yaml"))])
    change(log["runs"][0])

    assert [path] == [one.partition(": ")[0] for one in complaints(log)]
