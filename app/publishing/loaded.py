"""Waiting until a server says that it runs what was published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import ceil

from app.publishing.report import Wait
from collectors.readers.prometheus.clock import Deadline
from collectors.readers.prometheus.metadata import RuleGroup
from slo.errors import PublishError, SourceError
from slo.printable import printable
from slo.records import dataclass
from slo.units import Duration

_PAUSE = 0.25
# Rules of our own are evaluated twice a minute, every minute, or every five minutes.
_TURNS = Duration.of(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """A group that should be loaded; ``changed`` if this run put it there."""

    file: str
    name: str
    rules: tuple[tuple[str, str], ...]
    changed: bool

    @property
    def title(self) -> str:
        """Return how messages call the group."""
        return f"{self.file}: group {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a server says of the expected groups.

    ``missing`` are not loaded as they should be, ``left`` are files that should be gone;
    ``failing`` are groups with a rule that cannot be evaluated, and why; ``unknown`` are groups
    not evaluated yet, with their interval in seconds.
    """

    missing: tuple[str, ...]
    left: tuple[str, ...]
    failing: tuple[tuple[Expected, str], ...]
    unknown: tuple[tuple[Expected, float], ...]
    healthy: int

    @property
    def is_loaded(self) -> bool:
        """Whether everything is loaded, and nothing that should be gone."""
        return not self.missing and not self.left


def look(
    expected: Sequence[Expected],
    gone: Collection[str],
    listed: Sequence[RuleGroup],
    file_of: Callable[[str], str],
) -> Seen:
    """Compare what a server lists to what it should; ``file_of`` reads its names of files."""
    found = {(file_of(group.file), group.name): group for group in listed}
    missing, failing, unknown, healthy = [], [], [], 0
    for each in expected:
        group = found.get((each.file, each.name))
        if group is None or each.rules != tuple((rule.kind, rule.name) for rule in group.rules):
            missing.append(each.title)
        elif (
            bad := next((rule for rule in group.rules if rule.health == "err"), None)
        ) is not None:
            failing.append((each, f"{bad.name}: {printable(bad.last_error[:300])}"))
        elif any(rule.health != "ok" for rule in group.rules):
            unknown.append((each, float(group.interval)))
        else:
            healthy += 1
    return Seen(
        missing=tuple(missing),
        left=tuple(sorted(set(gone) & {file for file, _ in found})),
        failing=tuple(failing),
        unknown=tuple(unknown),
        healthy=healthy,
    )


class NotLoadedError(PublishError):
    """The server took what it was given, but does not list it in time."""


class UnhealthyError(PublishError):
    """The server loaded a rule of this run that it cannot evaluate."""


def wait_until_healthy(ask: Callable[[], Seen], wait: Wait, *, patience: float) -> tuple[str, ...]:
    """Wait until all groups are loaded and evaluated; return what remains to be said.

    Groups that are not loaded after ``patience`` seconds, or are unhealthy, raise. A loaded group
    is waited for when it is evaluated every minute or more often, and for a minute at most;
    another one, or one that is late, is accepted with a note.
    """
    until, limit = wait.deadline(), float(wait.timeout.seconds)
    turns: Deadline | None = None
    while True:
        over = until.remaining() <= 0
        impatient = over or limit - until.remaining() >= patience
        seen = _ask(ask, raising=over)
        if seen is not None:
            wait.seen(seen.healthy, seen.healthy + len(seen.unknown) + len(seen.failing))
            _refuse_changed(seen)
            if not seen.is_loaded and impatient:
                raise NotLoadedError(_not_loaded(seen))
            if seen.is_loaded:
                if turns is None:
                    turns = Deadline(wait.clock, _TURNS)
                    _announce(seen, wait, min(turns.remaining(), until.remaining()))
                if over or not turns.remaining() or not _soon(seen):
                    return notes(seen, since=float(_TURNS.seconds) - turns.remaining())
        wait.clock.sleep(min(_PAUSE, max(until.remaining(), 0.01)))


def notes(seen: Seen, *, since: float = 0.0) -> tuple[str, ...]:
    """Return what is worth saying about groups that are loaded but not known to be healthy.

    ``since`` is for how many seconds they have been loaded at least.
    """
    waiting = [
        f"{_names(groups)}: loaded, first evaluation {_due(interval - since)}"
        for interval, groups in _by_interval(seen)
    ]
    failing = [f"{each.title} was failing before: {why}" for each, why in seen.failing]
    return (*waiting, *failing)


def _soon(seen: Seen) -> list[Expected]:
    """Return the groups whose turn is worth waiting for."""
    return [each for each, interval in seen.unknown if interval <= _TURNS.seconds]


def _announce(seen: Seen, wait: Wait, seconds: float) -> None:
    soon = _soon(seen)
    if not soon:
        return
    later = [
        f"; {_names(groups)} {'follow' if len(groups) > 1 else 'follows'} later"
        f" (every {interval:g} s)"
        for interval, groups in _by_interval(seen)
        if interval > _TURNS.seconds
    ]
    first = f"waiting up to {ceil(seconds)} s for the first evaluation of {_names(soon)}"
    wait.told(f"{first}{''.join(later)}")


def _by_interval(seen: Seen) -> list[tuple[float, list[Expected]]]:
    """Return the groups that had no turn yet, by their intervals, shortest first."""
    intervals = sorted({interval for _, interval in seen.unknown})
    return [
        (interval, [each for each, own in seen.unknown if own == interval])
        for interval in intervals
    ]


def _names(groups: Sequence[Expected]) -> str:
    more = f" and {len(groups) - 1} more" if len(groups) > 1 else ""
    return f"{groups[0].title}{more}"


def _due(seconds: float) -> str:
    return f"due in at most {ceil(seconds)} s" if seconds > 0 else "due now"


def refuse_failing(seen: Seen) -> None:
    """Raise ``PublishError`` if a group is unhealthy although nothing was published just now."""
    if seen.failing:
        each, why = seen.failing[0]
        raise PublishError(f"{each.title} cannot be evaluated: {why}", hint="nothing was changed")


def _ask(ask: Callable[[], Seen], *, raising: bool) -> Seen | None:
    try:
        return ask()
    except SourceError as cause:
        if raising:
            raise NotLoadedError(str(cause), hint=cause.hint) from cause
        return None


def _refuse_changed(seen: Seen) -> None:
    for each, why in seen.failing:
        if each.changed:
            raise UnhealthyError(f"{each.title} cannot be evaluated: {why}")


def _not_loaded(seen: Seen) -> str:
    if seen.missing:
        more = f" and {len(seen.missing) - 1} more" if len(seen.missing) > 1 else ""
        return f"not loaded: {seen.missing[0]}{more}"
    return f"still loaded: {', '.join(seen.left)}"
