"""Waiting until a server says that it runs what was published."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from app.publishing.report import Wait
from collectors.readers.prometheus.metadata import RuleGroup
from slo.errors import PublishError, SourceError
from slo.printable import printable
from slo.records import dataclass

_PAUSE = 0.25


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

    Groups that are not loaded after ``patience`` seconds, or are unhealthy, raise. A group whose
    first evaluation is further off than the time to wait is accepted with a note.
    """
    until, limit = wait.deadline(), float(wait.timeout.seconds)
    while True:
        over = until.remaining() <= 0
        impatient = over or limit - until.remaining() >= patience
        seen = _ask(ask, raising=over)
        if seen is not None:
            wait.seen(seen.healthy, seen.healthy + len(seen.unknown) + len(seen.failing))
            _refuse_changed(seen)
            if not seen.is_loaded and impatient:
                raise NotLoadedError(_not_loaded(seen))
            soon = any(interval <= limit for _, interval in seen.unknown)
            if seen.is_loaded and (over or not soon):
                return notes(seen)
        wait.clock.sleep(min(_PAUSE, max(until.remaining(), 0.01)))


def notes(seen: Seen) -> tuple[str, ...]:
    """Return what is worth saying about groups that are loaded but not known to be healthy."""
    waiting = [
        f"{each.title} is loaded and not evaluated yet (every {interval:g} s)"
        for each, interval in seen.unknown
    ]
    failing = [f"{each.title} was failing before: {why}" for each, why in seen.failing]
    return (*waiting, *failing)


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
