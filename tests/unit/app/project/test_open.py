"""Which workspace a command works on, and what overrides what."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from app.project import Project, open_project
from slo.errors import SpecError, UsageError

APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: NAME, team: t}
spec:
  slos:
    - name: availability
      objective: 99
      indicator: {events: {total: 'a_total{job="x"}', bad: 'a_total{job="x",code="500"}'}}
"""
WORKSPACE = """\
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [apps]
  defaults: {window: 7d}
  sources: {prometheus: {default: eu, eu: {url: 'http://eu.example.com', bearerTokenFile: token}}}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with one app, and the working directory somewhere else."""
    root = tmp_path / "ws"
    (root / "apps").mkdir(parents=True)
    (root / "headroom.yaml").write_text(WORKSPACE)
    (root / "apps" / "one.yaml").write_text(APP.replace("NAME", "one"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return root


def opened(
    *paths: Path, environment: Mapping[str, str] | None = None, prometheus: str | None = None
) -> Project:
    return open_project(
        [str(path) for path in paths], environment=environment or {}, prometheus=prometheus
    )


def names(project: Project) -> list[str]:
    return [app.name for app in project.catalog.apps]


def test_a_folder_that_holds_a_workspace_file_is_that_workspace(workspace: Path) -> None:
    """Its apps, defaults and sources count, wherever the command is run."""
    project = opened(workspace)

    assert ["one"] == names(project)
    assert "7d" == str(project.catalog.levels()[0].slo.window)


def test_the_workspace_is_found_upwards(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Like git, the command works from any folder below."""
    deep = workspace / "apps" / "deep"
    deep.mkdir()
    monkeypatch.chdir(deep)

    assert ["one"] == names(opened())


def test_relative_paths_start_at_the_workspace_file(workspace: Path) -> None:
    """A token file is found from anywhere."""
    source = opened(workspace).workspace.prometheus["eu"]

    assert str(workspace / "token") == source.bearer_token_file


def test_an_address_on_the_command_line_replaces_every_source(workspace: Path) -> None:
    """The flag goes before the variable, and the variable before the file."""
    by_variable = opened(workspace, environment={"HEADROOM_PROMETHEUS": "http://var:9090"})
    by_flag = opened(
        workspace,
        environment={"HEADROOM_PROMETHEUS": "http://var:9090"},
        prometheus="http://flag:9090",
    )

    assert ["http://var:9090"] == [s.url for s in by_variable.workspace.prometheus.values()]
    assert ["http://flag:9090"] == [s.url for s in by_flag.workspace.prometheus.values()]


def test_an_app_file_alone_needs_no_workspace(tmp_path: Path) -> None:
    """Thirty days and the built-in windows apply."""
    (tmp_path / "app.yaml").write_text(APP.replace("NAME", "alone"))

    project = opened(tmp_path / "app.yaml")

    assert ["alone"] == names(project)
    assert "30d" == str(project.catalog.levels()[0].slo.window)


def test_other_yaml_in_a_folder_is_passed_over(tmp_path: Path) -> None:
    """Kubernetes manifests live beside app files."""
    (tmp_path / "app.yaml").write_text(APP.replace("NAME", "mine"))
    (tmp_path / "pod.yaml").write_text("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n")
    (tmp_path / "list.yml").write_text("- 1\n- 2\n")

    assert ["mine"] == names(opened(tmp_path))


def test_generated_files_are_not_read_back(workspace: Path) -> None:
    """What was written below the output folder is never taken for input."""
    out = workspace / "generated"
    out.mkdir()
    (out / "trap.yaml").write_text(APP.replace("NAME", "trap"))

    assert ["one"] == names(opened(workspace))


def test_all_problems_of_all_files_come_at_once(workspace: Path) -> None:
    (workspace / "apps" / "two.yaml").write_text(APP.replace("NAME", "Two!"))
    (workspace / "apps" / "three.yaml").write_text(APP.replace("objective: 99", "objective: 100"))

    with pytest.raises(SpecError) as error:
        opened(workspace)

    assert {"two.yaml", "three.yaml"} == {
        Path(problem.span.file).name for problem in error.value.problems if problem.span
    }


@pytest.mark.parametrize("named", ["nosuch", "nosuch.yaml"])
def test_a_path_that_is_not_there_is_wrong_usage(workspace: Path, named: str) -> None:
    with pytest.raises(UsageError, match="there is no file or folder"):
        opened(workspace / named)


def test_a_link_in_a_circle_ends(tmp_path: Path) -> None:
    """A folder that links to itself is walked once."""
    (tmp_path / "app.yaml").write_text(APP.replace("NAME", "once"))
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)

    assert ["once"] == names(opened(tmp_path))


def test_an_unknown_app_is_told_with_the_nearest_name(workspace: Path) -> None:
    with pytest.raises(UsageError, match='there is no app "onne"; did you mean "one"'):
        opened(workspace).levels("onne", None)


def test_a_link_that_leads_nowhere_is_told_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the name of what it led to."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.yaml").symlink_to("gone.yaml")
    with pytest.raises(UsageError, match=r"the link app\.yaml leads nowhere") as refused:
        opened(Path("app.yaml"))
    assert refused.value.hint is None
