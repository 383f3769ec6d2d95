"""What has to outlive a restart, in one file: alerts, and who was told of them when."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from slo.errors import HeadroomError

FILE_NAME = "alerts.json"
VERSION = 1

_PRIVATE_FILE = 0o600
_PRIVATE_FOLDER = 0o700


class StateFile:
    """A JSON file that is replaced as a whole: a crash leaves the old or the new one.

    ``holds`` is what it holds, for people.
    """

    def __init__(self, path: Path, *, holds: str = "alerts") -> None:
        self.path = path
        self._holds = holds
        self._written: str | None = None

    def load(self) -> dict[str, object]:
        """Return what was saved, nothing when nothing was.

        Raises ``HeadroomError`` for a file that is not one of ours; it is set aside.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as cause:
            raise HeadroomError(f"{self.path} cannot be read: {cause}") from cause
        try:
            data = json.loads(text)
        except ValueError:
            data = None
        if not isinstance(data, dict) or data.get("version") != VERSION:
            self.set_aside()
            raise HeadroomError(f"{self.path} holds no {self._holds}; it was set aside")
        return data

    def save(self, data: Mapping[str, object]) -> None:
        """Write data to disk, unless it is what is there; raises ``HeadroomError``."""
        text = json.dumps({"version": VERSION, **data}, sort_keys=True)
        if text == self._written:
            return
        beside = self.path.with_name(f"{self.path.name}.tmp")
        try:
            self.path.parent.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
            with os.fdopen(os.open(beside, flags, _PRIVATE_FILE), "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
            self._sync_folder()
        except OSError as cause:
            raise HeadroomError(f"{self.path} cannot be written: {cause}") from cause
        self._written = text

    def set_aside(self) -> None:
        """Move a file that cannot be used out of the way; what it held is lost to us."""
        self.path.replace(self.path.with_name(f"{self.path.name}.unreadable"))

    def _sync_folder(self) -> None:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
