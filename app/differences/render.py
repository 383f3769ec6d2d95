"""A report of differences as text, Markdown and JSON data."""

import re
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby

from app.differences.model import Change, Fate, FileKind, Report, SloDifference, What
from slo.printable import printable

_LONGEST_VALUE = 200
"""What is longer, such as an annotation, is not shown in a terminal; JSON has it all."""

_SIGNS = {Fate.ADDED: "+", Fate.REMOVED: "-", Fate.CHANGED: "~"}


def to_json(report: Report) -> dict[str, object]:
    """Return the report as JSON data; absent values are null."""
    return {
        "schema": "headroom/diff/v1",
        "slos": [asdict(slo) for slo in report.slos],
        "dashboards": [asdict(dashboard) for dashboard in report.dashboards],
        "files": [asdict(file) for file in report.files],
    }


def to_text(report: Report) -> str:
    """Return the report for a terminal, ending with a line that counts."""
    lines: list[str] = []
    for app, slos in groupby(report.slos, key=lambda slo: slo.app):
        lines.append(printable(app) or "(no app)")
        for slo in slos:
            lines.append(f"  {_SIGNS[slo.fate]} {printable(_title(slo))}")
            lines.extend(f"      {line}" for change in slo.changes for line in _text(change))
    for heading, items in _others(report):
        lines.append(heading)
        lines.extend(f"  {_SIGNS[fate]} {printable(name)}" for fate, name in items)
    return "\n".join([*lines, summary(report), ""])


def to_markdown(report: Report) -> str:
    """Return the report for a pull request; nothing in it is taken for Markdown."""
    lines = [f"**{summary(report)}**", ""]
    for app, slos in groupby(report.slos, key=lambda slo: slo.app):
        lines += [f"### {_code(app) if app else '(no app)'}", ""]
        for slo in slos:
            lines.append(f"- {_code(f'{slo.env}/{slo.slo}')} {slo.fate}: {_rules(slo)}")
            lines.extend(f"  - {line}" for change in slo.changes for line in _markdown(change))
        lines.append("")
    for heading, items in _others(report):
        lines += [f"### {heading.capitalize()}", ""]
        lines += [f"- {_code(name)} {fate}" for fate, name in items]
        lines.append("")
    return "\n".join(lines)


def summary(report: Report) -> str:
    """Return a count such as `SLOs: 1 added, 2 changed; files: 3 changed`."""
    parts = []
    for noun, fates in (
        ("SLOs", [slo.fate for slo in report.slos]),
        ("dashboards", [dashboard.fate for dashboard in report.dashboards]),
        ("files", [file.fate for file in report.files]),
    ):
        counts = [f"{fates.count(fate)} {fate}" for fate in Fate if fate in fates]
        if counts:
            parts.append(f"{noun}: {', '.join(counts)}")
    return "; ".join(parts) or "nothing would change"


def _others(report: Report) -> Iterator[tuple[str, list[tuple[Fate, str]]]]:
    """Yield the dashboards and the files that the rest of the report does not explain."""
    if report.dashboards:
        names = [(found.fate, found.title or found.uid) for found in report.dashboards]
        yield "dashboards", names
    silent = {FileKind.OTHER} | ({FileKind.RULES} if not report.slos else set())
    files = [(file.fate, file.path) for file in report.files if file.kind in silent]
    if files:
        yield "files", files


def _title(slo: SloDifference) -> str:
    name = "/".join(part for part in (slo.env, slo.slo) if part)
    return name if slo.fate is Fate.CHANGED else f"{name} ({_rules(slo)})"


def _rules(slo: SloDifference) -> str:
    if slo.fate is Fate.CHANGED:
        return _count(len(slo.changes), "change")
    return f"{_count(slo.rules, 'recording rule')}, {_count(slo.alerts, 'alert')}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _text(change: Change) -> Iterator[str]:
    rule, old, new = (printable(text or "") for text in (change.rule, change.old, change.new))
    match change.what:
        case What.RULE_ADDED:
            yield f"+ {rule}"
        case What.RULE_REMOVED:
            yield f"- {rule}"
        case What.OBJECTIVE | What.WINDOW:
            yield f"~ {change.what}: {old} -> {new}"
        case What.EXPRESSION:
            yield f"~ expression of {rule}"
            yield f"    - {old}"
            yield f"    + {new}"
        case _ if max(len(old), len(new)) > _LONGEST_VALUE:
            yield f"~ {change.what} of {rule}"
        case _:
            yield f"~ {change.what} of {rule}: {old or '(none)'} -> {new or '(none)'}"


def _markdown(change: Change) -> Iterator[str]:
    rule = "" if change.rule is None else _code(change.rule)
    match change.what:
        case What.RULE_ADDED | What.RULE_REMOVED:
            yield f"{change.what}: {rule}"
        case _:
            of = f" of {rule}" if rule else ""
            old, new = (_code(text) if text else "(none)" for text in (change.old, change.new))
            yield f"{change.what}{of}: {old} → {new}"


def _code(text: str) -> str:
    """Return a code span; it is fenced by more backticks than the text has in a row."""
    shown = printable(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"
