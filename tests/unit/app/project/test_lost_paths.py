"""Paths of the workspace file that lead nowhere, told where they are written."""

from pathlib import Path

import pytest

from app.project import open_project
from slo.errors import SpecError
from slo.problems import Problem

WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [apps, more]
  policies: [polices]
  templates: [templates]
  defaults: {windows: windows.yaml}
"""
APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: NAME, team: t}
spec:
  slos: []
"""


def problems_of(root: Path, *paths: Path) -> list[Problem]:
    """Open a workspace that has errors."""
    with pytest.raises(SpecError) as refused:
        open_project(
            [str(path) for path in paths], environment={}, workspace=str(root / "headroom.yaml")
        )
    return list(refused.value.problems)


def told(problems: list[Problem]) -> list[tuple[int, int, str]]:
    """Return the places and the ids."""
    return [(p.span.line, p.span.column, p.id) for p in problems if p.span is not None]


def test_every_lost_path_is_told_at_its_place(tmp_path: Path) -> None:
    """All of them at once, and with what is wrong in the files that are there."""
    (tmp_path / "headroom.yaml").write_text(WORKSPACE)
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "one.yaml").write_text(APP.replace("NAME", "Two!"))
    (tmp_path / "policies").mkdir()

    found = problems_of(tmp_path)

    places = [(4, 16), (5, 14), (6, 15), (7, 23)]
    lost = [one for one in found if one.id == "spec/missing-file"]
    assert [(*place, "spec/missing-file") for place in places] == told(lost)
    assert "there is no file or folder polices" == lost[1].message.replace(f"{tmp_path}/", "")
    assert "did you mean policies?" == str(lost[1].hint).replace(f"{tmp_path}/", "")
    assert "there is no file windows.yaml" == lost[3].message.replace(f"{tmp_path}/", "")
    assert {"spec/missing-file", "spec/bad-text"} == {each.id for each in found}


def test_folders_of_apps_that_a_command_does_not_read_may_be_missing(tmp_path: Path) -> None:
    """A file that was named stands in the place of the workspace's own."""
    (tmp_path / "headroom.yaml").write_text(WORKSPACE.replace("[templates]", "[]"))
    (tmp_path / "windows.yaml").write_text("pairs: []\n")
    (tmp_path / "polices").mkdir()
    (tmp_path / "one.yaml").write_text(APP.replace("NAME", "Two!"))

    found = problems_of(tmp_path, tmp_path / "one.yaml")

    assert "spec/missing-file" not in {each.id for each in found}
