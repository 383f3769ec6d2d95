"""Problems written for people, programs and pipelines."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from app.cli.annotations import github, sarif
from app.cli.terminal import Terminal
from slo.problems import Problem, Severity, in_order, render_all, to_json

_LARGEST_SOURCE = 16 * 1024 * 1024


class ReportFormat(StrEnum):
    """How problems are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def report_problems(
    terminal: Terminal,
    problems: Iterable[Problem],
    sources: Mapping[str, str],
    *,
    format: ReportFormat = ReportFormat.TEXT,  # noqa: A002 - the name of the flag
    to: TextIO | None = None,
) -> None:
    """Write the problems in order, on stdout unless told otherwise.

    `sources` holds the texts of the files; one that is not there is read from disk. Text ends with
    a line that counts; where there are no problems, text and GitHub annotations are empty.
    """
    stream = terminal.stdout if to is None else to
    ordered = in_order(problems)
    match format:
        case ReportFormat.TEXT:
            color = terminal.error_color if stream is terminal.stderr else terminal.color
            text = _text(ordered, _reader(sources), color=color, width=terminal.width)
        case ReportFormat.JSON:
            text = _json([to_json(problem) for problem in ordered])
        case ReportFormat.GITHUB:
            text = "".join(f"{github(problem)}\n" for problem in ordered)
        case ReportFormat.SARIF:
            text = _json(sarif(ordered))
    stream.write(text)


def summary(problems: Iterable[Problem]) -> str:
    """Return a count such as `3 errors, 1 warning in 2 files`."""
    found = tuple(problems)
    counts = [
        count(sum(problem.severity is severity for problem in found), severity.value)
        for severity in Severity
        if any(problem.severity is severity for problem in found)
    ]
    if not counts:
        return "no problems"
    files = len({problem.span.file for problem in found if problem.span is not None})
    return ", ".join(counts) + (f" in {count(files, 'file')}" if files else "")


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `2 files`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _text(
    problems: Sequence[Problem],
    text_of: Callable[[str], str | None],
    *,
    color: bool,
    width: int,
) -> str:
    if not problems:
        return ""
    return f"{render_all(problems, text_of, color=color, width=width)}\n{summary(problems)}\n"


def _json(data: object) -> str:
    return json.dumps(data, indent=2) + "\n"


def _reader(sources: Mapping[str, str]) -> Callable[[str], str | None]:
    def text_of(name: str) -> str | None:
        return sources[name] if name in sources else _from_disk(Path(name))

    return text_of


def _from_disk(path: Path) -> str | None:
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_SOURCE:
            return None
        return path.read_bytes().decode()
    except (OSError, ValueError):
        return None
