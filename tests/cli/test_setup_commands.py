"""`init`, `doctor` and `validate --prometheus` as commands: arguments, exits, words."""

import json
from pathlib import Path

import pytest

from app.cli.main import COMMANDS
from tests.cli.fakes.terminals import Ending, call

DOWN = "http://127.0.0.1:9"


def headroom(*argv: str) -> Ending:
    """Run a command of the real registry."""
    return call(argv, commands=COMMANDS)


def test_init_writes_a_workspace_that_validates(tmp_path: Path) -> None:
    """And says what to do next."""
    ending = headroom("init", str(tmp_path / "slos"))
    assert (0, "") == (ending.code, ending.stderr)
    for name in (".gitignore", "apps/example.yaml", "headroom.yaml", "policies/default.yaml"):
        assert f"wrote {tmp_path}/slos/{name}\n" in ending.stdout
    assert "1 app. Next:" in ending.stdout
    checked = headroom("validate", str(tmp_path / "slos"))
    assert 0 == checked.code
    # Who is told of alerts is for its owner to say; all else is complete.
    assert ["warning", "hint", "1 warning"] == [
        line.partition(":")[0] for line in checked.stdout.splitlines()
    ]
    assert "[alertmanager/no-receiver]" in checked.stdout


def test_init_lists_what_is_in_its_way_and_touches_nothing(tmp_path: Path) -> None:
    """Unless it is forced to."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "example.yaml").write_text("mine")
    ending = headroom("init", str(tmp_path))
    assert (1, "") == (ending.code, ending.stdout)
    assert f"already there: {tmp_path}/apps/example.yaml\n" in ending.stderr
    assert "--force" in ending.stderr
    assert ["apps"] == [path.name for path in tmp_path.iterdir()]
    assert 0 == headroom("init", str(tmp_path), "--force").code
    assert "mine" != (tmp_path / "apps" / "example.yaml").read_text()


def test_init_leaves_a_gitignore_alone_and_says_what_belongs_into_it(tmp_path: Path) -> None:
    """Most folders have one already."""
    (tmp_path / ".gitignore").write_text("mine")
    ending = headroom("init", str(tmp_path), "--force")
    assert 0 == ending.code
    assert "add /.headroom/ to .gitignore" in ending.stdout
    assert "mine" == (tmp_path / ".gitignore").read_text()


def test_init_from_a_server_that_is_down_writes_nothing(tmp_path: Path) -> None:
    """The server's name and the reason are told."""
    ending = headroom("init", str(tmp_path / "x"), "--from-prometheus", DOWN)
    assert (1, "") == (ending.code, ending.stdout)
    assert "cannot be reached: Connection refused" in ending.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://x", "http://user:password@x"])
def test_init_refuses_what_is_no_address_that_a_file_may_hold(tmp_path: Path, url: str) -> None:
    """A password in an address would end up in version control."""
    ending = headroom("init", str(tmp_path / "x"), "--from-prometheus", url)
    assert (2, "") == (ending.code, ending.stdout)
    assert not (tmp_path / "x").exists()


def test_validate_against_a_server_that_is_down_exits_1(tmp_path: Path) -> None:
    """Not to know is no success."""
    assert 0 == headroom("init", str(tmp_path / "x")).code
    ending = headroom("validate", str(tmp_path / "x"), "--prometheus", DOWN)
    assert 1 == ending.code
    assert "cannot be reached" in ending.stderr


def test_doctor_tells_every_check_and_exits_1_when_one_fails(tmp_path: Path) -> None:
    """Here the example's server."""
    assert 0 == headroom("init", str(tmp_path / "x")).code
    text = headroom("doctor", str(tmp_path / "x"), "--prometheus", DOWN)
    assert 1 == text.code
    assert "fail     prometheus/flag reachable: http://127.0.0.1:9: " in text.stdout
    assert "\n           is the address right, and does the server run?\n" in text.stdout
    assert text.stdout.splitlines()[-1].endswith("1 fail, 5 skipped")
    data = headroom("doctor", str(tmp_path / "x"), "--prometheus", DOWN, "--format", "json")
    assert 1 == data.code
    assert ("headroom/doctor/v1", False) == (
        json.loads(data.stdout)["schema"],
        json.loads(data.stdout)["ok"],
    )


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["init", "--form-prometheus", DOWN], 'did you mean "--from-prometheus"?'),
        (["init", "a", "b"], 'unexpected argument "b"'),
        (["doctor", "--format", "yaml"], '"yaml" is none of text, json'),
        (["doctor", "--prometheus", "nowhere"], '"nowhere" is no address of a server'),
        (["doctor", "nowhere.yaml"], "there is no file or folder nowhere.yaml"),
        (["validate", "--prometheus", "nowhere"], '"nowhere" is no address of a server'),
    ],
)
def test_wrong_arguments_exit_2_and_say_why(argv: list[str], said: str) -> None:
    """On stderr alone."""
    ending = headroom(*argv)
    assert (2, "") == (ending.code, ending.stdout)
    assert said in ending.stderr


@pytest.mark.parametrize("command", ["init", "doctor"])
def test_help_shows_examples(command: str) -> None:
    """Of the command itself."""
    ending = headroom(command, "--help")
    assert 0 == ending.code
    assert f"  headroom {command}\n" in ending.stdout
