"""Log patterns that a timeline shows."""

from pathlib import Path

import pyarrow as pa
import pytest

from app.access import OPEN, Forbidden, Role, Scope
from app.services.notable import notable
from collectors.readers.telemetry import TimeRange, Where
from collectors.signals import Signal, table
from slo.logquery import parse
from tests.unit.app.services.installation import DAY, END, HOUR, MINUTE, install

LAST_HOUR = Where(app="ticketing", range=TimeRange(start=END - HOUR, end=END))


def said(body: str, time: int, severity: str = "ERROR") -> tuple[Signal, pa.Table]:
    return Signal.LOGS, table(
        Signal.LOGS,
        {
            "time": [time],
            "app": ["ticketing"],
            "env": ["prod"],
            "body": [body],
            "severity": [17],
            "severity_text": [severity],
        },
    )


def test_a_new_error_is_notable_and_an_old_or_calm_one_is_not(tmp_path: Path) -> None:
    """It happens when it is first seen, and its search finds its lines."""
    world = install(
        tmp_path,
        [
            said('seat "12A" taken twice by 4711', END - MINUTE),
            said("the pool is empty", END - 90 * MINUTE),
            said("the pool is empty", END - MINUTE),
            said("all is well today", END - MINUTE, "INFO"),
        ],
    )
    (found,) = notable(world, OPEN, LAST_HOUR).value

    assert ("pattern", "error", END - MINUTE) == (found.kind, found.severity, found.time)
    assert "taken twice by" in found.title
    assert "logs" == found.link["tab"]
    parse(found.link["q"])


def test_nothing_is_notable_without_lines(tmp_path: Path) -> None:
    """An empty range has no pattern."""
    world = install(tmp_path, [said("old", END - DAY)])

    assert () == notable(world, OPEN, LAST_HOUR).value


def test_patterns_of_an_app_that_may_not_be_seen_are_refused(tmp_path: Path) -> None:
    """The scope is checked before anything is read."""
    world = install(tmp_path, [])
    scope = Scope(user="tia", role=Role.DEVELOPER, apps=frozenset({"cargo"}))

    with pytest.raises(Forbidden):
        notable(world, scope, LAST_HOUR)
