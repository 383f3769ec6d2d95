"""The README holds what it promises: its commands, its files, its links, its words."""

import importlib
import re
import shlex
from pathlib import Path
from typing import cast

import pytest

from app.cli.frame import CommandModule
from app.cli.main import COMMANDS
from app.cli.parser import Parser
from tests.cli.installed import contents, headroom

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|[\s$`-])(?:\S*/)?headroom ([a-z]+)([^`\n#|]*)", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return [text for kind, text in _BLOCK.findall(README) if kind == language]


def lines() -> list[tuple[str, str]]:
    """Every command line that is shown, as the command and its arguments."""
    shown = "\n".join([*blocks("console"), *blocks("yaml"), *blocks("sh")])
    inline = "\n".join(re.findall(r"`([^`\n]+)`", re.sub(_BLOCK, "", README)))
    return [(name, rest) for text in (shown, inline) for name, rest in _COMMAND.findall(text)]


def test_every_command_that_is_named_exists() -> None:
    """And every command there is, is named."""
    assert set(COMMANDS) == {name for name, _ in lines()}


@pytest.mark.parametrize(("name", "rest"), sorted(set(lines())))
def test_every_line_that_is_shown_is_accepted(name: str, rest: str) -> None:
    """Its flags exist, and where it is complete its arguments are read."""
    module = cast("CommandModule", importlib.import_module(COMMANDS[name].module))
    parser = Parser(prog=f"headroom {name}")
    module.configure(parser)
    flags = [word.partition("=")[0] for word in shlex.split(rest) if word.startswith("--")]
    for flag in flags:
        assert flag in parser._option_string_actions, f"headroom {name} {flag}"
    if flags:
        parser.parse_args(shlex.split(rest))


def test_the_app_file_is_sound(tmp_path: Path) -> None:
    """As it stands, and it generates."""
    (text,) = [text for text in blocks("yaml") if text.startswith("apiVersion: headroom/v1")]
    (tmp_path / "ticketing.yaml").write_text(text, encoding="utf-8")
    ending = headroom("validate", cwd=tmp_path)
    assert (0, "1 app with 1 SLO: no problems\n") == (ending.code, ending.stdout)
    assert 0 == headroom("generate", "--out", "out", cwd=tmp_path).code
    assert "prometheus/default/ticketing.rules.yaml" in contents(tmp_path / "out")


def test_the_mistake_that_is_shown_reads_like_that(tmp_path: Path) -> None:
    """The same file with that mistake in it, and the same words."""
    (shown,) = [text for text in blocks("console") if "$ headroom validate" in text]
    (text,) = [text for text in blocks("yaml") if text.startswith("apiVersion: headroom/v1")]
    (right, wrong), line = ("objective: 99.9", "objectve: 99.9"), "      objectve: 99.9\n"
    mistaken = re.sub(r" +#.*", "", text).replace("    - name: availability\n", "")
    mistaken = mistaken.replace(f"      {right}\n", f"    - name: availability\n{line}")
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "ticketing.yaml").write_text(mistaken, encoding="utf-8")
    command, _, expected = shown.partition("\n")
    ending = headroom(*shlex.split(command.removeprefix("$ headroom ")), cwd=tmp_path)
    assert 1 == ending.code
    assert wrong in expected
    assert ending.stdout.startswith(expected)


def test_relative_links_lead_somewhere() -> None:
    """To files and folders of this repository."""
    targets = [target for target in _LINK.findall(README) if "://" not in target]
    assert targets
    assert [] == [target for target in targets if not (ROOT / target).exists()]


def test_the_make_targets_exist() -> None:
    """Those of the two commands that are all one has to type."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"make ([a-z-]+)", "\n".join(blocks("console"))))
    assert {"demo", "test"} <= named
    assert [] == [name for name in named if f"\n{name}:" not in makefile]


def test_the_exit_codes_are_the_gates() -> None:
    """Each number in the sentence is one of the command's own table, and none is missing but 1."""
    sentence = re.search(r"^Exit codes: (.*?)\.", README, re.MULTILINE | re.DOTALL)
    assert sentence
    told = {int(code) for code in re.findall(r"\b\d+\b", sentence[1])}
    page = headroom("gate", "--help", cwd=ROOT).stdout.partition("exit codes:")[2]
    codes = {int(code) for code in re.findall(r"(?:^|  +)(\d+) {2,}", page)}
    assert codes - {1, 11} == told
