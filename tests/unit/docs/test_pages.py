"""All pages together: what they show was run, what they link to is there, their files validate."""

import re
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import yaml

from app.cli.main import COMMANDS
from slo.gate.loader import load_policies
from slo.gate.selection import built_in
from slo.loader import KINDS, schema, shapes_indicator
from slo.loader.documents import SourceFile
from slo.shape import Either, Record
from tests.unit.docs import pages
from tests.unit.docs.key_tables import key_tables

RUN = tuple(f"commands/{name}.md" for name in COMMANDS)
"""Pages whose console blocks are run, section by section, in a folder with the section's files."""
DOCUMENTS = ("app-file.md", "external-sources.md", "indicators.md", "policy.md", "workspace.md")
"""Pages whose titled files must be without errors."""
KEY_TABLES = {"app-file.md": "App", "workspace.md": "Workspace", "policy.md": "GatePolicy"}

_MARKS = re.compile(r"(<!-- keys of (\w+) -->\n)(.*)(<!-- end of keys -->\n)", re.DOTALL)


@pytest.mark.parametrize("name", RUN)
def test_what_a_page_shows_is_what_the_program_writes(
    name: str, pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each section's commands run in a folder with the files that the section shows."""
    path = pytestconfig.rootpath / pages.DOCS / name
    page = pages.read(path)
    for section in dict.fromkeys(block.section for block in pages.blocks(page)):
        folder = tmp_path / re.sub(r"\W", "-", section)
        folder.mkdir()
        monkeypatch.chdir(folder)
        pages.write_files(page, folder, section)
        shown = [b for b in pages.blocks(page) if (b.section, b.language) == (section, "console")]
        for index in range(len(shown)):
            block = [
                b for b in pages.blocks(page) if (b.section, b.language) == (section, "console")
            ][index]
            actual = pages.session(block.text)
            if actual != block.text and pytestconfig.getoption("--update-golden"):
                page = pages.with_block(page, block, actual)
                path.write_text(page, encoding="utf-8")
                continue
            assert block.text == actual, f"{section}; if it should be so: --update-golden"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_files_that_a_page_shows_are_without_errors(
    name: str, pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each section's files are a workspace of their own."""
    page = pages.read(pytestconfig.rootpath / pages.DOCS / name)
    sections = {b.section for b in pages.blocks(page) if b.title is not None}
    assert sections
    for section in sections:
        folder = tmp_path / re.sub(r"\W", "-", section)
        folder.mkdir()
        monkeypatch.chdir(folder)
        pages.write_files(page, folder, section)
        told = pages.output("headroom validate")
        # A page on one kind of file need not show an app and its contacts beside it.
        assert not re.search(r"\berror: (?!no app file was found)", told), f"{section}: {told}"


@pytest.mark.parametrize("name", KEY_TABLES)
def test_the_keys_on_a_page_are_those_of_the_schema(name: str, pytestconfig: pytest.Config) -> None:
    """The tables are written from the JSON Schema; pytest --update-golden writes them anew."""
    path = pytestconfig.rootpath / pages.DOCS / name
    page = pages.read(path)
    found = _MARKS.search(page)
    assert found is not None
    assert KEY_TABLES[name] == found[2]
    expected = key_tables(schema(KEY_TABLES[name]))
    if found[3] != expected and pytestconfig.getoption("--update-golden"):
        start, end = found.span(3)
        path.write_text(f"{page[:start]}{expected}{page[end:]}", encoding="utf-8")
        return
    assert expected == found[3], "if it should be so: --update-golden"


def test_every_yaml_block_is_yaml_or_meant_not_to_be(pytestconfig: pytest.Config) -> None:
    """Outside of the pages on mistakes, every example can be parsed."""
    root = pytestconfig.rootpath / pages.DOCS
    for path in sorted(root.rglob("*.md")):
        for block in pages.blocks(pages.read(path)):
            if block.language == "yaml" and path.parent.parent.name != "problems":
                list(yaml.safe_load_all(block.text))


def test_every_link_leads_to_a_page_and_a_heading(pytestconfig: pytest.Config) -> None:
    """Relative links name files that exist; a fragment names a heading of the page."""
    root = pytestconfig.rootpath
    broken = []
    for path in sorted((root / pages.DOCS).rglob("*.md")):
        for target in pages.links(pages.read(path)):
            if target.startswith(("http://", "https://")):
                continue
            file, _, fragment = target.partition("#")
            place = (path.parent / file).resolve() if file else path
            there = place.exists() and (
                not fragment or fragment in pages.anchors(pages.read(place))
            )
            if not there:
                broken.append(f"{path.relative_to(root)}: {target}")
    assert [] == broken


def test_every_page_can_be_reached_from_the_index(pytestconfig: pytest.Config) -> None:
    """docs/README.md links every page; problems, collectors and products have an index each."""
    root = pytestconfig.rootpath / pages.DOCS
    reached = {root / "README.md"}
    folders = (root, root / "problems", root / "collectors")
    for index in (*(folder / "README.md" for folder in folders), root / "external-sources.md"):
        for target in pages.links(pages.read(index)):
            reached.add((index.parent / target.partition("#")[0]).resolve())
    assert [] == sorted(str(path) for path in set(root.rglob("*.md")) - reached)


def test_every_kind_of_document_has_keys_on_a_page() -> None:
    """Templates have a page that is written from the templates themselves."""
    assert {*KINDS} == {*KEY_TABLES.values(), "IndicatorTemplate"}
    assert {*KINDS} == {cast("str", schema(kind)["title"]).split()[1] for kind in KINDS}


def test_the_built_in_policy_is_that_of_the_page(pytestconfig: pytest.Config) -> None:
    """The page says that the rules of its example, but for the freeze, apply without a policy."""
    page = pages.read(pytestconfig.rootpath / pages.DOCS / "policy.md")
    text = pages.block(page, "Gate policies", "yaml").text
    policies, problems = load_policies([SourceFile(name="policy.yaml", text=text)])
    assert () == problems
    shown = [replace(rule, span=None) for rule in policies[0].rules if rule.reads_data]
    assert list(built_in().rules) == shown


def _keys(page: str, section: str) -> list[str]:
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


@pytest.mark.parametrize("kind", shapes_indicator.KINDS)
def test_every_kind_of_indicator_has_a_section_with_its_keys(
    kind: str, pytestconfig: pytest.Config
) -> None:
    """The keys are those that the loader reads."""
    page = pages.read(pytestconfig.rootpath / pages.DOCS / "indicators.md")
    shape = shapes_indicator.KINDS[kind].shape
    record = shape.mapping if isinstance(shape, Either) else shape
    assert isinstance(record, Record)
    assert sorted(record.fields) == sorted(_keys(page, kind))


def test_the_keys_beside_a_kind_are_on_the_page(pytestconfig: pytest.Config) -> None:
    """They are the same for every kind."""
    page = pages.read(pytestconfig.rootpath / pages.DOCS / "indicators.md")
    assert sorted(shapes_indicator.COMMON) == sorted(_keys(page, "Keys beside a kind"))
