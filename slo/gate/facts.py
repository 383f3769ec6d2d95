"""What a decision is made from: who asks for what, and what was measured."""

from __future__ import annotations

from datetime import datetime

from slo.evaluate import Evaluation
from slo.gate.subject import Subject
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that decides besides the policy.

    ``evaluations`` has every SLO of the application in that environment. ``known_before`` says
    whether an earlier decision let the application ship there, ``None`` when that is not known.
    ``id`` names the decision to come. Raises ``ValueError`` for an instant without a zone and for
    the numbers of another application or environment.
    """

    id: str
    subject: Subject
    evaluations: tuple[Evaluation, ...]
    known_before: bool | None
    at: datetime
    catalog_revision: str | None = None

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError("the instant of a decision needs a time zone")
        own = (self.subject.app, self.subject.environment)
        for evaluation in self.evaluations:
            key = evaluation.key
            if (key.app, key.env) != own or evaluation.reading.key != key:
                raise ValueError(f"{evaluation.reading.key} is not an SLO of {'/'.join(own)}")
