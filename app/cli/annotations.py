"""Problems as the annotations that code hosts show beside the lines they are about."""

from collections.abc import Sequence
from urllib.parse import quote as url_quote

from slo.printable import printable
from slo.problem_ids import PROBLEM_IDS
from slo.problems import Problem, Severity, Span

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def github(problem: Problem) -> str:
    """Return a GitHub workflow command; nothing in the problem can start another one."""
    properties = {"title": problem.id}
    if problem.span is not None:
        properties = {**_github_place(problem.span), **properties}
    listed = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    text = printable(problem.message)
    if problem.hint is not None:
        text = f"{text}\nhint: {printable(problem.hint)}"
    return f"::{_COMMANDS[problem.severity]} {listed}::{_data(text)}"


def sarif(problems: Sequence[Problem]) -> dict[str, object]:
    """Return a SARIF 2.1.0 log with one run."""
    ids = sorted({problem.id for problem in problems})
    rules = [{"id": id_, "shortDescription": {"text": PROBLEM_IDS[id_]}} for id_ in ids]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "headroom", "rules": rules}},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(problem, ids) for problem in problems],
            }
        ],
    }


def _github_place(span: Span) -> dict[str, str]:
    place = {"file": span.file, "line": str(span.line), "endLine": str(span.end_line)}
    if span.end_line == span.line:  # GitHub takes columns only within one line
        place |= {"col": str(span.column), "endColumn": str(span.end_column)}
    return place


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sarif_result(problem: Problem, ids: Sequence[str]) -> dict[str, object]:
    text = problem.message if problem.hint is None else f"{problem.message}\n{problem.hint}"
    result: dict[str, object] = {
        "ruleId": problem.id,
        "ruleIndex": ids.index(problem.id),
        "level": problem.severity.value,
        "message": {"text": text},
    }
    if problem.span is not None:
        result["locations"] = [_sarif_place(problem.span)]
    if problem.related:
        result["relatedLocations"] = [
            {**_sarif_place(span), "message": {"text": text}} for span, text in problem.related
        ]
    return result


def _sarif_place(span: Span) -> dict[str, object]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": url_quote(span.file, errors="replace")},
            "region": {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": span.end_line,
                "endColumn": span.end_column,
            },
        }
    }
