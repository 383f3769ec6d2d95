"""Problems: their ids, their order, and how they are shown."""

import json
import re

import pytest

from slo.errors import HeadroomError, SourceError, SourceTimeout, SpecError
from slo.printable import printable, quote
from slo.problem_ids import PROBLEM_IDS
from slo.problems import (
    Problem,
    Severity,
    Span,
    error,
    has_errors,
    in_order,
    render,
    render_all,
    to_json,
    warning,
)


def span(line: int, column: int, end_column: int, file: str = "app.yaml") -> Span:
    """Return a place on one line."""
    return Span(file=file, line=line, column=column, end_line=line, end_column=end_column)


def shown(problem: Problem, text: str, *, color: bool = False, width: int = 100) -> list[str]:
    """Return the lines of a rendered problem."""
    return render(problem, lambda _: text, color=color, width=width).split("\n")


def test_unknown_id_is_refused() -> None:
    """A problem whose id has no page cannot be made."""
    with pytest.raises(ValueError, match=r"slo/problem_ids\.py"):
        error("spec/no-such-id", "anything")


@pytest.mark.parametrize(("id_", "title"), PROBLEM_IDS.items())
def test_every_id_names_a_page(id_: str, title: str) -> None:
    """An id is a group and a name, and its title is a plain phrase."""
    group, name = id_.split("/")
    assert (group + name).replace("-", "").isalnum()
    assert title[0].isupper()
    assert not title.endswith(".")


def test_problem_reads_like_a_compilers() -> None:
    """Place, severity, message and id come first, then the line, the carets and the hint."""
    problem = error(
        "spec/unknown-key",
        'unknown key "objectve"; did you mean "objective"?',
        span(2, 3, 11),
        hint="see the docs",
        related=((span(1, 1, 5), "in this list"),),
    )
    expected = [
        'app.yaml:2:3: error: unknown key "objectve"; did you mean "objective"? [spec/unknown-key]',
        "2 |   objectve: 99.9",
        "  |   ^^^^^^^^",
        "hint: see the docs",
        "app.yaml:1:1: note: in this list",
        "1 | slos:",
        "  | ^^^^",
    ]
    assert expected == shown(problem, "slos:\n  objectve: 99.9\n")


def test_problem_without_a_place_is_one_line() -> None:
    """Without a span, or a text to quote, only the message is shown."""
    assert ["warning: odd [spec/missing-key]"] == shown(warning("spec/missing-key", "odd"), "")
    placed = error("spec/missing-key", "odd", span(9, 1, 2))
    assert ["app.yaml:9:1: error: odd [spec/missing-key]"] == shown(placed, "one line")
    assert "app.yaml:9:1: error: odd [spec/missing-key]" == render(placed, lambda _: None)


def test_lines_are_counted_as_editors_do() -> None:
    """CRLF and CR end a line, U+2028 does not, and a byte order mark has no column."""
    text = "\ufeffa\r\nb\u2028c\rlast"
    assert "3 | last" == shown(error("spec/missing-key", "m", span(3, 1, 5)), text)[1]
    assert "1 | a" == shown(error("spec/missing-key", "m", span(1, 1, 2)), text)[1]


@pytest.mark.parametrize("column", [1, 50, 151, 270, 300])
def test_long_line_is_cut_around_the_caret(column: int) -> None:
    """A line longer than the terminal keeps the place in view."""
    text = "".join(chr(ord("a") + index % 26) for index in range(300))
    lines = shown(error("spec/missing-key", "m", span(1, column, column + 1)), text, width=60)
    assert max(map(len, lines[1:])) <= 60
    assert text[column - 1] == lines[1][lines[2].index("^")]


def test_carets_fit_wide_characters() -> None:
    """A character that takes two columns gets two carets and moves what follows by two."""
    lines = shown(error("spec/missing-key", "m", span(1, 2, 4)), "日本x: 1")
    assert ["1 | 日本x: 1", "  |   ^^^"] == lines[1:]


def test_span_over_several_lines_underlines_the_first() -> None:
    """The carets run to the end of the line on which the span starts."""
    place = Span(file="f", line=1, column=4, end_line=3, end_column=2)
    lines = shown(error("spec/missing-key", "m", place), "a: bcd  \n  e\n")
    assert "  |    ^^^" == lines[2]


@pytest.mark.parametrize(
    "evil",
    ["\x1b[31m", "\x1b]8;;http://x\x07", "\u202e", "\u200b", "\r", "\x9b31m", "\u2800", "\x00"],
)
def test_a_file_cannot_paint_the_terminal(evil: str) -> None:
    """Controls, links, bidirectional marks and blanks are shown as escapes wherever they come."""
    problem = error(
        "spec/unknown-key",
        f"unknown key {evil}",
        span(1, 1, 2, file=f"{evil}.yaml"),
        hint=evil,
        related=((span(1, 1, 2), evil),),
    )
    text = render(problem, lambda _: f"key{evil}: 1".replace("\r", "\x0c"))
    assert evil not in text
    assert printable(evil) in text


def test_huge_line_is_rendered_at_once() -> None:
    """Only the part of a line near the place is looked at."""
    text = "日\u0301" * 500_000
    lines = shown(error("spec/missing-key", "m", span(1, 999_001, 999_003)), text)
    assert len(lines[1]) < 250


def test_printable_text_stays_as_it_is() -> None:
    """Making text printable twice changes nothing more."""
    once = printable("tab\tnew\nesc\x1b \\n é 日 \U000e0100")
    assert "tab\\tnew\\nesc\\x1b \\n é 日 \\U000e0100" == once
    assert once == printable(once)
    assert '"abcd…"' == quote("abcdefgh", limit=5)


def test_color_only_when_asked() -> None:
    """Colour adds escapes and changes no character of the text."""
    problem = error("spec/unknown-key", "m", span(1, 2, 3), hint="h")
    plain, painted = ("\n".join(shown(problem, "abc", color=color)) for color in (False, True))
    assert plain == re.sub(r"\x1b\[[0-9;]*m", "", painted)
    assert "\x1b[1;31merror:\x1b[0m" in painted


def test_problems_stand_in_order_once() -> None:
    """Problems are sorted by file, line, column and id; equal ones are kept once."""
    late = error("spec/missing-key", "m", span(9, 1, 2))
    early = warning("spec/unknown-key", "m", span(2, 7, 8))
    other = error("spec/missing-key", "m", span(10, 1, 2, file="a.yaml"))
    nowhere = error("yaml/syntax", "m")
    assert (nowhere, other, early, late) == in_order([late, early, other, late, nowhere])
    assert has_errors([early, late])
    assert not has_errors([early])


def test_several_problems_follow_each_other() -> None:
    """Problems are rendered one after the other, in the order given."""
    problems = [error("spec/missing-key", name) for name in ("one", "two")]
    expected = "error: one [spec/missing-key]\nerror: two [spec/missing-key]"
    assert expected == render_all(problems, lambda _: None)


def test_problem_as_json() -> None:
    """JSON nests places and has null for what is absent."""
    place = {"file": "app.yaml", "line": 2, "column": 3, "endLine": 2, "endColumn": 5}
    problem = error("yaml/syntax", "m", span(2, 3, 5), related=((span(2, 3, 5), "r"),))
    expected = {
        "id": "yaml/syntax",
        "severity": "error",
        "message": "m",
        "location": place,
        "hint": None,
        "related": [{"location": place, "message": "r"}],
    }
    assert expected == json.loads(json.dumps(to_json(problem)))
    assert to_json(error("yaml/syntax", "m"))["location"] is None


def test_spec_error_carries_its_problems() -> None:
    """A specification's error counts errors only and keeps all problems, in order."""
    problems = [warning("spec/missing-key", "b"), error("spec/missing-key", "a")]
    cause = SpecError(problems)
    assert "1 error in the specification" == str(cause)
    assert [Severity.ERROR, Severity.WARNING] == [each.severity for each in cause.problems]
    assert isinstance(cause, HeadroomError)


def test_source_error_names_its_source() -> None:
    """Every failure of a back end can be caught as one and says which back end it was."""
    cause = SourceTimeout("no answer in 10s", source="prometheus/eu")
    assert isinstance(cause, SourceError)
    assert "prometheus/eu" == cause.source
