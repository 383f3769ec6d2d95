"""Debian packages as a source of parts: downloaded and unpacked, never installed."""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.provision.workbench import BuildError, Workbench

# Of `Inst name [old version] (new version archive [architecture])`, the name and new version.
_WOULD_INSTALL = re.compile(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", flags=re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianPackages:
    """Debian packages, unpacked and never installed: installing may start a service.

    ``packages`` are given as ``name=version`` where the version may hold ``*``; ``executables``
    maps plain names to paths in the packages. With ``closure`` comes what the packages depend on
    and this machine lacks, and the executables are launchers that find the libraries in it.
    ``environment`` is what launchers set, where ``{part}`` is the part's folder; ``files`` are
    copied from the folder of recipes to ``{part}/files``; ``links`` maps further paths in the
    packages to the paths that they point to, for what a program looks for by a fixed place.
    """

    recipes: Path
    packages: Sequence[str]
    executables: Mapping[str, str]
    closure: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    tools: Sequence[str] = ("apt-get", "dpkg-deb", "ldd")

    def build(self, bench: Workbench) -> None:
        """Download, unpack, offer the executables and look for missing shared libraries."""
        wanted = [*self.packages, *(self._lacking(bench) if self.closure else ())]
        _apt_get(bench, "download", *wanted)
        root = bench.part / "root"
        for archive in sorted(bench.scratch.glob("*.deb")):
            bench.run("dpkg-deb", "-x", archive.name, str(root))
        for name in self.files:
            (bench.part / "files").mkdir(exist_ok=True)
            shutil.copy(self.recipes / name, bench.part / "files")
        for link, target in self.links.items():
            self._link(root, link, target)
        libraries = _library_folders(bench.part) if self.closure else ()
        for name, inside in self.executables.items():
            if not (root / inside).is_file():
                raise BuildError(f"{', '.join(self.packages)} holds no {inside}")
            self._offer(bench.bin / name, inside, libraries)
            _require_libraries(bench, root / inside, libraries)

    def _link(self, root: Path, link: str, target: str) -> None:
        if not (root / target).exists():
            raise BuildError(f"{', '.join(self.packages)} holds no {target}")
        (root / link).parent.mkdir(parents=True, exist_ok=True)
        # Relative, as the part is renamed once it is whole.
        up = os.path.relpath(root / target, (root / link).parent)
        (root / link).symlink_to(up)

    def _lacking(self, bench: Workbench) -> list[str]:
        """Name, with their versions, the packages that an installation would add."""
        plan = _apt_get(
            bench, "install", "--simulate", "--no-install-recommends", "--yes", *self.packages
        )
        named = {package.partition("=")[0] for package in self.packages}
        return [
            f"{name}={version}"
            for name, version in _WOULD_INSTALL.findall(plan)
            if name not in named
        ]

    def _offer(self, executable: Path, inside: str, libraries: Sequence[Path]) -> None:
        if not (self.closure or self.environment):
            executable.symlink_to(Path("..", "root", inside))
            return
        # The part is renamed once it is whole, so its launchers find it relative to themselves.
        lines = ["#!/bin/sh", 'part=$(cd -- "${0%/*}/.." && pwd)']
        if libraries:
            path = ":".join(f"$part/{folder}" for folder in libraries)
            lines.append(f'export LD_LIBRARY_PATH="{path}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"')
        for name, value in self.environment.items():
            lines.append(f'export {name}="{value.replace("{part}", "$part")}"')
        lines.append(f'exec "$part/root/{inside}" "$@"')
        executable.write_text("\n".join([*lines, ""]))
        executable.chmod(0o755)


def _apt_get(bench: Workbench, *arguments: str) -> str:
    try:
        return bench.run("apt-get", *arguments)
    except BuildError as absent:
        # A fresh image comes without package lists.
        try:
            bench.run("apt-get", "update")
        except BuildError as refused:
            raise BuildError(f"{absent}\nand package lists cannot be updated: {refused}") from None
        return bench.run("apt-get", *arguments)


def _library_folders(part: Path) -> list[Path]:
    """Find the folders that hold shared libraries, shallow ones first, relative to the part.

    Some libraries name the folder of those they need by its full path, where nothing is.
    """
    folders = {library.parent.relative_to(part) for library in part.glob("root/**/lib*.so*")}
    return sorted(folders, key=lambda folder: (len(folder.parts), folder))


def _require_libraries(bench: Workbench, executable: Path, libraries: Sequence[Path]) -> None:
    path = os.pathsep.join(str(bench.part / folder) for folder in libraries)
    look = ("env", f"LD_LIBRARY_PATH={path}") if libraries else ()
    # ldd fails for a static executable, which is all we could ask for.
    listing = bench.run(*look, "ldd", str(executable), must_succeed=False)
    missing = re.findall(r"^\s*(\S+) => not found", listing, flags=re.MULTILINE)
    if missing:
        raise BuildError(
            f"{executable.name} needs shared libraries that this machine does not have: "
            f"{', '.join(missing)}. Install the packages that hold them, then run this again."
        )
