"""The alerts of an application that are active now, whoever evaluates its rules.

Rules over the embedded store are evaluated by this server, and its board has their alerts; rules
over a Prometheus are evaluated there, and its ``ALERTS`` series tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from app.access import Scope
from app.services.evaluations import STORE, default_reference
from app.services.subjects import environment, subject
from app.services.world import World
from collectors.readers.telemetry import Answered, MetricReader
from slo import naming
from slo.clusters import source_of
from slo.errors import SourceError, SourceUnavailable
from slo.promql import quote
from slo.records import dataclass

_STATE = "alertstate"
_SECOND = 1_000_000_000
_UNTOLD = frozenset({"__name__", naming.ALERT_NAME, _STATE})


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveAlert:
    """An alert that is ``pending`` or ``firing``.

    ``since`` is when its condition began to hold, in Unix nanoseconds; ``None`` where the source
    does not tell. ``annotations`` and ``value`` are known of alerts of this server only.
    """

    name: str
    state: str
    labels: Mapping[str, str]
    since: int | None = None
    value: float | None = None
    annotations: Mapping[str, str]


class Board:
    """Where a server's evaluator shows its alerts; nothing is there until one is attached."""

    def __init__(self) -> None:
        self._read: Callable[[], Sequence[ActiveAlert]] | None = None

    def attach(self, read: Callable[[], Sequence[ActiveAlert]]) -> None:
        """Show what a function returns from now on."""
        self._read = read

    def alerts(self) -> Sequence[ActiveAlert] | None:
        """Return every active alert; ``None`` where nobody evaluates."""
        return None if self._read is None else self._read()


def active_alerts(
    world: World, scope: Scope, app: str, env: str, at: datetime, board: Board
) -> Answered[tuple[ActiveAlert, ...]]:
    """Return an environment's active alerts, the gravest first; raises as ``exemplars`` does.

    Sources that did not answer are named in ``partial``; raises ``SourceError`` when none did.
    """
    place = environment(subject(world, scope, app, env), env)
    default = default_reference(world.project.workspace)
    named = dict.fromkeys(source_of(each, default) for each in place.clusters)
    references = [each for each in named if each is not None]
    wanted = {naming.APP: app, naming.ENV: env}
    matchers = ",".join(f"{name}={quote(value)}" for name, value in wanted.items())
    found: list[ActiveAlert] = []
    failed: list[str] = []
    for reference in references:
        try:
            if reference == STORE:
                found += _of_board(board, wanted)
            else:
                found += _of_series(world, reference, matchers, at)
        except SourceError as error:
            failed.append(f"{reference}: {error}")
    if len(failed) == len(references):
        reason = "; ".join(failed) or f"{app} has no source in {env}"
        raise SourceUnavailable(reason, source=", ".join(references) or "none")
    return Answered(
        value=tuple(sorted(found, key=_urgency)),
        source=", ".join(references),
        query=f"ALERTS{{{matchers}}}",
        observed_at=at,
        partial=tuple(failed),
    )


def _of_board(board: Board, wanted: Mapping[str, str]) -> list[ActiveAlert]:
    every = board.alerts()
    if every is None:
        raise SourceUnavailable("nobody evaluates rules on the store here", source=STORE)
    return [one for one in every if wanted.items() <= one.labels.items()]


def _of_series(world: World, reference: str, matchers: str, at: datetime) -> list[ActiveAlert]:
    reader = world.metrics.get(reference)
    if reader is None:
        raise SourceUnavailable("this source answers no PromQL", source=reference)
    began = {
        _key(labels): round(value * _SECOND)
        for labels, value in _asked(world, reader, f"ALERTS_FOR_STATE{{{matchers}}}", at)
    }
    return [
        ActiveAlert(
            name=labels.get(naming.ALERT_NAME, ""),
            state=labels.get(_STATE, ""),
            labels={name: value for name, value in labels.items() if name not in _UNTOLD},
            since=began.get(_key(labels)),
            annotations={},
        )
        for labels, _ in _asked(world, reader, f"ALERTS{{{matchers}}}", at)
    ]


def _asked(
    world: World, reader: MetricReader, query: str, at: datetime
) -> list[tuple[Mapping[str, str], float]]:
    answer = reader.query(query, at, reader.deadline(world.deadline))
    return [(one.labels, float(one.points[-1][1])) for one in answer.series if one.points]


def _key(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((n, v) for n, v in labels.items() if n not in {"__name__", _STATE}))


def _urgency(one: ActiveAlert) -> tuple[bool, str, str, str]:
    """Firing before pending, pages before tickets."""
    severity = one.labels.get(naming.SEVERITY, "")
    return one.state != "firing", severity, one.labels.get(naming.SLO, ""), one.name
