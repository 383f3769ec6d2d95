"""A look at the gate: the same decision as `headroom gate`, and no record of it."""

import json
from pathlib import Path

import pytest

from app import gating, services
from app.audit.history import decisions
from app.services.world import World
from slo.errors import UsageError
from slo.gate.subject import Subject
from tests.unit.app.services.installation import AT, ago, filled


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return filled(tmp_path_factory.mktemp("look"))


def test_a_look_says_what_the_gate_would_say(world: World, tmp_path: Path) -> None:
    project = world.project
    found = services.evaluations(
        project, project.levels(None, None), AT, windows=gating.windows_of(project)
    )
    for app in ("ticketing", "cargo", "crew", "loyalty"):
        looked = gating.look(project, app, "prod", found, AT)
        question = gating.Question(id="1", subject=Subject(app=app, environment="prod"), at=AT)
        log = tmp_path / f"{app}.ndjson"
        decided = gating.answer(project, question, log=log, environ={})

        assert (decided.effect, decided.summary) == (looked.effect, looked.summary)
        assert looked.audit is None
        assert log.exists()
    assert not list(project.root.rglob("*.ndjson"))


def test_a_look_at_an_app_that_is_not_there_is_a_mistake(world: World) -> None:
    with pytest.raises(UsageError, match='did you mean "cargo"'):
        gating.look(world.project, "cargoo", "prod", (), AT)


def test_decisions_are_read_back_by_app_environment_and_time(tmp_path: Path) -> None:
    def record(app: str, env: str, at: str) -> str:
        subject = {"app": app, "environment": env}
        chain = {"seq": 1, "prev": "", "hash": ""}
        return json.dumps(
            {"subject": subject, "evaluatedAt": at, "id": at, "audit": chain},
            separators=(",", ":"),
        )

    log = tmp_path / "audit.ndjson"
    lines = [
        record("cargo", "prod", "2025-10-11T11:00:00Z"),
        record("cargo", "prod", "2025-10-11T10:00:00Z"),
        record("cargo", "staging", "2025-10-11T10:00:00Z"),
        record("crew", "prod", "2025-10-11T10:00:00Z"),
        record("cargo", "prod", "2025-10-09T10:00:00Z"),
        record("cargo", "prod", "2025-10-11T12:00:00Z"),
        '{"subject":{"app":"cargo","environment":"prod"},"evalu',
        record("cargo", "prod", "yesterday"),
    ]
    log.write_text("\n".join(lines))

    found = decisions(log, "cargo", "prod", since=ago(days=1), until=AT)

    assert ["2025-10-11T10:00:00Z", "2025-10-11T11:00:00Z"] == [each["id"] for _, each in found]
    assert () == decisions(tmp_path / "none", "cargo", "prod", since=ago(days=1), until=AT)
