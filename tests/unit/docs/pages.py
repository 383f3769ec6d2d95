"""Pages of the documentation taken apart: headings, fenced blocks, links, and what was run."""

import io
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.cli.frame import run
from app.cli.main import COMMANDS
from app.cli.terminal import Terminal

DOCS = Path("docs")
WIDTH = 80
"""The width that every output in the documentation was written at."""

_FENCE = re.compile(r"^( *)(```+)(\w*)(?: title=\"([^\"]+)\")? *$")
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
_PROMPT = "$ "


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block; ``start`` and ``end`` are the indexes of its fences among the lines."""

    section: str
    language: str
    title: str | None
    text: str
    start: int
    end: int


def read(path: Path) -> str:
    """Return the text of a page."""
    return path.read_text(encoding="utf-8")


def blocks(page: str) -> tuple[Block, ...]:
    """Return the fenced blocks of a page, in order, each with the heading it stands under."""
    return tuple(_blocks(page.split("\n")))


def _blocks(lines: list[str]) -> Iterator[Block]:
    section, opened = "", None
    for index, line in enumerate(lines):
        fence = _FENCE.match(line)
        if opened is None:
            if line.startswith("#"):
                section = line.lstrip("#").strip()
            if fence:
                opened = (index, fence)
            continue
        start, first = opened
        if line.strip() == first[2]:
            inner = [text.removeprefix(first[1]) for text in lines[start + 1 : index]]
            text = "".join(f"{each}\n" for each in inner)
            yield Block(
                section=section,
                language=first[3],
                title=first[4],
                text=text,
                start=start,
                end=index,
            )
            opened = None
    assert opened is None, "a block has no end"


def block(page: str, section: str, language: str) -> Block:
    """Return the first block of a language under a heading."""
    found = [b for b in blocks(page) if (b.section, b.language) == (section, language)]
    assert found, f"there is no {language} block under {section}"
    return found[0]


def with_block(page: str, old: Block, text: str) -> str:
    """Return the page with the text of one block replaced."""
    lines = page.split("\n")
    lines[old.start + 1 : old.end] = text.removesuffix("\n").split("\n")
    return "\n".join(lines)


def prose(page: str) -> str:
    """Return a page without its fenced blocks."""
    lines = page.split("\n")
    inside = {index for b in blocks(page) for index in range(b.start, b.end + 1)}
    return "\n".join(line for index, line in enumerate(lines) if index not in inside)


def links(page: str) -> list[str]:
    """Return the targets of a page's links."""
    return _LINK.findall(re.sub(r"`[^`\n]*`", "", prose(page)))


def anchors(page: str) -> set[str]:
    """Return what the headings of a page are linked to as."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}


def commands(console: str) -> list[str]:
    """Return the commands that a console block shows."""
    return [line.removeprefix(_PROMPT) for line in console.splitlines() if line.startswith(_PROMPT)]


def write_files(page: str, folder: Path, section: str) -> dict[str, Path]:
    """Write the titled blocks under a heading to a folder, and return them by title."""
    written = {}
    for each in blocks(page):
        if each.section == section and each.title is not None:
            path = folder / each.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.text, encoding="utf-8")
            written[each.title] = path
    return written


def session(console: str) -> str:
    """Run the commands of a console block in the working directory; return it with the output."""
    parts = []
    for command in commands(console):
        parts += [f"{_PROMPT}{command}\n", output(command)]
    return "".join(parts)


def output(command: str) -> str:
    """Return what a command writes: headroom's own in this process, any other in a shell."""
    words = command.split()
    if words[0] != "headroom":
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        return done.stdout
    stream = io.StringIO()
    environment = {"XDG_STATE_HOME": str(Path.cwd())}
    terminal = Terminal(stdout=stream, stderr=stream, width=WIDTH, environment=environment)
    run(COMMANDS, words[1:], terminal)
    return stream.getvalue()


def mended(text: str, change: str) -> str | None:
    """Return a file with a diff's lines exchanged, or nothing if the lines are not there once."""
    lines = change.splitlines()
    old = "".join(f"{line[1:]}\n" for line in lines if line[:1] in {"-", " "})
    new = "".join(f"{line[1:]}\n" for line in lines if line[:1] in {"+", " "})
    return text.replace(old, new) if text.count(old) == 1 else None
