"""The counters as a part of `headroom serve`: a thread for each source, and one file for all.

Numbers are written to disk before anybody sees them, so that a process that is killed goes on from
what was seen, and counts nothing twice.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from threading import Event, Lock, Thread

from app.counters.counter import Counter, Watched
from app.counters.state import dumped, loaded
from app.counters.tally import Tally
from app.evaluator.alert_state import StateFile
from app.telemetry import Telemetry, sample
from slo import naming
from slo.errors import HeadroomError
from slo.model import SloKey
from slo.units import Duration

Clock = Callable[[], int]
"""Gives the time in Unix nanoseconds."""

_LOG = logging.getLogger("headroom.counters")
_MS = 1_000_000
_LONGEST_PAUSE = 300.0
# What nobody has asked for since then is not asked for again.
_FORGOTTEN = Duration.parse("30d")
_HELP = {
    naming.EVENTS_TOTAL: "Events of an SLO that are not counted by Prometheus itself.",
    naming.GOOD_EVENTS_TOTAL: "The good ones of them.",
}


class Counters:
    """Counters at work; ``shown`` and ``exposition`` may be asked for by any thread."""

    def __init__(
        self,
        watched: Sequence[Watched],
        file: StateFile,
        *,
        clock: Clock,
        telemetry: Telemetry,
        interval: Duration,
    ) -> None:
        now = clock() // _MS
        self._file = file
        self._clock = clock
        self._telemetry = telemetry
        self._interval = float(interval.seconds)
        before = _restored(file)
        self._counters = tuple(
            Counter(one, before.pop(one.level.key, None), now) for one in watched
        )
        self._others = tuple(
            each for each in before.values() if each.position > now - _FORGOTTEN.milliseconds
        )
        self._troubles: dict[SloKey, str] = {}
        self._saving = Lock()
        self._stopping = Event()
        self._threads = [
            Thread(target=self._run, args=(group,), name=f"counters-{reference}", daemon=True)
            for reference, group in _by_source(self._counters).items()
        ]
        telemetry.count("headroom_counters_failures_total", 0)
        telemetry.watch("headroom_counters_lag_seconds", self._lag)
        telemetry.watch("headroom_counters_hidden", self._hidden)
        telemetry.join(self.exposition)

    @property
    def troubles(self) -> Mapping[SloKey, str]:
        """Why service levels are not counted at the moment."""
        return dict(self._troubles)

    def begin(self) -> None:
        """Start to count, once what the counters begin with is on disk."""
        self._save(())
        for thread in self._threads:
            thread.start()

    def close(self, patience: float = 10.0) -> None:
        """End; whoever still waits for a source is left behind."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(patience)

    def shown(self) -> dict[SloKey, tuple[Fraction, Fraction]]:
        """All events and the good ones by service level, without those that are not known."""
        found = ((each.watched.level.key, each.shown) for each in self._counters)
        return {key: value for key, value in found if value is not None}

    def exposition(self) -> str:
        """Write the counters in the text format of Prometheus, version 0.0.4."""
        shown = sorted(self.shown().items())
        lines: list[str] = []
        for place, (name, about) in enumerate(_HELP.items()):
            if shown:
                lines += [f"# HELP {name} {about}", f"# TYPE {name} counter"]
            lines += [
                sample(name, naming.identity(key), float(value[place])) for key, value in shown
            ]
        return "".join(f"{line}\n" for line in lines)

    def _run(self, group: Sequence[Counter]) -> None:
        failures: dict[SloKey, int] = defaultdict(int)
        paused: dict[SloKey, int] = {}
        while not self._stopping.is_set():
            for counter in group:
                key, now = counter.watched.level.key, self._now()
                if self._stopping.is_set() or now < paused.get(key, 0) or not counter.due(now):
                    continue
                if self._read(counter, now):
                    failures.pop(key, None)
                else:
                    failures[key] += 1
                    pause = self._interval * 2.0 ** min(failures[key] - 1, 16)
                    paused[key] = now + int(1000 * min(_LONGEST_PAUSE, pause))
            self._save(group)
            self._stopping.wait(self._interval)

    def _read(self, counter: Counter, now: int) -> bool:
        key = counter.watched.level.key
        try:
            late = counter.read(now)
        except Exception as error:  # noqa: BLE001 - one bad answer must not end all others
            known = isinstance(error, HeadroomError)
            if key not in self._troubles:
                _LOG.warning("%s is not counted: %s", key, error, exc_info=not known)
            self._troubles[key] = str(error)
            self._telemetry.count("headroom_counters_failures_total")
            return False
        if self._troubles.pop(key, None) is not None:
            _LOG.warning("%s is counted again", key)
        if late:
            labels = naming.identity(key)
            self._telemetry.count("headroom_counters_late_events_total", float(late), **labels)
        return True

    def _save(self, group: Iterable[Counter]) -> None:
        """Keep everything, and then show what one thread has counted."""
        with self._saving:
            tallies: list[Tally] = [each.tally for each in self._counters]
            try:
                self._file.save(dumped([*tallies, *self._others]))
            except HeadroomError as error:
                _LOG.warning("counters stand still: %s", error)
                self._telemetry.count("headroom_counters_failures_total")
                return
        now = self._now()
        for counter in group:
            counter.show(now)

    def _now(self) -> int:
        return self._clock() // _MS

    def _lag(self) -> float:
        now = self._now()
        return max((each.behind(now) for each in self._counters), default=0) / 1000

    def _hidden(self) -> float:
        return sum(each.shown is None for each in self._counters)


def _by_source(counters: Iterable[Counter]) -> dict[str, list[Counter]]:
    found: dict[str, list[Counter]] = defaultdict(list)
    for each in counters:
        found[each.watched.reference].append(each)
    return found


def _restored(file: StateFile) -> dict[SloKey, Tally]:
    """What was counted before a restart; a file that cannot be used is set aside."""
    try:
        return loaded(file.load())
    except HeadroomError as error:
        _LOG.warning("%s", error)
    except (KeyError, TypeError, ValueError) as error:
        _LOG.warning("%s holds no counters (%r); it was set aside", file.path, error)
        file.set_aside()
    return {}
