"""The cache of parts outside the checkout: looking one up, and building what is missing.

Layout: ``<cache>/<name>-<digest>/bin/<executable>``; ``.building`` holds half-made parts until
one rename makes them real, ``.locks`` keeps two runs from building the same part, and ``logs``
has the commands of each build.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.provision.recipes import Recipe, load_recipes
from tests.servers.provision.sources import missing_tools
from tests.servers.provision.workbench import BuildError, Workbench


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A part that is not in the cache: why, and how to get it."""

    part: str
    reason: str
    how_to_get: str

    def __str__(self) -> str:
        return f"{self.part}: {self.reason}; {self.how_to_get}"


def default_cache() -> Path:
    """Return the cache's folder as the environment says; it need not exist."""
    if chosen := os.environ.get("HEADROOM_SERVERS_CACHE"):
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "headroom", "servers").absolute()


def find(part: str) -> Path | Missing:
    """Look up the folder of a part's executables; never builds. Raises KeyError if unknown."""
    return find_recipe(load_recipes()[part], default_cache())


def find_recipe(recipe: Recipe, cache: Path) -> Path | Missing:
    """Look up the folder of a recipe's executables on PATH, if it may be there, or in a cache."""
    if recipe.system and (installed := shutil.which(recipe.system)):
        return Path(installed).parent
    folder = cache / recipe.folder_name / "bin"
    if folder.is_dir():
        return folder
    how = f"`make servers{' PEERS=1' if recipe.peer else ''}` fetches it (takes {recipe.takes})"
    if lacking := missing_tools(recipe.source):
        how = f"{how} once {' and '.join(lacking)} can be found on PATH"
    return Missing(part=recipe.name, reason="not in the cache of test servers", how_to_get=how)


def build(recipe: Recipe, cache: Path, tell: Callable[[str], None]) -> Path:
    """Return the folder of a recipe's executables, building the part if it is not there.

    Safe to interrupt and to run beside itself. Raises BuildError with the log's path.
    """
    found = find_recipe(recipe, cache)
    if isinstance(found, Path):
        return found
    if lacking := missing_tools(recipe.source):
        raise BuildError(f"it needs {' and '.join(lacking)}, which cannot be found on PATH")
    with _locked(cache / ".locks" / recipe.folder_name, tell):
        # The run that held the lock may have built it.
        if isinstance(find_recipe(recipe, cache), Missing):
            _build_locked(recipe, cache, tell)
    return cache / recipe.folder_name / "bin"


def _build_locked(recipe: Recipe, cache: Path, tell: Callable[[str], None]) -> None:
    log = cache / "logs" / f"{recipe.folder_name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    tell(f"building, takes {recipe.takes}; log: {log}")
    with _half_made(recipe, cache) as half_made:
        bench = Workbench(
            part=half_made / "part", scratch=half_made / "scratch", log=log, tell=tell
        )
        bench.bin.mkdir(parents=True)
        bench.scratch.mkdir()
        try:
            recipe.source.build(bench)
            _check(recipe, bench)
        except BuildError as error:
            raise BuildError(f"{error}\n    log: {log}") from error
        bench.part.rename(cache / recipe.folder_name)


def _check(recipe: Recipe, bench: Workbench) -> None:
    if not any(bench.bin.iterdir()):
        raise BuildError("the recipe left no executable in bin/")
    for check in recipe.checks:
        printed = bench.run(str(bench.bin / check.run[0]), *check.run[1:])
        if check.says not in printed:
            raise BuildError(f"`{' '.join(check.run)}` does not say {check.says!r}")


@contextmanager
def _half_made(recipe: Recipe, cache: Path) -> Iterator[Path]:
    """Give a folder for the build, and remove it and what interrupted builds left."""
    building = cache / ".building"
    building.mkdir(parents=True, exist_ok=True)
    for leftover in building.glob(f"{recipe.folder_name}.*"):
        shutil.rmtree(leftover, ignore_errors=True)
    # The name is new each time: a command that outlived a killed run still writes to the old one.
    folder = Path(tempfile.mkdtemp(prefix=f"{recipe.folder_name}.", dir=building))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(path: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("another run is building it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
