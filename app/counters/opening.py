"""Counters of a whole installation: which service levels, counted where, kept in which folder."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app import audit
from app.counters.counter import Source, Watched
from app.counters.service import Counters
from app.counters.state import FILE_NAME
from app.counters.writing import Writing
from app.evaluator.alert_state import StateFile
from app.project import Project
from app.services.evaluations import STORE, elasticsearch_at, place_of_records, search_counts
from app.services.products import external_counts
from app.services.world import World
from app.telemetry import Telemetry
from slo.counters import is_counted, step_of
from slo.model import ServiceLevel
from slo.ports import Counts
from slo.records import dataclass
from slo.units import Duration

if TYPE_CHECKING:
    from collectors.readers.elasticsearch import ElasticsearchCounts
    from collectors.readers.external.counts import ExternalCounts

LAG = Duration.parse("5m")
"""How late log records and spans may arrive where nobody says otherwise."""

PATIENCE = Duration.parse("30s")
"""How long counting one service level may take."""

_NO_DELAY = Duration(milliseconds=0)

_LOG = logging.getLogger("headroom.counters")
_PRIVATE_FILE, _PRIVATE_FOLDER = 0o600, 0o700


class Counting:
    """Counters at work, and what sends them on; nothing else uses their folder."""

    def __init__(self, counters: Counters, writing: Writing | None, lock: int) -> None:
        self.counters = counters
        self.writing = writing
        self._lock = lock

    def begin(self) -> None:
        """Start to count."""
        self.counters.begin()
        if self.writing is not None:
            self.writing.begin()

    def close(self) -> None:
        """End, and let another process count."""
        self.counters.close()
        if self.writing is not None:
            self.writing.close()
        os.close(self._lock)


def open_counting(
    world: World, *, clock: Callable[[], int], telemetry: Telemetry
) -> Counting | None:
    """Make the counters of an installation, ``None`` where no service level needs any.

    ``clock`` gives Unix nanoseconds. Without its folder, or beside another process that counts,
    there are none either, which is told.
    """
    project, serving = world.project, world.project.workspace.serving
    watched = tuple(_watched(world))
    if not watched:
        return None
    folder = state_folder(project, world.environ)
    try:
        lock = _locked(folder)
    except OSError as cause:
        reason = "another process counts" if isinstance(cause, BlockingIOError) else cause.strerror
        _LOG.warning("there are no counters: %s: %s", folder, reason)
        return None
    counters = Counters(
        watched,
        StateFile(folder / FILE_NAME, holds="counters"),
        clock=clock,
        telemetry=telemetry,
        interval=serving.counting.interval,
    )
    writing = None
    if serving.remote_write is not None:
        writing = Writing(
            serving.remote_write,
            counters.shown,
            clock=clock,
            telemetry=telemetry,
            environ=world.environ,
        )
    return Counting(counters, writing, lock)


def state_folder(project: Project, environ: Mapping[str, str]) -> Path:
    """Where counters are kept: in the workspace's state, else beside its store, else the user's."""
    space = project.workspace
    if space.state is not None:
        return project.path(space.state) / "counters"
    if space.store is not None:
        return Path(space.store) / "counters"
    place = hashlib.sha256(os.fsencode(project.root.absolute())).hexdigest()[:12]
    return audit.default_path(None, environ).with_name(f"counters-{place}")


class _Opened:
    """A source that is opened when it is first asked, and again where that failed."""

    def __init__(self, opener: Callable[[], Source]) -> None:
        self._opener = opener
        self._source: Source | None = None

    def series(
        self, level: ServiceLevel, at: datetime, *, span: Duration, step: Duration
    ) -> tuple[Counts | None, ...]:
        """Ask the source; raises ``SourceError``."""
        if self._source is None:
            self._source = self._opener()
        return self._source.series(level, at, span=span, step=step)


class _Whole:
    """A cluster or another product, of which a partial answer would be final."""

    def __init__(self, counts: ElasticsearchCounts | ExternalCounts) -> None:
        self._counts = counts

    def series(
        self, level: ServiceLevel, at: datetime, *, span: Duration, step: Duration
    ) -> tuple[Counts | None, ...]:
        """Ask; raises ``SourceError``."""
        return self._counts.series(level, at, span=span, step=step, whole=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What counts at one source."""

    source: Source
    lag: Duration = LAG
    delay: Duration | None = None


def _watched(world: World) -> Iterator[Watched]:
    space = world.project.workspace
    known: dict[str, _Found | None] = {}
    for level in world.project.catalog.levels():
        reference = level.slo.indicator.source or place_of_records(space)
        if not is_counted(level) or reference is None:
            continue
        if reference not in known:
            known[reference] = _found(world, reference)
        found = known[reference]
        if found is not None:
            yield Watched(
                level=level,
                source=found.source,
                reference=reference,
                step=step_of(level),
                lag=max(space.serving.counting.lag or found.lag, found.delay or _NO_DELAY),
                settling=_settling(world, level),
                delay=found.delay,
            )


def _settling(world: World, level: ServiceLevel) -> Duration:
    """Two samples of whoever comes to see the counters, at the pace that is known of them."""
    writing = world.project.workspace.serving.remote_write
    paces = [level.slo.indicator.scrape_interval]
    paces += [] if writing is None else [writing.interval]
    return Duration(milliseconds=2 * max(each.milliseconds for each in paces))


def _found(world: World, reference: str) -> _Found | None:
    space, environ = world.project.workspace, world.environ
    cluster, product = elasticsearch_at(space, reference), space.external.get(reference)
    stored = world.stored
    if reference == STORE and stored is not None:
        from collectors.readers.store import StoreCounts  # noqa: PLC0415 - loads DuckDB

        return _Found(source=StoreCounts(stored, default_source=STORE, deadline=PATIENCE))
    if cluster is not None:
        return _Found(source=_Opened(lambda: _Whole(search_counts(cluster, PATIENCE, environ))))
    if product is not None:
        opened = _Opened(lambda: _Whole(external_counts(product, None, environ)))
        return _Found(source=opened, lag=product.lag, delay=product.lag)
    return None


def _locked(folder: Path) -> int:
    """Keep other processes from counting in this folder for as long as the descriptor is open."""
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(folder / "lock", flags, _PRIVATE_FILE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
