"""The checks as text and as JSON, ``headroom/doctor/v1``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.doctor.model import Check, Outcome
from slo.printable import printable

SCHEMA = "headroom/doctor/v1"
_COLORS = {
    Outcome.OK: "\x1b[32m",
    Outcome.WARN: "\x1b[33m",
    Outcome.FAIL: "\x1b[31m",
    Outcome.SKIPPED: "\x1b[2m",
}
_END = "\x1b[0m"
_WIDTH = max(len(outcome) for outcome in Outcome)


def check_text(check: Check, *, color: bool = False) -> str:
    """Return one line, and the advice indented on another."""
    label = f"{check.outcome:<{_WIDTH}}"
    painted = f"{_COLORS[check.outcome]}{label}{_END}" if color else label
    line = f"{painted}  {printable(check.name)}: {printable(check.message)}\n"
    if check.advice is None:
        return line
    return f"{line}{' ' * (_WIDTH + 4)}{printable(check.advice)}\n"


def summary(checks: Sequence[Check]) -> str:
    """Return how many checks came out which way."""
    counts = [(sum(each.outcome is one for each in checks), one) for one in Outcome]
    return ", ".join(f"{count} {outcome}" for count, outcome in counts if count)


def to_json(checks: Sequence[Check], at: datetime) -> dict[str, object]:
    """Return all checks as data; ``ok`` says that none failed."""
    return {
        "schema": SCHEMA,
        "checkedAt": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "ok": all(each.outcome is not Outcome.FAIL for each in checks),
        "checks": [
            {
                "name": each.name,
                "outcome": str(each.outcome),
                "message": each.message,
                "advice": each.advice,
            }
            for each in checks
        ],
    }
