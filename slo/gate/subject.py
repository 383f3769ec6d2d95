"""What wants to ship, where to, and on whose word."""

from __future__ import annotations

from enum import StrEnum

from slo.records import dataclass


class ChangeType(StrEnum):
    """What kind of change wants to ship."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    FIRST_DEPLOY = "first_deploy"
    RELIABILITY_FIX = "reliability_fix"


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
