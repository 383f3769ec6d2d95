"""One page for every problem id: what it means, an example that was run, and what to do."""

import os
from pathlib import Path

import pytest

from slo.problem_ids import PROBLEM_IDS
from tests.unit.docs import pages

PROBLEMS = pages.DOCS / "problems"
NOT_RUN = frozenset(id_ for id_ in PROBLEM_IDS if id_.startswith("live/"))
"""Problems that only a server with series can show; their pages describe it."""


_ANY_APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: any, team: any}
spec: {}
"""


def page_of(id_: str) -> Path:
    """The page of a problem."""
    return PROBLEMS / f"{id_}.md"


def test_every_problem_has_a_page_and_every_page_a_problem(pytestconfig: pytest.Config) -> None:
    """An id that a message names can be looked up, and no page outlives its id."""
    folder = pytestconfig.rootpath / PROBLEMS
    found = {str(path.relative_to(folder).with_suffix("")) for path in folder.rglob("*.md")}
    assert {*PROBLEM_IDS, "README"} == found


@pytest.mark.parametrize("id_", PROBLEM_IDS)
def test_a_page_has_the_same_parts_as_every_other(id_: str, pytestconfig: pytest.Config) -> None:
    """It begins with the id and the title that other reports show, and goes on in one order."""
    path = pytestconfig.rootpath / page_of(id_)
    page = pages.read(path)
    head = [f"# {id_}", "", f"{PROBLEM_IDS[id_]}.", ""]
    if page.split("\n")[:4] != head and pytestconfig.getoption("--update-golden"):
        page = "\n".join([*head, *page.split("\n")[4:]])
        path.write_text(page, encoding="utf-8")
    assert head == page.split("\n")[:4], "if it should be so: --update-golden"
    headings = [line for line in pages.prose(page).split("\n") if line.startswith("#")]
    assert [f"# {id_}", "## What it means", "## Example", "## What to do"] == headings


@pytest.mark.parametrize("id_", PROBLEM_IDS)
def test_a_pages_example_gives_its_problem(
    id_: str, pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The output shown is what the program writes about the files shown."""
    path = pytestconfig.rootpath / page_of(id_)
    page = pages.read(path)
    shown = [b for b in pages.blocks(page) if (b.section, b.language) == ("Example", "console")]
    if id_ in NOT_RUN:
        assert [] == shown
        return
    monkeypatch.chdir(tmp_path)
    pages.write_files(page, tmp_path, "Example")
    console = pages.block(page, "Example", "console")
    actual = pages.session(console.text)
    assert f" [{id_}]\n" in actual
    if actual != console.text and pytestconfig.getoption("--update-golden"):
        path.write_text(pages.with_block(page, console, actual), encoding="utf-8")
        return
    assert console.text == actual, "if it should be so: --update-golden"


@pytest.mark.parametrize("id_", [each for each in PROBLEM_IDS if each not in NOT_RUN])
def test_a_pages_advice_ends_its_problem(
    id_: str, pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the lines of the page's change in the file, the program does not complain any more."""
    page = pages.read(pytestconfig.rootpath / page_of(id_))
    monkeypatch.chdir(tmp_path)
    files = pages.write_files(page, tmp_path, "Example")
    console = pages.block(page, "Example", "console").text
    for command in pages.commands(console):
        if not command.startswith("headroom "):
            pages.output(command)
    changed = pages.write_files(page, tmp_path, "What to do")
    for each in pages.blocks(page):
        if (each.section, each.language) == ("What to do", "diff"):
            changed |= _apply(each.text, files)
    assert changed, "the page shows no corrected lines"
    if not any(
        "kind: App" in path.read_text(encoding="utf-8") for path in tmp_path.glob("**/*.yaml")
    ):
        (tmp_path / "any.yaml").write_text(_ANY_APP, encoding="utf-8")
    for command in pages.commands(console):
        if command.startswith("headroom "):
            assert ": error: " not in pages.output(command)
            assert f"[{id_}]" not in pages.output(command)


def _apply(change: str, files: dict[str, Path]) -> dict[str, Path]:
    for title, path in files.items():
        text = pages.mended(path.read_text(encoding="utf-8"), change)
        if text is not None:
            path.write_text(text, encoding="utf-8")
            return {title: path}
    pytest.fail(f"the lines to change are not in the example:{os.linesep}{change}")


def test_the_list_of_problems_is_current(pytestconfig: pytest.Config) -> None:
    """The index names every id with its title, by area."""
    path = pytestconfig.rootpath / PROBLEMS / "README.md"
    text = _index()
    if path.exists() and pages.read(path) == text:
        return
    if pytestconfig.getoption("--update-golden"):
        path.write_text(text, encoding="utf-8")
        return
    assert text == pages.read(path), "if it should be so: --update-golden"


_AREAS = {
    "yaml": "The file as YAML",
    "spec": "What stands under which key",
    "query": "PromQL in a specification",
    "template": "Indicator templates",
    "policy": "Gate policies",
    "alertmanager": "Receivers and contacts",
    "live": "What a server's own series say",
}


def _index() -> str:
    lines = [
        "# Problems",
        "",
        "Every problem ends with its id in square brackets. An id keeps its meaning; the words of",
        "messages may change. `error` fails a command, `warning` and `note` do not.",
        "",
    ]
    for area, title in _AREAS.items():
        lines += [f"## {title}", ""]
        ids = sorted(each for each in PROBLEM_IDS if each.startswith(f"{area}/"))
        lines += [f"- [{id_}]({id_}.md): {PROBLEM_IDS[id_]}" for id_ in ids]
        lines.append("")
    return "\n".join(lines)
