"""What the gate would say to a deploy now, in full: the answer that an app's page opens with."""

from __future__ import annotations

import time
from datetime import datetime

from app import gating
from app.access import Scope
from app.services.judging import judged as judge
from app.services.world import World
from collectors.readers.telemetry import Answered
from slo.gate.decision import Decision


def verdict(world: World, scope: Scope, app: str, env: str, at: datetime) -> Answered[Decision]:
    """Return the decision on a deploy at an instant; it is looked at and not recorded.

    Raises ``Forbidden``, ``UsageError`` for an unknown name, ``SpecError`` where no one policy
    applies, and ``SourceError``.
    """
    scope.check(app, env)
    began = time.perf_counter()
    judged = judge(world, world.project.levels(app, env), at)
    decision = gating.look(world.project, app, env, judged, at)
    evidence = [each for one in judged for each in one.reading.evidence]
    return Answered(
        value=decision,
        source=", ".join(dict.fromkeys(each.source for each in evidence)) or "none",
        query="\n".join(dict.fromkeys(each.query for each in evidence)),
        observed_at=max(
            (o.reading.observed_at for o in judged if o.reading.observed_at), default=None
        ),
        partial=tuple(dict.fromkeys(name for one in judged for name in one.reading.partial)),
        seconds=time.perf_counter() - began,
    )
