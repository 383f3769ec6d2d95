"""Whether the workspace can be read, and whether its generated files are current."""

from __future__ import annotations

from pathlib import Path

from alerts.prometheus.layouts import LAYOUTS
from app import artefacts, generation
from app.artefacts import manifest
from app.doctor.model import Check, fail, ok, skipped, warn
from app.project import Project
from slo.problems import Problem, Severity

_MOST = 3
_PLAIN = "plain"


def workspace_checks(project: Project) -> list[Check]:
    """Look at the workspace file, at what it leads to, and at its sources as they are written."""
    file = project.file
    found = (
        ok("workspace", f"{file}")
        if file is not None
        else warn(
            "workspace",
            f"there is no headroom.yaml in {project.root} or above; defaults hold",
            "headroom init writes one",
        )
    )
    return [found, _specifications(project)]


def _specifications(project: Project) -> Check:
    name = "specifications"
    apps, levels = len(project.catalog.apps), len(project.catalog.levels())
    errors = [each for each in project.problems if each.severity is Severity.ERROR]
    warnings = [each for each in project.problems if each.severity is Severity.WARNING]
    if errors:
        return fail(name, f"{len(errors)} errors, first {_quoted(errors[0])}", "headroom validate")
    if not apps:
        return warn(name, "no app file was found", "headroom init writes a first one")
    count = f"{apps} apps with {levels} SLOs in force"
    if warnings:
        message = f"{count}, {len(warnings)} warnings, first {_quoted(warnings[0])}"
        return warn(name, message, "headroom validate shows them all")
    return ok(name, count)


def _quoted(problem: Problem) -> str:
    place = "" if problem.span is None else f"{problem.span.location}: "
    return f"{place}{problem.message}"


def generated_files_check(project: Project) -> Check:
    """Tell whether the output folder is as ``generate`` would leave it."""
    name = "generated files"
    out = project.path(project.workspace.output)
    if not project.catalog.apps:
        return skipped(name, "there is no app to generate anything for")
    if any(each.severity is Severity.ERROR for each in project.problems):
        return skipped(name, "the specifications have errors")
    kinds, names, layout = _written_before(out)
    if not kinds:
        return warn(name, f"nothing has been generated into {out}", "headroom generate")
    files = generation.generate(
        project.catalog, project.workspace, kinds=kinds, layout=layout, collectors=names
    )
    differences = artefacts.check(artefacts.plan(out, files))
    if not differences:
        return ok(name, f"{sum(map(len, files.values()))} files in {out} are current")
    shown = ", ".join(f"{each.path} ({each.state})" for each in differences[:_MOST])
    more = f" and {len(differences) - _MOST} more" if len(differences) > _MOST else ""
    again = "headroom generate" + ("" if layout == _PLAIN else f" --layout {layout}")
    return fail(name, f"out of date in {out}: {shown}{more}", f"{again}, then publish")


def _written_before(out: Path) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return the kinds of files that the output folder holds, its collectors, and its layout."""
    content = manifest.load(out) if out.is_dir() else None
    entries = {} if content is None else manifest.parse(out, content)
    kinds = {entry.kind for entry in entries.values()}
    folders = {path.partition("/")[0] for path, entry in entries.items() if entry.kind == "rules"}
    layouts = [name for name in LAYOUTS if name in folders]
    return *generation.kinds_of(kinds), (*layouts, _PLAIN)[0]
