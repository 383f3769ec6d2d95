"""The evaluator as a part of `headroom serve`: a thread that ticks until it is stopped."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from alerts.prometheus.groups import RuleSettings
from app.evaluator.alert_state import FILE_NAME, StateFile
from app.evaluator.alerting import Alert, Stage
from app.evaluator.backfill import Backfill
from app.evaluator.catching_up import CatchUp
from app.evaluator.engine import SETTLING, Evaluator
from app.evaluator.notify.courier import Patience
from app.evaluator.notifying import Notifying
from app.evaluator.plan import levels_here
from app.evaluator.rounds import RuleHealth, Tick
from app.services.history import History
from app.telemetry import Telemetry
from collectors.store import StoreReader
from slo.errors import HeadroomError
from slo.records import dataclass
from slo.units import Duration

if TYPE_CHECKING:
    from app.project import Project
    from collectors.store import StoreWriter

EVERY = Duration.parse("30s")
"""How often rules are evaluated; a group whose own interval is longer has fewer turns."""

_LOG = logging.getLogger("headroom.evaluator")
_PACE = 2.0
_BOUND = "the evaluator needs longer than %s for a round (%.1f s): rounds are left out"

Clock = Callable[[], int]
"""Gives the time in Unix nanoseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the evaluator fares.

    ``last_ms`` is when the newest round began, ``seconds`` how long it took. ``late`` counts
    evaluations that were left out. ``catching_up`` is how much is done of how many slots.
    ``complete_ms`` is up to when telemetry may have arrived that no slot of the past misses.
    """

    levels: int
    ticks: int = 0
    last_ms: int | None = None
    seconds: float | None = None
    late: int = 0
    failures: int = 0
    unsaved: int = 0
    trouble: str | None = None
    catching_up: tuple[int, int] | None = None
    complete_ms: int | None = None


class Running:
    """An evaluator at work; its properties may be asked for by any thread."""

    def __init__(
        self,
        evaluator: Evaluator,
        notifying: Notifying,
        state: StateFile,
        *,
        backfill: Backfill,
        clock: Clock,
        telemetry: Telemetry,
        history: History | None = None,
    ) -> None:
        self.evaluator = evaluator
        self.notifying = notifying
        self._state = state
        self._backfill = backfill
        self._clock = clock
        self._telemetry = telemetry
        self._history = history or History()
        self._catch_up = CatchUp(evaluator, self._advanced)
        self._stopping = Event()
        self._lock = Lock()
        self._status = Status(levels=len(evaluator.levels))
        self._next_ms = 0
        self._slow = False
        self._thread = Thread(target=self._run, name="evaluator", daemon=True)
        telemetry.watch("headroom_evaluator_lag_seconds", self._lag)
        telemetry.watch("headroom_evaluator_history_share", self._share)
        telemetry.watch("headroom_evaluator_history_complete_seconds", self._complete)
        telemetry.watch("headroom_evaluator_failing_rules", lambda: len(evaluator.failing))

    @property
    def status(self) -> Status:
        """How it fares."""
        with self._lock:
            return self._status

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """The alerts that are pending or fire."""
        return self.evaluator.book.alerts(Stage.PENDING, Stage.FIRING)

    @property
    def failing(self) -> tuple[RuleHealth, ...]:
        """The rules that failed the last time."""
        return self.evaluator.failing

    def begin(self) -> None:
        """Start to evaluate."""
        self._thread.start()

    def stop(self, patience: float = 30.0) -> None:
        """End after the present round, within so many seconds."""
        self._stopping.set()
        self._thread.join(patience)
        self.notifying.close()
        self._save()

    def _run(self) -> None:
        self._safely(lambda: self.evaluator.load(self._now()), "cannot read what was recorded")
        self._safely(self._fill, "cannot catch up")
        while not self._stopping.is_set():
            self._safely(self._step, "a round failed")
            self._stopping.wait(_PACE)

    def _step(self) -> None:
        """One look at the clock: a round where one is due, and whatever is to be told."""
        now_ms = self._now()
        if self._backfill.is_complete(now_ms):
            _LOG.info("older telemetry has arrived: its slots are computed")
            self._catch_up.again()
            self._fill()
        if now_ms >= self._next_ms:
            if self._catch_up.is_needed(now_ms):
                self._fill(due=True)
            self._tick()
            if not self._backfill.is_arriving:
                self._told(complete_ms=now_ms)
        self._notify()

    def _fill(self, *, due: bool = False) -> None:
        """Catch up, ticking in between; with ``due`` only what cannot wait."""
        began = self._now()
        with closing(self._catch_up.steps(began, due=due)) as steps:
            for _ in steps:
                if self._stopping.is_set():
                    return
                if self._now() >= self._next_ms:
                    self._tick()
                    self._notify()
        self._told(catching_up=None)
        if not due:
            self._told(complete_ms=began)

    def _tick(self) -> None:
        began_ms, began = self._now(), time.perf_counter()
        every = EVERY.milliseconds
        # On the borders of rounds, and as much later as samples need to arrive.
        self._next_ms = self.evaluator.instant(began_ms) // every * every + every
        self._next_ms += began_ms - self.evaluator.instant(began_ms)
        with self._telemetry.timed("headroom_evaluator_tick_duration_seconds"):
            tick = self.evaluator.tick(began_ms)
        seconds = time.perf_counter() - began
        self._count(tick)
        self._warn(seconds)
        trouble = self.evaluator.trouble
        self._told(
            ticks=self.status.ticks + 1,
            last_ms=began_ms,
            seconds=seconds,
            late=self.status.late + tick.missed,
            failures=tick.failures,
            unsaved=tick.unsaved,
            trouble=None if trouble is None else str(trouble),
        )

    def _notify(self) -> None:
        alerts = self.evaluator.book.alerts(Stage.FIRING, Stage.RESOLVED)
        told = self.notifying.run(alerts, self._now())
        if told:
            self._telemetry.count("headroom_evaluator_notifications_total", told)
        self._save()

    def _save(self) -> None:
        try:
            self._state.save(
                {"alerts": self.evaluator.book.dumped(), "told": self.notifying.dumped()}
            )
        except HeadroomError as error:
            self._told(trouble=str(error))

    def _count(self, tick: Tick) -> None:
        self._telemetry.count("headroom_evaluator_ticks_total")
        self._telemetry.count("headroom_evaluator_rule_failures_total", tick.failures)
        self._telemetry.count("headroom_evaluator_missed_total", tick.missed)
        for alert in tick.changed:
            _LOG.info("%s %s", alert.stage, dict(alert.labels))

    def _warn(self, seconds: float) -> None:
        """Tell once when rounds begin to take too long, and once when they no longer do."""
        slow = seconds > EVERY.seconds
        if slow and not self._slow:
            _LOG.warning(_BOUND, EVERY, seconds)
        elif self._slow and not slow:
            _LOG.info("the evaluator keeps up again")
        self._slow = slow

    def _safely(self, work: Callable[[], object], what: str) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 - one bad round must not end all others
            _LOG.exception("%s", what)
            self._told(trouble=f"{what}: {error}")

    def _advanced(self, done: int, total: int) -> None:
        self._told(catching_up=(done, total) if done < total else None)
        self._history.tell(self._catch_up.filling, done, total)

    def _told(self, **changes: object) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)  # type: ignore[arg-type] # by name

    def _now(self) -> int:
        return self._clock() // 1_000_000

    def _share(self) -> float:
        done, total = self.status.catching_up or (1, 1)
        return done / total

    def _complete(self) -> float:
        return (self.status.complete_ms or 0) / 1000

    def _lag(self) -> float:
        last = self.status.last_ms
        return 0.0 if last is None else (self._now() - last) / 1000


def start(
    project: Project,
    writer: StoreWriter,
    *,
    store: Path,
    clock: Clock,
    state: Path,
    telemetry: Telemetry | None = None,
    history: History | None = None,
    settling: Duration = SETTLING,
    patience: Patience | None = None,
) -> Running:
    """Begin to evaluate the service levels of a project that are read from its store.

    ``store`` is the folder that ``writer`` writes to, ``state`` the folder where alerts are kept
    over a restart. ``history`` is told how catching up goes.
    """
    space = project.workspace
    reader = StoreReader(store)
    settings = RuleSettings(catalogue=space.defaults.catalogue, links=space.links)
    evaluator = Evaluator(
        levels_here(project),
        settings,
        reader=reader,
        writer=writer,
        settling=settling,
        external_url=space.links.console or "",
    )
    notifying = Notifying(project.catalog, space, project.root, patience)
    file = StateFile(state / FILE_NAME)
    _restore(file, evaluator, notifying)
    running = Running(
        evaluator,
        notifying,
        file,
        backfill=Backfill(reader),
        clock=clock,
        telemetry=telemetry or Telemetry(),
        history=history,
    )
    running.begin()
    return running


def _restore(file: StateFile, evaluator: Evaluator, notifying: Notifying) -> None:
    """Take back what was there before a restart; what cannot be used is set aside."""
    try:
        data = file.load()
        evaluator.book.restore(_list(data, "alerts"))
        notifying.restore(_list(data, "told"))
    except HeadroomError as error:
        _LOG.warning("%s", error)
    except (KeyError, TypeError, ValueError) as error:
        _LOG.warning("%s holds no alerts (%r); it was set aside", file.path, error)
        file.set_aside()


def _list(data: Mapping[str, object], name: str) -> Sequence[Mapping[str, object]]:
    found = data.get(name, [])
    if not isinstance(found, list):
        raise TypeError(f"{name} is no list")
    return found
