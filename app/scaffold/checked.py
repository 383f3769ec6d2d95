"""Proposed files read as any workspace is read, before one of them is written."""

from __future__ import annotations

from collections.abc import Mapping

from slo.gate.loader import load_policies
from slo.loader import SourceFile, load_catalog, load_workspace
from slo.problems import Problem, Severity
from slo.templates import TemplateLibrary


def checked(files: Mapping[str, str]) -> tuple[Problem, ...]:
    """Return the errors of the workspace that the files, by relative path, would make."""
    sources = [SourceFile(name=path, text=text) for path, text in files.items()]
    space, found = load_workspace(next(each for each in sources if each.name == "headroom.yaml"))
    problems = list(found)
    if space is not None:
        apps = [each for each in sources if each.name.startswith("apps/")]
        references = tuple(source.reference for source in space.prometheus.values())
        library = TemplateLibrary.built_in()
        loaded = load_catalog(apps, space.defaults, templates=library, sources=references)
        problems += loaded.problems
    policies = [each for each in sources if each.name.startswith("policies/")]
    problems += load_policies(policies)[1]
    return tuple(each for each in problems if each.severity is Severity.ERROR)
