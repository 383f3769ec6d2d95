"""The examples are what newcomers copy, so they hold no mistake."""

from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from slo.gate.loader import load_policies
from slo.loader import (
    Loaded,
    SourceFile,
    default_catalogue,
    load_catalog,
    load_windows,
    load_workspace,
    schema,
)
from slo.loader.documents import headroom_documents
from slo.problems import Problem, Severity
from slo.source import to_plain
from slo.templates import TemplateLibrary

EXAMPLES = Path(__file__).parents[4] / "examples"
WORKSPACES = sorted(path.parent for path in EXAMPLES.rglob("headroom.yaml"))


def source(path: Path) -> SourceFile:
    """Return a file of the examples."""
    return SourceFile(name=str(path.relative_to(EXAMPLES)), text=path.read_text())


def yaml_below(folder: Path) -> list[SourceFile]:
    """Return the YAML files of a folder and those below it, as found there."""
    return [replace(source(path), explicit=False) for path in sorted(folder.rglob("*.yaml"))]


def load_folder(folder: Path) -> tuple[Loaded, tuple[Problem, ...]]:
    """Return the apps of a workspace's folder, and the problems of its other files."""
    workspace, problems = load_workspace(source(folder / "headroom.yaml"))
    assert workspace is not None, problems
    defaults, more = workspace.defaults, tuple[Problem, ...]()
    if workspace.windows is not None:
        catalogue, more = load_windows(source(folder / workspace.windows))
        assert catalogue is not None
        defaults = replace(defaults, catalogue=catalogue)
    files = [file for path in workspace.apps for file in yaml_below(folder / path)]
    loaded = load_catalog(
        files, defaults, templates=TemplateLibrary.built_in(), sources=workspace.sources
    )
    policies = [file for path in workspace.policies for file in yaml_below(folder / path)]
    return loaded, (*problems, *more, *load_policies(policies)[1])


@pytest.mark.parametrize("folder", WORKSPACES, ids=lambda path: path.name)
def test_workspace_of_the_examples_is_sound(folder: Path) -> None:
    """Each example workspace loads, with its apps and policies, without a warning."""
    loaded, problems = load_folder(folder)
    found = (*loaded.problems, *problems)
    assert [] == [each.message for each in found if each.severity is not Severity.NOTE]
    assert loaded.catalog.apps


def test_smallest_example_needs_nothing_else() -> None:
    """The smallest file works without a workspace."""
    workspace, _ = load_workspace(source(EXAMPLES / "full" / "headroom.yaml"))
    assert workspace is not None
    loaded = load_catalog([source(EXAMPLES / "minimal" / "ticketing.yaml")], workspace.defaults)
    assert () == loaded.problems
    assert ["ticketing/default/availability"] == [str(x.key) for x in loaded.catalog.levels()]


def test_full_example_shows_every_indicator() -> None:
    """The commented app has one SLO at least for each kind of indicator and a template."""
    loaded, _ = load_folder(EXAMPLES / "full")
    app = loaded.catalog.app("ticketing")
    assert app is not None
    kinds = {type(slo.indicator.measure).__name__ for slo in app.environments[0].slos}
    assert {"Events", "Latency", "Ratio", "Slices", "Probe", "Logs", "Spans"} == kinds
    assert any(slo.indicator.template for slo in app.environments[0].slos)


def test_windows_of_the_example_are_the_built_in_ones() -> None:
    """The example says that it shows the built-in catalogue."""
    catalogue, _ = load_windows(source(EXAMPLES / "full" / "windows.yaml"))
    assert default_catalogue() == catalogue


@pytest.mark.parametrize(
    "file", yaml_below(EXAMPLES), ids=lambda file: str(getattr(file, "name", file))
)
def test_schemas_accept_the_examples(file: SourceFile) -> None:
    """What an editor checks agrees with what the program reads."""
    problems: list[Problem] = []
    for document in headroom_documents([file], problems):
        validator = Draft202012Validator(schema(document.kind))
        assert [] == [error.message for error in validator.iter_errors(to_plain(document.root))]
    assert [] == problems
