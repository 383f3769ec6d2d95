"""What a decision is made from: who asks for what, and what was measured."""

from __future__ import annotations

from datetime import datetime

from slo.evaluate import Evaluation
from slo.gate.policy import ChangeType
from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What is to be deployed."""

    image: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """The pipeline that asks, and the page of its run."""

    system: str | None = None
    run_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who asks; ``issuer`` says who vouches for the id, ``None`` when nobody does."""

    id: str
    issuer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What wants to ship, where to, and on whose word."""

    app: str
    environment: str
    team: str = ""
    change_type: ChangeType = ChangeType.DEPLOY
    artifact: Artifact | None = None
    commit: str | None = None
    ticket: str | None = None
    reason: str | None = None
    actor: Actor | None = None
    pipeline: Pipeline | None = None


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
