"""Sources: the kinds of places a part comes from, each a class with the keys of its recipes.

A new kind is one class and one line in ``KINDS``. ``commands`` runs whatever a recipe lists, so a
part with a shape of its own (Maven, for one) needs no new kind.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.servers.provision.debian import DebianPackages
from tests.servers.provision.workbench import Workbench


class Source(Protocol):
    """Where a part comes from."""

    @property
    def tools(self) -> Sequence[str]:
        """The programs of this machine that a build needs."""

    def build(self, bench: Workbench) -> None:
        """Fill ``bench.part``, with its executables in ``bin/`` by plain name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoModule:
    """Main packages of a Go module, built in a module of our own.

    ``go install pkg@version`` would refuse modules with replace directives. ``replace`` repeats
    those as ``old=new@version``; ``rename`` maps plain names to the names that Go gives.
    """

    recipes: Path
    packages: Sequence[str]
    version: str
    ldflags: str = ""
    tags: str = ""
    replace: Sequence[str] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    tools: Sequence[str] = ("go",)

    def build(self, bench: Workbench) -> None:
        """Resolve the module's versions, then compile into ``bin/``."""
        bench.run("go", "mod", "init", "headroom.test/part")
        if self.replace:
            bench.run("go", "mod", "edit", *(f"-replace={entry}" for entry in self.replace))
        bench.run("go", "get", *(f"{package}@{self.version}" for package in self.packages))
        bench.run(
            *("go", "build", "-o", f"{bench.bin}{os.sep}"),
            *("-ldflags", self.ldflags, "-tags", self.tags, *self.packages),
        )
        for name, built in self.rename.items():
            (bench.bin / built).rename(bench.bin / name)


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualEnvironment:
    """Python packages in an environment of their own."""

    recipes: Path
    packages: Sequence[str]
    executables: Sequence[str]
    tools: Sequence[str] = ("python3",)

    def build(self, bench: Workbench) -> None:
        """Create the environment, install into it, and write launchers."""
        home = bench.part / "venv"
        bench.run("python3", "-m", "venv", str(home))
        python = str(home / "bin" / "python")
        bench.run(python, "-m", "pip", "install", "--quiet", *self.packages)
        for name in self.executables:
            # Scripts in an environment name their interpreter by its full path, which a later
            # rename makes wrong; a launcher finds it relative to itself.
            launcher = bench.bin / name
            beside = "${0%/*}/../venv/bin"
            launcher.write_text(f'#!/bin/sh\nexec "{beside}/python" "{beside}/{name}" "$@"\n')
            launcher.chmod(0o755)


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """Commands listed by the recipe, run one after the other in a scratch folder.

    In each argument ``{part}`` is the folder to fill, ``{bin}`` its ``bin/``, and ``{recipes}``
    the folder of recipes. ``files`` names what a command reads from there, so that a change to
    one rebuilds the part.
    """

    recipes: Path
    commands: Sequence[Sequence[str]]
    tools: Sequence[str]
    files: Sequence[str] = ()

    def build(self, bench: Workbench) -> None:
        """Run the commands in their order."""
        places = {"{part}": bench.part, "{bin}": bench.bin, "{recipes}": self.recipes}
        for command in self.commands:
            bench.run(*(_filled(argument, places) for argument in command))


def _filled(argument: str, places: Mapping[str, Path]) -> str:
    for mark, place in places.items():
        argument = argument.replace(mark, str(place))
    return argument


KINDS: Mapping[str, Callable[..., Source]] = {
    "commands": Commands,
    "debian": DebianPackages,
    "go": GoModule,
    "venv": VirtualEnvironment,
}


def missing_tools(source: Source) -> list[str]:
    """Name the programs that a source needs and this machine lacks."""
    return [tool for tool in source.tools if shutil.which(tool) is None]
