"""Recipes: what a part is and how it is had, read from one TOML file each.

A recipe's name is its file's name. Common keys are ``about``, ``takes``, ``kind``, ``peer``,
``system`` and ``check``; every other key belongs to the source that ``kind`` names (see
``sources``).
"""

import hashlib
import json
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.provision.sources import KINDS, Source

RECIPES = Path(__file__).parent.parent / "recipes"
# Raised by hand when a source starts to build something else from the same recipe.
_BUILD_REVISION = 1


class RecipeError(Exception):
    """A recipe file that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A command that must succeed in a part just built, and what it must say."""

    run: tuple[str, ...]
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One part: its source, its checks, and the digest that tells one build from another.

    ``system`` names an executable that stands for the part where it is on PATH.
    """

    name: str
    about: str
    takes: str
    peer: bool
    system: str | None
    source: Source
    checks: tuple[Check, ...]
    digest: str

    @property
    def folder_name(self) -> str:
        """The name of the part's folder in the cache; names sort by version."""
        return f"{self.name}-{self.digest}"


def load_recipes(folder: Path = RECIPES) -> dict[str, Recipe]:
    """Read every recipe of a folder, by name; the names are sorted."""
    return {path.stem: load_recipe(path) for path in sorted(folder.glob("*.toml"))}


def load_recipe(path: Path) -> Recipe:
    """Read one recipe; raises RecipeError for unknown kinds and keys."""
    keys = tomllib.loads(path.read_text(encoding="utf-8"))
    digest = _digest(keys, path.parent)
    try:
        return Recipe(
            name=path.stem,
            about=keys.pop("about"),
            takes=keys.pop("takes"),
            peer=keys.pop("peer", False),
            system=keys.pop("system", None),
            checks=tuple(
                Check(run=tuple(check["run"]), says=check.get("says", ""))
                for check in keys.pop("check", [])
            ),
            source=KINDS[keys.pop("kind")](recipes=path.parent, **keys),
            digest=digest,
        )
    except (KeyError, TypeError) as error:
        raise RecipeError(f"{path.name}: {error}") from error


def _digest(keys: Mapping[str, Any], folder: Path) -> str:
    """Twelve hex digits over all that decides a build: keys, files beside it, machine."""
    deciding = {key: value for key, value in keys.items() if key not in {"about", "takes"}}
    digest = hashlib.sha256()
    for text in (str(_BUILD_REVISION), platform.system(), platform.machine()):
        digest.update(text.encode() + b"\0")
    digest.update(json.dumps(deciding, sort_keys=True).encode())
    for name in keys.get("files", []):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:12]
