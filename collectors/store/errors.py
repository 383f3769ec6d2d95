"""What goes wrong with a store.

`StoreError` and `StoreBusy` come from writing; reading raises the members of `SourceError`::

    HeadroomError
    ├── StoreError            nothing was written: disk full, read-only, not a store
    │   └── StoreBusy         another process writes to it; `pid` is that process
    └── SourceError
        ├── SourceUnavailable
        │   ├── StoreMissing      there is no store in this folder
        │   └── SnapshotExpired   a file of the snapshot has gone; take a new one
        ├── SourceTimeout         the deadline has passed
        └── QueryRejected         the SQL is wrong, or needs more memory than it may use
"""

from __future__ import annotations

from slo.errors import SourceUnavailable
from slo.errors import StoreError as StoreError  # noqa: PLC0414 - the family is complete here


class StoreBusy(StoreError):  # noqa: N818 - says what happened
    """Another process writes to the store; ``pid`` is its id, where it could be told."""

    def __init__(self, path: str, pid: int | None) -> None:
        self.pid = pid
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(
            f"{path} is being written by {holder}",
            hint="a store has one writer; send telemetry to that process, or stop it first",
        )


class StoreMissing(SourceUnavailable):
    """There is no store in the folder."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"there is no store in {path}",
            source="store",
            hint="headroom serve and headroom ingest make one",
        )


class SnapshotExpired(SourceUnavailable):
    """A file that the snapshot names has gone, since it is older than the grace of the writer."""
