"""Checks and how they came out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a check came out; ``skipped`` says that it had nothing to look at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at. ``advice`` is what to do, and absent where all is well."""

    name: str
    outcome: Outcome
    message: str
    advice: str | None = None


def ok(name: str, message: str) -> Check:
    """Return a check that found nothing wrong."""
    return Check(name=name, outcome=Outcome.OK, message=message)


def warn(name: str, message: str, advice: str) -> Check:
    """Return a check that found something to mind."""
    return Check(name=name, outcome=Outcome.WARN, message=message, advice=advice)


def fail(name: str, message: str, advice: str) -> Check:
    """Return a check that found something broken."""
    return Check(name=name, outcome=Outcome.FAIL, message=message, advice=advice)


def skipped(name: str, message: str) -> Check:
    """Return a check that had nothing to look at."""
    return Check(name=name, outcome=Outcome.SKIPPED, message=message)
