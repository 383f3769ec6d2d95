"""What the gate said, judged by the schema of decisions and by the chain of its log."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from app.audit import verify
from tests.cli.installed import Ending

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "slo" / "gate" / "decision.schema.json").read_text()
)


def decided(ending: Ending) -> dict[str, Any]:
    """The decision, which has to be as its schema says."""
    decision: dict[str, Any] = ending.json
    Draft202012Validator(SCHEMA).validate(decision)
    assert (0, 0) == (ending.stdout.count("NaN"), ending.stdout.count("Infinity"))
    return decision


def records(audit: Path) -> list[dict[str, Any]]:
    """The lines of an audit log, which has to hold together."""
    lines = audit.read_text(encoding="utf-8").splitlines()
    assert () == verify(audit)
    return [json.loads(line) for line in lines]
