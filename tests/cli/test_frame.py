"""The frame that every command lives in, called directly."""

from pathlib import Path

import pytest

from tests.cli.fakes.terminals import call

HELP = """\
usage: fake COMMAND [OPTIONS]

people:
  greet   say hello to people

verdicts:
  judge   end in the way it is told to
  nested  have commands of its own
  broken  fail as soon as it is imported
  extra   need what is not installed

options:
  -h, --help   show this page, or a command's own after its name
  --version    show the version
  --no-color   write plain text
  --debug      show a traceback on errors

`fake COMMAND --help` explains a command.
"""


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["--no-color", "--help"]])
def test_help_lists_the_commands_by_group_without_importing_them(argv: list[str]) -> None:
    """`broken` cannot be imported, yet it is listed."""
    ending = call(argv)
    assert (ending.code, ending.stdout, ending.stderr) == (0, HELP, "")


def test_a_commands_help_has_its_summary_its_flags_and_its_examples() -> None:
    """The summary of the registry is the first sentence of the page."""
    ending = call(["greet", "--help"])
    assert ending.code == 0
    for text in ("usage: fake greet", "Say hello to people.", "--no-color", "fake greet world"):
        assert text in ending.stdout


def test_a_command_runs_and_returns_its_exit_code() -> None:
    """What it returns is what the process exits with."""
    ending = call(["judge", "deny"])
    assert (ending.code, ending.stdout, ending.stderr) == (10, "denied\n", "")


@pytest.mark.parametrize(
    ("argv", "error", "hint"),
    [
        ([], "no command given", "fake --help"),
        (["gret"], 'unknown command "gret"; did you mean "greet"?', "fake --help"),
        (["xyzzy"], 'unknown command "xyzzy"', "fake --help"),
        (["--versoin"], 'unknown flag --versoin; did you mean "--version"?', "fake --help"),
        (["--"], "unknown flag --", "fake --help"),
        (["greet", "--formt=json"], 'unknown flag --formt; did you mean "--format"?', "fake greet"),
        (
            ["greet", "--form", "json"],
            'unknown flag --form; did you mean "--format"?',
            "fake greet",
        ),
        (
            ["greet", "--format", "jsn"],
            'argument --format: "jsn" is none of text, json; did you mean "json"?',
            "fake greet",
        ),
        (["greet", "--times", "x"], "argument --times: invalid int value: 'x'", "fake greet"),
        (["greet", "--times"], "argument --times: expected one argument", "fake greet"),
        (
            ["greet", "--at", "2026-11-21T12:00:00"],
            (
                'argument --at: "2026-11-21T12:00:00": a time is RFC 3339, such as '
                "2026-11-23T04:10:00Z, or Unix seconds (add a zone, such as Z for UTC)"
            ),
            "fake greet",
        ),
        (["judge"], "the following arguments are required: end", "fake judge"),
        (["judge", "deny", "twice"], 'unexpected argument "twice"', "fake judge"),
        (["nested"], "the following arguments are required: ACTION", "fake nested --help"),
        (
            ["nested", "verfy"],
            'argument ACTION: "verfy" is none of verify, show; did you mean "verify"?',
            "fake nested --help",
        ),
        (
            ["nested", "verify", "--fil", "x"],
            'unknown flag --fil; did you mean "--file"?',
            "fake nested verify --help",
        ),
        (["gr\x1b[2Jeet"], 'unknown command "gr\\x1b[2Jeet"; did you mean "greet"?', "fake"),
    ],
)
def test_wrong_usage_is_one_line_and_a_hint(argv: list[str], error: str, hint: str) -> None:
    """An abbreviated flag is an unknown flag."""
    ending = call(argv)
    assert (ending.code, ending.stdout) == (2, "")
    first, second = ending.stderr.splitlines()
    assert f"error: {error}" == first
    assert second.startswith(f"hint: see {hint}")


def test_a_converted_argument_arrives_as_its_value() -> None:
    """`--at` takes Unix seconds."""
    assert call(["greet", "--at", "0"]).stdout == "1970-01-01T00:00:00+00:00\n"


@pytest.mark.parametrize(
    ("end", "code", "stderr"),
    [
        ("usage", 2, "error: an app and all apps exclude each other\nhint: leave out --all\n"),
        ("source", 13, "error: prometheus/eu: no answer in 5 s\nhint: is it up?\n"),
        ("publish", 14, "error: refused \\x1b[2J\n"),
        ("file", 14, "error: /nonexistent/folder/file: No such file or directory\n"),
        ("interrupt", 130, "interrupted\n"),
        (
            "bug",
            1,
            (
                "error: this is a bug in Headroom: KeyError: 'bug'\n"
                "hint: run it again with --debug and report what it prints\n"
            ),
        ),
    ],
)
def test_every_way_to_fail_has_its_message_and_the_commands_own_exit_code(
    end: str, code: int, stderr: str
) -> None:
    """The command has a table of its own, as the gate has."""
    ending = call(["judge", end])
    assert (code, "", stderr) == (ending.code, ending.stdout, ending.stderr)


def test_problems_of_a_specification_are_reported_with_their_source_lines(tmp_path: Path) -> None:
    """A file that cannot be read is named without its line."""
    path = tmp_path / "app.yaml"
    path.write_text("spec:\n  x: 1\n")
    ending = call(["judge", "spec", "--file", str(path)])
    assert ending.code == 2
    assert f'{path}:2:3: error: unknown key "x" [spec/unknown-key]\n2 |   x: 1\n' in ending.stderr
    assert ending.stderr.endswith("1 error, 1 warning in 2 files\n")


def test_a_command_that_cannot_be_imported_is_a_bug_and_not_a_traceback() -> None:
    """Even our own mistakes are told in a sentence."""
    ending = call(["broken"])
    assert ending.code == 1
    assert ending.stderr.startswith("error: this is a bug in Headroom: RuntimeError: imported\n")
    assert "Traceback" not in ending.stderr


def test_a_command_without_its_extra_says_which_one_to_install() -> None:
    """A missing package is no bug."""
    ending = call(["extra"])
    assert ending.code == 1
    expected = (
        "error: this needs streamlit, which is not installed\n"
        "hint: pip install 'headroom[console]'\n"
    )
    assert expected == ending.stderr


@pytest.mark.parametrize(
    "argv", [["--debug", "judge", "bug"], ["judge", "bug", "--debug"], ["broken", "--debug"]]
)
def test_debug_shows_the_traceback_and_keeps_the_exit_code(argv: list[str]) -> None:
    """Pipelines that read the code may debug, too."""
    ending = call(argv)
    assert ending.code == 1
    assert ending.stderr.startswith("Traceback (most recent call last)")
    assert "error: this is a bug in Headroom" in ending.stderr


@pytest.mark.parametrize("argv", [["--no-color", "greet"], ["greet", "--no-color"]])
def test_no_color_works_before_and_after_the_command(argv: list[str]) -> None:
    """A flag for every command stands where people put it."""
    assert call(["greet"], color=True).stderr == "written in color\n"
    assert call(argv, color=True).stderr == "written in plain text\n"


@pytest.mark.parametrize(
    "argv",
    [
        ["--no-color", "nested", "verify"],
        ["nested", "--no-color", "verify"],
        ["nested", "verify", "--no-color"],
    ],
)
def test_no_color_works_with_a_command_of_a_command(argv: list[str]) -> None:
    """Before it, after it and in between."""
    assert call(["nested", "verify"], color=True).stdout == "verify in color\n"
    assert call(argv, color=True).stdout == "verify in plain text\n"


def test_a_command_of_a_command_has_its_own_help() -> None:
    """With the flags that are its own."""
    ending = call(["nested", "verify", "--help"])
    assert ending.code == 0
    assert ending.stdout.startswith("usage: fake nested verify")
    assert "--file" in ending.stdout
