"""`headroom schema` as a process: a schema for each kind, which a validator accepts."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from slo.loader import KINDS
from tests.cli.installed import app_text, headroom

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_a_schema_that_is_one(kind: str, tmp_path: Path) -> None:
    """JSON on stdout and nothing else, the same each time."""
    ending = headroom("schema", kind, cwd=tmp_path)
    assert (0, "") == (ending.code, ending.stderr)
    Draft202012Validator.check_schema(ending.json)
    assert ending.stdout == headroom("schema", kind, cwd=tmp_path).stdout


def test_the_examples_are_as_the_schemas_say(tmp_path: Path) -> None:
    """Editors complain about none of them."""
    schemas: dict[str, Draft202012Validator] = {}
    checked = []
    for path in sorted(EXAMPLES.rglob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            kind = document.get("kind")
            if kind not in KINDS:
                continue
            if kind not in schemas:
                schemas[kind] = Draft202012Validator(headroom("schema", kind, cwd=tmp_path).json)
            schemas[kind].validate(_as_json(document))
            checked.append(kind)
    assert {"App", "Workspace", "GatePolicy"} <= set(checked)


def test_a_misspelt_key_is_no_part_of_the_schema(tmp_path: Path) -> None:
    """What the command refuses, an editor marks."""
    validator = Draft202012Validator(headroom("schema", "App", cwd=tmp_path).json)
    good = yaml.safe_load(app_text())
    assert validator.is_valid(good)
    assert not validator.is_valid(yaml.safe_load(app_text().replace("objective", "objectve")))


def test_an_unknown_kind_is_wrong_usage(tmp_path: Path) -> None:
    """With the one that was meant."""
    ending = headroom("schema", "Ap", cwd=tmp_path)
    assert (2, "") == (ending.code, ending.stdout)
    assert 'did you mean "App"?' in ending.stderr


def _as_json(value: Any) -> Any:
    """Dates, which YAML has and JSON has not, as the texts that stand in the files."""
    if isinstance(value, dict):
        return {key: _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_json(each) for each in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
