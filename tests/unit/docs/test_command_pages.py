"""One page for every command, and no command line in the documentation that would be refused."""

import importlib
import json
import re
import shlex
from pathlib import Path
from typing import cast

import pytest

from app.cli.frame import CommandModule
from app.cli.main import COMMANDS
from app.cli.parser import HelpRequested, Parser
from tests.unit.docs import pages

FOLDER = pages.DOCS / "commands"
_PLACEHOLDERS = re.compile(r"\s+#.*$|\s*[|>].*$")


def test_every_command_has_a_page(pytestconfig: pytest.Config) -> None:
    """And no page describes a command that is not there."""
    found = {path.stem for path in (pytestconfig.rootpath / FOLDER).glob("*.md")}
    assert set(COMMANDS) == found


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_begins_with_its_command_and_shows_its_help(
    name: str, pytestconfig: pytest.Config
) -> None:
    """The help itself is compared where all shown commands are run."""
    page = pages.read(pytestconfig.rootpath / FOLDER / f"{name}.md")
    assert page.startswith(f"# headroom {name}\n")
    assert [f"headroom {name} --help"] == pages.commands(pages.block(page, "Help", "console").text)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_pages_exit_codes_are_the_commands(name: str, pytestconfig: pytest.Config) -> None:
    """The table lists what the help lists, or else what every command has."""
    page = pages.read(pytestconfig.rootpath / FOLDER / f"{name}.md")
    table = page.split("## Exit codes")[1]
    shown = set(map(int, re.findall(r"^\| ([0-9]+) \|", table, re.MULTILINE)))
    told = pages.output(f"headroom {name} --help").partition("exit codes:")[2]
    codes = set(map(int, re.findall(r"(?:^|  +)([0-9]+) {2,}", told)))
    assert (codes or ({0, 2} if name == "schema" else {0, 1, 2})) == shown


def _command_lines(root: Path) -> list[tuple[str, str]]:
    found = []
    for path in sorted((root / pages.DOCS).rglob("*.md")):
        for block in pages.blocks(pages.read(path)):
            if block.language in {"sh", "console"}:
                joined = block.text.replace("\\\n", " ")
                lines = [line.removeprefix("$ ") for line in joined.splitlines()]
                found += [(path.name, line) for line in lines if line.startswith("headroom ")]
    return found


def test_every_command_line_in_the_documentation_is_accepted(pytestconfig: pytest.Config) -> None:
    """Flags that were renamed do not live on in the documentation."""
    lines = _command_lines(pytestconfig.rootpath)
    assert lines
    for place, line in lines:
        words = shlex.split(_PLACEHOLDERS.sub("", line))
        assert words[1] in COMMANDS, f"{place}: {line}"
        module = cast("CommandModule", importlib.import_module(COMMANDS[words[1]].module))
        parser = Parser(prog=f"headroom {words[1]}")
        module.configure(parser)
        if "--help" not in words:
            parser.parse_args(words[2:])
        else:
            with pytest.raises(HelpRequested):
                parser.parse_args(words[2:])


def test_the_status_page_shows_every_key_of_the_answer(
    pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example has the keys of a real answer, in their order; here a server is missing."""
    page = pages.read(pytestconfig.rootpath / FOLDER / "status.md")
    shown = json.loads(pages.block(page, "JSON", "json").text)
    monkeypatch.chdir(tmp_path)
    generate = pages.read(pytestconfig.rootpath / FOLDER / "generate.md")
    pages.write_files(generate, tmp_path, "Examples")
    flags = "--prometheus http://127.0.0.1:9 --at 1700000000 --timeout 1s --format json"
    actual = json.loads(pages.output(f"headroom status apps {flags}"))
    assert list(actual) == list(shown)
    assert list(actual["slos"][0]) == list(shown["slos"][0])


def test_the_gate_page_shows_every_key_of_the_decision(pytestconfig: pytest.Config) -> None:
    """The table has the keys of the schema that is shipped, in its order."""
    page = pages.read(pytestconfig.rootpath / FOLDER / "gate.md").split("## JSON")[1]
    decision = pages.read(pytestconfig.rootpath / "slo" / "gate" / "decision.schema.json")
    shown = re.findall(r"^\| `([a-zA-Z]+)` \|", page.split("\n## ")[0], re.MULTILINE)
    assert list(json.loads(decision)["properties"]) == shown


def test_the_doctor_page_shows_every_key_of_the_answer(
    pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The example has the keys of a real answer, in their order."""
    page = pages.read(pytestconfig.rootpath / FOLDER / "doctor.md")
    shown = json.loads(pages.block(page, "JSON", "json").text)
    monkeypatch.chdir(tmp_path)
    actual = json.loads(pages.output("headroom doctor --format json"))
    assert list(actual) == list(shown)
    assert shown["checks"][0] in actual["checks"]
