"""What the gate would say, looked at and not recorded."""

from pathlib import Path

import pytest

from app.access import OPEN, Forbidden, Role, Scope
from app.services.verdict import verdict
from slo.errors import UsageError
from slo.gate.findings import Effect
from tests.unit.app.services.installation import AT, filled


def test_a_burning_app_may_not_ship_and_its_calm_neighbour_may(tmp_path: Path) -> None:
    """With the reasons, and nothing written to the audit log."""
    world = filled(tmp_path)
    burning = verdict(world, OPEN, "ticketing", "prod", AT)

    assert Effect.DENY is burning.value.effect
    assert "store" == burning.source
    assert "availability" in burning.value.summary
    assert Effect.ALLOW is verdict(world, OPEN, "cargo", "prod", AT).value.effect
    assert not (tmp_path / "state").exists()


def test_a_verdict_is_for_those_who_may_see_the_app(tmp_path: Path) -> None:
    """The scope is checked before the name is."""
    scope = Scope(user="tia", role=Role.DEVELOPER, apps=frozenset({"cargo"}))
    world = filled(tmp_path)

    with pytest.raises(Forbidden):
        verdict(world, scope, "ticketing", "prod", AT)
    with pytest.raises(UsageError, match="staging"):
        verdict(world, OPEN, "cargo", "stagign", AT)
