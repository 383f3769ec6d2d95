"""Cases of the loader as data, and short ways to load a text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from slo.loader import (
    Loaded,
    SourceFile,
    built_in_defaults,
    load_catalog,
    load_windows,
    load_workspace,
)
from slo.model import App, Slo
from slo.problems import Problem, render_all
from slo.templates import TemplateLibrary
from slo.workspace import Defaults

CASES = Path(__file__).parent / "cases"

APP_HEAD = "apiVersion: headroom/v1\nkind: App\nmetadata: {name: one, team: t}\nspec:\n"
WORKSPACE_HEAD = "apiVersion: headroom/v1\nkind: Workspace\nspec:\n"
_SLO = "  slos:\n    - name: one\n"
_INDICATOR = f"{_SLO}      objective: 99\n      indicator:\n"
_EVENTS = "      objective: 99\n      indicator: {events: {total: a_total, bad: b_total}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A text with a mistake, what is said of it, and whether its shape is what is wrong."""

    name: str
    kind: str
    text: str
    problems: str
    shape: bool


def app_text(spec: str = "") -> str:
    """Return an App document; the lines of its spec are indented by two."""
    return APP_HEAD + _indented(spec, 2)


def slo_text(keys: str) -> str:
    """Return an App document of one SLO over events, with further keys."""
    return APP_HEAD + _SLO + _EVENTS + _indented(keys, 6)


def indicator_text(keys: str) -> str:
    """Return an App document of one SLO with this indicator."""
    return APP_HEAD + _INDICATOR + _indented(keys, 8)


def workspace_text(spec: str) -> str:
    """Return a Workspace document; the lines of its spec are indented by two."""
    return WORKSPACE_HEAD + _indented(spec, 2)


_TEXTS: dict[str, tuple[str, Callable[[str], str]]] = {
    "app": ("App", str),
    "spec": ("App", app_text),
    "slo": ("App", slo_text),
    "indicator": ("App", indicator_text),
    "workspace": ("Workspace", str),
    "space": ("Workspace", workspace_text),
    "windows": ("windows", str),
}


def cases(kind: str | None = None) -> list[Case]:
    """Return every case of the data files, or those of one kind of file."""
    return [
        case
        for path in sorted(CASES.glob("*.yaml"))
        for entry in yaml.safe_load(path.read_text())
        for case in [_case(entry)]
        if kind in {None, case.kind}
    ]


def _case(entry: dict[str, str | bool]) -> Case:
    (key,) = set(entry) & set(_TEXTS)
    kind, build = _TEXTS[key]
    return Case(
        name=str(entry["name"]),
        kind=kind,
        text=build(str(entry[key])),
        problems=str(entry["problems"]),
        shape=bool(entry["shape"]),
    )


def problems_of(case: Case) -> tuple[Problem, ...]:
    """Return what the loader of the case's kind says."""
    if case.kind == "App":
        return load(case.text).problems
    file = SourceFile(name="file.yaml", text=case.text)
    loader = load_workspace if case.kind == "Workspace" else load_windows
    return loader(file)[1]


def told(problems: Sequence[Problem]) -> str:
    """Return the problems as they are printed, without the lines of the file."""
    return render_all(problems, lambda _: None) + "\n"


@cache
def defaults() -> Defaults:
    """Return what holds without a workspace."""
    return built_in_defaults()


@cache
def library() -> TemplateLibrary:
    """Return the templates that come with the program."""
    return TemplateLibrary.built_in()


def load(*texts: str, defaults_: Defaults | None = None, sources: Sequence[str] = ()) -> Loaded:
    """Load texts as files named file.yaml, file2.yaml and so on."""
    files = [
        SourceFile(name=f"file{number or ''}.yaml", text=text)
        for number, text in zip([0, *range(2, 99)], texts, strict=False)
    ]
    return load_catalog(files, defaults_ or defaults(), templates=library(), sources=sources)


def only_app(text: str) -> App:
    """Return the app of a text without an error."""
    loaded = load(text)
    (app,) = loaded.catalog.apps
    return app


def only_slo(text: str) -> Slo:
    """Return the SLO of a text that has one app, one environment and one SLO."""
    (environment,) = only_app(text).environments
    (slo,) = environment.slos
    return slo


def _indented(text: str, by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in text.splitlines())
