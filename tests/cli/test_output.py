"""Problems written for people, programs and pipelines."""

import json
from pathlib import Path

import pytest

from app.cli.annotations import github
from app.cli.output import ReportFormat, report_problems, summary
from slo.problems import Problem, Severity, Span, error, warning
from tests.cli.fakes.terminals import terminal_in_memory, written

SPAN = Span(file="apps/a.yaml", line=2, column=3, end_line=2, end_column=4)
UNKNOWN = error("spec/unknown-key", 'unknown key "x"', SPAN, hint="leave it out")
LONG = warning("spec/too-long", "the text is long", Span.at("apps/b.yaml", 1))
SOURCES = {"apps/a.yaml": "spec:\n  x: 1\n", "apps/b.yaml": "title: …\n"}


def reported(format_: ReportFormat, *problems: Problem, color: bool = False) -> str:
    """Return what is written on stdout, and make sure that nothing else is."""
    terminal = terminal_in_memory(color=color)
    report_problems(terminal, problems, SOURCES, format=format_)
    assert written(terminal.stderr) == ""
    return written(terminal.stdout)


def test_text_shows_each_problem_in_order_with_its_line_and_counts_them() -> None:
    """The order is that of the files, not that of finding."""
    expected = (
        'apps/a.yaml:2:3: error: unknown key "x" [spec/unknown-key]\n'
        "2 |   x: 1\n"
        "  |   ^\n"
        "hint: leave it out\n"
        "apps/b.yaml:1:1: warning: the text is long [spec/too-long]\n"
        "1 | title: …\n"
        "  | ^\n"
        "1 error, 1 warning in 2 files\n"
    )
    assert expected == reported(ReportFormat.TEXT, LONG, UNKNOWN)


def test_text_is_in_color_where_the_terminal_is() -> None:
    """And only there."""
    assert "\x1b[" in reported(ReportFormat.TEXT, UNKNOWN, color=True)
    assert "\x1b[" not in reported(ReportFormat.TEXT, UNKNOWN)


@pytest.mark.parametrize(
    ("format_", "expected"),
    [(ReportFormat.TEXT, ""), (ReportFormat.GITHUB, ""), (ReportFormat.JSON, "[]\n")],
)
def test_no_problems_make_an_empty_report(format_: ReportFormat, expected: str) -> None:
    """JSON stays a list that a program can read."""
    assert expected == reported(format_)


def test_json_is_a_list_of_problems() -> None:
    """Lines and columns are where text shows them."""
    found = json.loads(reported(ReportFormat.JSON, LONG, UNKNOWN))
    ids = ["spec/unknown-key", "spec/too-long"]
    assert ids == [problem["id"] for problem in found]
    place = {"file": "apps/a.yaml", "line": 2, "column": 3, "endLine": 2, "endColumn": 4}
    assert place == found[0]["location"]


def test_github_annotations_stand_beside_the_line() -> None:
    """The form is that of GitHub's workflow commands."""
    expected = (
        "::error file=apps/a.yaml,line=2,endLine=2,col=3,endColumn=4,title=spec/unknown-key"
        '::unknown key "x"%0Ahint: leave it out\n'
    )
    assert expected == reported(ReportFormat.GITHUB, UNKNOWN)


def test_a_github_annotation_cannot_be_made_to_start_another_command() -> None:
    """Percent signs, line ends, colons and commas are escaped where they mean something."""
    span = Span.at("a,b:c%\r\n::add-mask::x.yaml")
    told = github(error("spec/bad-text", "100 %\r\n::add-mask::secret", span))
    assert "\n" not in told
    assert "\r" not in told
    expected = (
        "::error file=a%2Cb%3Ac%25%0D%0A%3A%3Aadd-mask%3A%3Ax.yaml,line=1,endLine=1,col=1,"
        "endColumn=2,title=spec/bad-text::100 %25\\r\\n::add-mask::secret"
    )
    assert expected == told


def test_sarif_points_at_the_region_and_describes_its_rules() -> None:
    """Code hosts show the rule's title and the problem's level."""
    log = json.loads(reported(ReportFormat.SARIF, UNKNOWN, LONG))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    rules = ["spec/too-long", "spec/unknown-key"]
    assert rules == [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    first = run["results"][0]
    level = ("spec/unknown-key", 1, "error")
    assert level == (first["ruleId"], first["ruleIndex"], first["level"])
    region = {"startLine": 2, "startColumn": 3, "endLine": 2, "endColumn": 4}
    assert region == first["locations"][0]["physicalLocation"]["region"]


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([], "no problems"),
        (["error"], "1 error in 1 file"),
        (["warning", "error", "error", "error"], "3 errors, 1 warning in 1 file"),
        (["note"], "1 note in 1 file"),
    ],
)
def test_the_summary_counts_what_there_is(severities: list[str], expected: str) -> None:
    """Errors come first; what there is none of is not mentioned."""
    problems = [
        Problem(id="spec/too-long", severity=Severity(severity), message=str(place), span=SPAN)
        for place, severity in enumerate(severities)
    ]
    assert expected == summary(problems)


def test_a_source_that_was_not_given_is_read_from_disk(tmp_path: Path) -> None:
    """Errors that end a command carry no texts."""
    path = tmp_path / "a.yaml"
    path.write_text("name: é\n")
    terminal = terminal_in_memory()
    report_problems(terminal, [error("spec/bad-text", "no", Span.at(str(path)))], {})
    assert "1 | name: é\n" in written(terminal.stdout)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", "folder"])
def test_a_source_that_cannot_be_read_leaves_the_line_out(
    tmp_path: Path, content: bytes | str | None
) -> None:
    """The problem itself is still told."""
    path = tmp_path / "a.yaml"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        path.mkdir()
    terminal = terminal_in_memory()
    report_problems(terminal, [error("yaml/encoding", "no text", Span.at(str(path)))], {})
    expected = f"{path}:1:1: error: no text [yaml/encoding]\n1 error in 1 file\n"
    assert expected == written(terminal.stdout)
