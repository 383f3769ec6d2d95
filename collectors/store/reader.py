"""Reading a store, from any process."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from threading import Lock

import pyarrow as pa

from collectors.signals import Signal
from collectors.store import fresh
from collectors.store.engine import connect
from collectors.store.errors import SnapshotExpired, StoreMissing
from collectors.store.fresh import Fresh, UnreadableError
from collectors.store.layout import Layout
from collectors.store.manifest import Manifest, read_manifest
from collectors.store.metric_files import MetricCache
from collectors.store.snapshot import Parameters, Snapshot
from collectors.store.textindex import TextIndexes
from slo.errors import SourceUnavailable

_ATTEMPTS = 10
_CACHE = 128 * 1024 * 1024


class StoreReader:
    """Reads a store while others write to it; threads may share it.

    ``memory`` is the most that questions in SQL may use together, ``cache`` how many bytes of
    metrics are kept. Raises ``StoreMissing`` where there is no store.
    """

    def __init__(
        self, path: Path, *, memory: str = "512MB", threads: int = 2, cache: int = _CACHE
    ) -> None:
        self._layout = Layout(root=path.absolute())
        self._lock = Lock()
        self._seen: tuple[tuple[int, ...], Manifest] | None = None
        self._footers: dict[tuple[Signal, str], Fresh] = {}
        self._cache = MetricCache(cache)
        self._texts = TextIndexes(self._layout)
        self._manifest()
        self._connection = connect(self._layout.root, memory=memory, threads=threads)

    def snapshot(self) -> Snapshot:
        """What is in the store now: everything acknowledged, each row once."""
        for _ in range(_ATTEMPTS):
            manifest = self._manifest()
            found = self._fresh(manifest)
            # Commits that were absorbed meanwhile would be missed, had their files gone too.
            if found is not None and self._manifest().generation == manifest.generation:
                commits, unreadable = found
                return Snapshot(
                    root=self._layout.root,
                    connection=self._connection,
                    manifest=manifest,
                    fresh=commits,
                    unreadable=unreadable,
                    still_listed=self._still_listed,
                    cache=self._cache,
                    texts=self._texts,
                )
        raise SourceUnavailable("the store changes too fast to be read", source="store")

    def query(
        self,
        signal: Signal,
        sql: str,
        parameters: Parameters = (),
        *,
        apps: Collection[str | None] | None = None,
        start: int | None = None,
        end: int | None = None,
        deadline: float | None = None,
    ) -> pa.Table:
        """Ask one question of a new snapshot; see `Snapshot.query`."""
        for _ in range(_ATTEMPTS):
            try:
                return self.snapshot().query(
                    signal, sql, parameters, apps=apps, start=start, end=end, deadline=deadline
                )
            except SnapshotExpired:
                continue
        raise SourceUnavailable("the store changes too fast to be read", source="store")

    def close(self) -> None:
        """Let go of the memory it uses."""
        self._connection.close()

    def _manifest(self) -> Manifest:
        """The manifest, parsed again only when it was replaced."""
        try:
            about = self._layout.manifest.stat()
        except OSError:
            raise StoreMissing(str(self._layout.root)) from None
        identity = (about.st_ino, about.st_mtime_ns, about.st_size)
        with self._lock:
            if self._seen is not None and self._seen[0] == identity:
                return self._seen[1]
        manifest = read_manifest(self._layout.manifest)
        with self._lock:
            self._seen = (identity, manifest)
        return manifest

    def _fresh(
        self, manifest: Manifest
    ) -> tuple[dict[Signal, tuple[Fresh, ...]], list[str]] | None:
        """The commits after the manifest's, and files that do not parse; None if one has gone."""
        commits: dict[Signal, tuple[Fresh, ...]] = {}
        unreadable = []
        for signal in Signal:
            folder = self._layout.fresh(signal)
            found = []
            for name in fresh.names(folder, after=manifest.up_to(signal)):
                try:
                    found.append(self._footer(signal, folder / name))
                except UnreadableError:
                    unreadable.append(self._layout.relative(folder / name))
                except FileNotFoundError:
                    return None
                except OSError as cause:
                    raise SourceUnavailable(
                        f"{name} cannot be read: {cause.strerror}", source="store"
                    ) from cause
            commits[signal] = tuple(found)
        live = {(signal, each.name) for signal, all_ in commits.items() for each in all_}
        with self._lock:
            for key in [key for key in self._footers if key not in live]:
                del self._footers[key]
        return commits, unreadable

    def _footer(self, signal: Signal, path: Path) -> Fresh:
        with self._lock:
            known = self._footers.get((signal, path.name))
        if known is None:
            known = fresh.read_footer(path)
            with self._lock:
                self._footers[signal, path.name] = known
        return known

    def _still_listed(self, path: str) -> bool:
        """Whether the newest manifest has a segment, although its file may be missing."""
        return any(each.path == path for each in self._manifest().segments)
