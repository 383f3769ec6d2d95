"""One timeline of an application: alerts, deploys, notable patterns and decisions of the gate.

Alerts are worked out from the SLOs' own events (`app.services.firing`), so they are there whether
or not a server runs the rules. Deploys are those that were told and, besides, versions that
appeared; decisions come from the audit log.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from app import gating
from app.access import Scope
from app.audit.errors import AuditError
from app.audit.history import decisions
from app.services.firing import Firing, firings
from app.services.judging import aligned
from app.services.judging import judged as judge
from app.services.releases import Deploy, listed
from app.services.results import Happening
from app.services.spread import Spread, spreads
from app.services.times import instant, nanoseconds
from app.services.world import World
from collectors.readers.telemetry import Answered, TimeRange, Where
from slo.errors import SourceError, UsageError
from slo.evaluate import Evaluation
from slo.naming import ALERT_BURN
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT, usable_pairs

T = TypeVar("T")

_MILLISECOND = 1_000_000
_MOST_STEPS = 10_000
"""Prometheus gives at most 11,000 points of a series."""

_DAY = 86_400_000 * _MILLISECOND
_SAME_DEPLOY = 3_600_000 * _MILLISECOND
"""How far a told deploy and the first sight of its version may lie apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Whose timeline, when; ``partial`` collects what did not answer, ``sources`` what did."""

    world: World
    app: str
    env: str
    range: TimeRange
    partial: list[str]
    sources: dict[str, None]
    queries: dict[str, None]
    judged: Sequence[Evaluation] | None

    def where(self, env: str | None, *, since: int | None = None) -> Where:
        start = self.range.start if since is None else since
        return Where(app=self.app, env=env, range=TimeRange(start=start, end=self.range.end))

    def holds(self, time: int) -> bool:
        return self.range.start <= time < self.range.end

    @property
    def is_only(self) -> bool:
        """Whether the environment is the only one, to which also unnamed telemetry belongs."""
        app = self.world.project.catalog.app(self.app)
        return app is not None and len(app.environments) == 1

    def took(self, answer: Answered[T]) -> T:
        self.partial.extend(answer.partial)
        self.sources[answer.source] = None
        self.queries[answer.query] = None
        return answer.value


def timeline(
    world: World,
    scope: Scope,
    app: str,
    env: str,
    range_: TimeRange,
    *,
    patterns: Sequence[Happening] = (),
    judged: Sequence[Evaluation] | None = None,
) -> Answered[tuple[Happening, ...]]:
    """Return what happened to an application in an environment, oldest first.

    ``patterns`` are notable log patterns that the caller found; those of the range are included.
    ``judged`` are the evaluations at the end of the range where the caller has them. An ``end``
    of ``None`` on an alert means that it was still firing when the range ended. What a source did
    not answer is named in ``partial``. Raises ``Forbidden`` and ``UsageError``.
    """
    scope.check(app, env)
    world.project.levels(app, env)
    asked = _Asked(
        world=world,
        app=app,
        env=env,
        range=range_,
        partial=[],
        sources={},
        queries={},
        judged=judged,
    )
    parts: tuple[Callable[[_Asked], Iterable[Happening]], ...] = (_alerts, _deploys, _decisions)
    found = [each for each in patterns if asked.holds(each.time) and each.env in {None, env}]
    for part in parts:
        try:
            found += part(asked)
        except (SourceError, UsageError, AuditError) as error:
            asked.partial.append(str(error))
    return Answered(
        value=tuple(sorted(found, key=lambda each: (each.time, each.kind, each.title))),
        source=", ".join(asked.sources) or "none",
        query="; ".join(asked.queries),
        range=range_,
        partial=tuple(dict.fromkeys(asked.partial)),
        notes=(f"alerts are worked out from events in steps of {LEDGER_SLOT} at least",),
    )


def _alerts(asked: _Asked) -> list[Happening]:
    world, at = asked.world, instant(asked.range.end)
    if asked.judged is None:
        at = aligned(at)
        found: Sequence[Evaluation] = judge(world, world.project.levels(asked.app, asked.env), at)
    else:
        found = _own(asked.judged, asked)
    catalogue = world.project.workspace.defaults.catalogue
    pairs = {one.key: usable_pairs(one.level, catalogue).pairs for one in found}
    longest = max((pair.long for each in pairs.values() for pair in each), default=None)
    if longest is None:
        return []
    span = _whole_hours(asked.range.length // _MILLISECOND + longest.milliseconds)
    known = spreads(world, found, at, step=_step(span), span=span)
    happened: list[Happening] = []
    for one in found:
        spread = known.get(one.key)
        if spread is None:
            asked.partial.append(_unknown(one))
            continue
        asked.sources.update(dict.fromkeys(each.source for each in one.reading.evidence))
        asked.queries[f"events of {one.key} in steps of {spread.step}"] = None
        fired = firings(one.level, pairs[one.key], spread)
        happened += [each for f in fired if (each := _alert(one, f, spread, asked, at)) is not None]
    return happened


def _own(judged: Sequence[Evaluation], asked: _Asked) -> Sequence[Evaluation]:
    return [one for one in judged if (one.key.app, one.key.env) == (asked.app, asked.env)]


def _unknown(one: Evaluation) -> str:
    why = "its events by the step cannot be read" if one.no_data is None else one.no_data.detail
    return f"alerts of {one.key.slo}: {why}"


def _alert(
    one: Evaluation, fired: Firing, spread: Spread, asked: _Asked, at: datetime
) -> Happening | None:
    width = spread.step.milliseconds * _MILLISECOND
    newest = len(spread.total) - 1
    # Counts are of whole milliseconds.
    last = nanoseconds(at) // _MILLISECOND * _MILLISECOND
    start = last - (newest - fired.first) * width
    end = None if fired.last == newest else last - (newest - fired.last - 1) * width
    if end is not None and end <= asked.range.start:
        return None
    pairs = ", ".join(f"{pair.long}/{pair.short}" for pair in fired.pairs)
    earlier = "; began before this range" if start < asked.range.start else ""
    return Happening(
        time=max(start, asked.range.start),
        end=end,
        kind="alert",
        severity=str(fired.severity),
        title=f"{ALERT_BURN} {one.key.slo}",
        detail=f"{fired.severity} by {pairs}{earlier}",
        env=asked.env,
        link={"tab": "why", "slo": one.key.slo},
    )


def _whole_hours(milliseconds: int) -> Duration:
    hour = Duration.of(hours=1).milliseconds
    return Duration(milliseconds=-(-milliseconds // hour) * hour)


def _step(span: Duration) -> Duration:
    slots = -(-span.milliseconds // LEDGER_SLOT.milliseconds)
    return Duration(milliseconds=-(-slots // _MOST_STEPS) * LEDGER_SLOT.milliseconds)


def _deploys(asked: _Asked) -> list[Happening]:
    where = asked.where(None if asked.is_only else asked.env)
    found = asked.took(listed(asked.world.reader("deploys"), where, asked.env))
    return [deploy_happening(one, asked.env) for one in found if asked.holds(one.time)]


def deploy_happening(one: Deploy, env: str | None) -> Happening:
    """Say of a deploy what a timeline shows."""
    said = {
        "version": one.version,
        "after": one.previous,
        "commit": one.commit,
        "by": one.actor,
    }
    detail = ", ".join(f"{name} {value}" for name, value in said.items() if value)
    named = " ".join(filter(None, (one.component, one.version)))
    link = {"component": one.component or "", "version": one.version or ""}
    return Happening(
        time=one.time,
        end=None,
        kind="deploy",
        severity="info",
        title=one.title or named or "deploy",
        detail=detail if one.told else f"{detail}; seen in telemetry, nobody told",
        env=env,
        link={"tab": "deploys", **link},
    )


def _decisions(asked: _Asked) -> list[Happening]:
    log = gating.audit_log(asked.world.project, None, asked.world.environ)
    found = decisions(
        log,
        asked.app,
        asked.env,
        since=instant(asked.range.start),
        until=instant(asked.range.end),
    )
    if found:
        asked.sources["audit log"] = None
    return [
        Happening(
            time=nanoseconds(at),
            end=None,
            kind="decision",
            severity=str(record.get("decision")),
            title=f"gate: {record.get('decision')}",
            detail=str(record.get("summary", "")),
            env=asked.env,
            link={"tab": "gate", "decision": str(record.get("id", ""))},
        )
        for at, record in found
    ]


def _text(row: Mapping[Hashable, object], name: str) -> str | None:
    value = row[name]
    return value if isinstance(value, str) and value else None
