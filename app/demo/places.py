"""Where the demo's workspace is, and where its store goes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from slo.errors import HeadroomError, UsageError

WORKSPACE_FILE = "headroom.yaml"
_IN_CHECKOUT = Path(__file__).parents[2] / "examples" / "airline"
_IN_PACKAGE = Path(__file__).parent / "workspace"

_PARTS = frozenset(
    {"fresh", "lock", "manifest.json", "quarantine", "receipts", "segments", "spill"}
)
"""What the folder of a store holds."""


def workspace() -> Path:
    """The workspace file: the example's in a checkout, else the copy in the installed package."""
    for folder in (_IN_CHECKOUT, _IN_PACKAGE):
        if (folder / WORKSPACE_FILE).is_file():
            return folder / WORKSPACE_FILE
    raise HeadroomError("the demo's workspace is not part of this installation")


def default_store(file: Path, named: str, environment: Mapping[str, str]) -> Path:
    """The store that a workspace names, or one among the user's state if that cannot be written.

    ``named`` is the path in the workspace file.
    """
    if file.parent == _IN_CHECKOUT and os.access(file.parent, os.W_OK):
        return file.parent / named
    state = environment.get("XDG_STATE_HOME", "")
    home = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return home / "headroom" / "demo" / "store"


def make_empty(store: Path, *, clean: bool) -> None:
    """See to it that a store begins empty.

    Raises ``UsageError`` when there is something: with ``clean`` only if that is no store.
    """
    if not store.exists():
        return
    if not store.is_dir():
        raise UsageError(f"{store} is not a folder")
    found = {each.name for each in store.iterdir()}
    if clean and found <= _PARTS:
        shutil.rmtree(store)
    elif clean:
        foreign = ", ".join(sorted(found - _PARTS)[:3])
        raise UsageError(f"{store} holds more than a store ({foreign}), so it is not removed")
    elif found:
        raise UsageError(
            f"{store} holds data already", hint="begin anew with --clean, or name another --store"
        )
