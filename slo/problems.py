"""Problems as data: what is wrong, where, and what to do about it."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Self

from slo._excerpt import excerpt, split_lines
from slo.printable import printable
from slo.problem_ids import PROBLEM_IDS
from slo.records import dataclass


class Severity(StrEnum):
    """How much a problem matters: only errors stop the work."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """A place in a file: lines and columns count from 1, in characters; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def at(cls, file: str, line: int = 1, column: int = 1) -> Self:
        """Return the span of one character."""
        return cls(file=file, line=line, column=column, end_line=line, end_column=column + 1)

    @property
    def location(self) -> str:
        """Return `file:line:column`, printable."""
        return f"{printable(self.file)}:{self.line}:{self.column}"

    def to(self, last: "Span") -> "Span":
        """Return the span from the start of this one to the end of another."""
        return Span(
            file=self.file,
            line=self.line,
            column=self.column,
            end_line=last.end_line,
            end_column=last.end_column,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, or worth knowing, in what a user wrote.

    Raises `ValueError` for an id that `slo.problem_ids` does not list.
    """

    id: str
    severity: Severity
    message: str
    span: Span | None = None
    hint: str | None = None
    related: tuple[tuple[Span, str], ...] = ()

    def __post_init__(self) -> None:
        if self.id not in PROBLEM_IDS:
            raise ValueError(f"unknown problem id {self.id!r}; list it in slo/problem_ids.py")

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """Return the order of reports: file, line, column, id, message; no place comes first."""
        if self.span is None:
            return ("", 0, 0, self.id, self.message)
        return (self.span.file, self.span.line, self.span.column, self.id, self.message)


def error(
    id_: str,
    message: str,
    span: Span | None = None,
    *,
    hint: str | None = None,
    related: tuple[tuple[Span, str], ...] = (),
) -> Problem:
    """Return a problem that stops the work."""
    return Problem(
        id=id_, severity=Severity.ERROR, message=message, span=span, hint=hint, related=related
    )


def warning(
    id_: str,
    message: str,
    span: Span | None = None,
    *,
    hint: str | None = None,
    related: tuple[tuple[Span, str], ...] = (),
) -> Problem:
    """Return a problem that is worth mending but stops nothing."""
    return Problem(
        id=id_, severity=Severity.WARNING, message=message, span=span, hint=hint, related=related
    )


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return the problems sorted by place, each once.

    A value reached through several aliases is read several times and complains each time.
    """
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.sort_key))


def has_errors(problems: Iterable[Problem]) -> bool:
    """Tell whether any of the problems is an error."""
    return any(problem.severity is Severity.ERROR for problem in problems)


def to_json(problem: Problem) -> dict[str, object]:
    """Return the problem as JSON data; absent parts are null."""
    return {
        "id": problem.id,
        "severity": problem.severity.value,
        "message": problem.message,
        "location": None if problem.span is None else _location(problem.span),
        "hint": problem.hint,
        "related": [
            {"location": _location(span), "message": text} for span, text in problem.related
        ],
    }


def render(
    problem: Problem, text_of: Callable[[str], str | None], *, color: bool = False, width: int = 100
) -> str:
    """Return the problem as a compiler writes it: place, message, source line, carets, hint.

    `text_of` gives the text of a file, or None where there is none; then the line is left out.
    """
    return render_all((problem,), text_of, color=color, width=width)


def render_all(
    problems: Iterable[Problem],
    text_of: Callable[[str], str | None],
    *,
    color: bool = False,
    width: int = 100,
) -> str:
    """Return all problems as text, each as `render` writes it, in the order given."""
    page = _Page(text_of=text_of, color=color, width=width)
    return "\n".join(page.problem(problem) for problem in problems)


_RED, _YELLOW, _CYAN, _BOLD, _DIM = "31", "33", "36", "1", "2"
_COLORS = {Severity.ERROR: _RED, Severity.WARNING: _YELLOW, Severity.NOTE: _CYAN}


class _Page:
    """The writing of many problems; splits each file into lines once."""

    def __init__(self, *, text_of: Callable[[str], str | None], color: bool, width: int) -> None:
        self._text_of = text_of
        self._color = color
        self._width = width
        self._lines: dict[str, list[str]] = {}

    def problem(self, problem: Problem) -> str:
        ink = f"{_BOLD};{_COLORS[problem.severity]}"
        label = self._paint(f"{problem.severity}:", ink)
        identity = self._paint(f"[{problem.id}]", _DIM)
        parts = [
            f"{self._place(problem.span)}{label} {printable(problem.message)} {identity}",
            *self._excerpt(problem.span, ink),
        ]
        if problem.hint is not None:
            parts.append(f"{self._paint('hint:', _CYAN)} {printable(problem.hint)}")
        for span, text in problem.related:
            label = self._paint("note:", _CYAN)
            parts.append(f"{self._place(span)}{label} {printable(text)}")
            parts.extend(self._excerpt(span, _CYAN))
        return "\n".join(parts)

    def _place(self, span: Span | None) -> str:
        return "" if span is None else self._paint(f"{span.location}:", _BOLD) + " "

    def _excerpt(self, span: Span | None, ink: str) -> list[str]:
        line = None if span is None else self._line(span)
        if span is None or line is None:
            return []
        number = str(span.line)
        blank = " " * len(number)
        end_column = span.end_column if span.end_line == span.line else None
        room = max(20, self._width - len(number) - 3)
        shown, carets = excerpt(line, span.column, end_column, room)
        return [
            f"{self._paint(f'{number} |', _DIM)} {shown}",
            f"{self._paint(f'{blank} |', _DIM)} {self._paint_under(carets, ink)}",
        ]

    def _line(self, span: Span) -> str | None:
        if span.file not in self._lines:
            text = self._text_of(span.file)
            self._lines[span.file] = (
                [] if text is None else split_lines(text.removeprefix("\ufeff"))
            )
        lines = self._lines[span.file]
        return lines[span.line - 1] if 0 < span.line <= len(lines) else None

    def _paint_under(self, carets: str, ink: str) -> str:
        start = carets.index("^")
        return carets[:start] + self._paint(carets[start:], ink)

    def _paint(self, text: str, ink: str) -> str:
        return f"\x1b[{ink}m{text}\x1b[0m" if self._color else text


def _location(span: Span) -> dict[str, object]:
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
