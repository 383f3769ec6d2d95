"""Fetch and build the real servers that the tests run: ``python3 -m tests.servers.provision``.

Needs nothing but Python 3.11; run it from the top of the checkout.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.servers.provision.cache import Missing, build, default_cache, find_recipe
from tests.servers.provision.recipes import RECIPES, Recipe, RecipeError, load_recipes
from tests.servers.provision.workbench import BuildError


def main(arguments: Sequence[str] | None = None) -> int:
    """Build the chosen parts, or list them; 1 when one fails, 2 for a wrong call."""
    options = _parser().parse_args(arguments)
    try:
        recipes = load_recipes(options.recipes)
    except RecipeError as error:
        print(f"provision: {error}", file=sys.stderr)
        return 2
    chosen = _chosen(recipes, options)
    if not chosen:
        print(
            f"provision: no part starts with {', '.join(options.only)}; "
            f"there are {', '.join(recipes)}",
            file=sys.stderr,
        )
        return 2
    cache = default_cache()
    if options.list:
        _list(chosen if options.only else list(recipes.values()), cache)
        return 0
    try:
        failed = [recipe.name for recipe in chosen if not _built(recipe, cache)]
    except KeyboardInterrupt:
        print("provision: interrupted; parts that are ready stay", file=sys.stderr)
        return 130
    if failed:
        print(f"provision: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m tests.servers.provision",
        description="Fetch and build the real servers that the tests run, once, into a cache.",
        epilog="The cache is $HEADROOM_SERVERS_CACHE, else headroom/servers in $XDG_CACHE_HOME "
        "or ~/.cache.",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="NAME",
        help="only the parts whose name starts so; may be given again",
    )
    parser.add_argument(
        "--peers",
        action="store_true",
        default=os.environ.get("PEERS") == "1",
        help="also the programs that the benchmarks compare with (or PEERS=1)",
    )
    parser.add_argument("--list", action="store_true", help="print parts and where they are")
    parser.add_argument(
        "--recipes", type=Path, default=RECIPES, metavar="DIR", help="another folder of recipes"
    )
    return parser


def _chosen(recipes: dict[str, Recipe], options: argparse.Namespace) -> list[Recipe]:
    # Naming a peer is asking for it.
    if options.only:
        return [each for each in recipes.values() if each.name.startswith(tuple(options.only))]
    return [each for each in recipes.values() if options.peers or not each.peer]


def _list(recipes: Sequence[Recipe], cache: Path) -> None:
    for recipe in recipes:
        found = find_recipe(recipe, cache)
        state, where = ("missing", "") if isinstance(found, Missing) else ("ready", f"  {found}")
        kind = " (peer)" if recipe.peer else ""
        print(f"{recipe.name:<20} {state:<8} {recipe.about}{kind}{where}")


def _built(recipe: Recipe, cache: Path) -> bool:
    began = time.monotonic()

    def tell(progress: str) -> None:
        print(f"{recipe.name}: {progress}", file=sys.stderr, flush=True)

    try:
        folder = build(recipe, cache, tell)
    except (BuildError, OSError) as error:
        tell(f"failed after {time.monotonic() - began:.1f} s: {error}")
        return False
    tell(f"ready after {time.monotonic() - began:.1f} s in {folder}")
    return True


if __name__ == "__main__":
    sys.exit(main())
