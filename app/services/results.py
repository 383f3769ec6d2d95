"""The shapes in which services answer, besides plain frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING

from collectors.readers.telemetry import TimeRange
from slo.evaluate import Evaluation
from slo.records import dataclass

if TYPE_CHECKING:
    import pandas as pd


class Outlook(StrEnum):
    """What becomes of a budget if things go on as they do."""

    STABLE = "stable"
    EXHAUSTING = "exhausting"
    EXHAUSTED = "exhausted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When a budget will be gone, with the interval that holds it ``confidence`` of the time.

    Instants are ``None`` where the budget does not run out within the horizon.
    """

    outlook: Outlook
    at: datetime | None = None
    earliest: datetime | None = None
    latest: datetime | None = None
    confidence: float = 0.8
    horizon: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloCard:
    """One SLO as its application's page shows it.

    ``burn_down`` has the columns time (ns), remaining and ideal (shares of the budget; remaining is
    NaN where nothing is known), and is ``None`` without data.
    """

    evaluation: Evaluation
    source: str
    query: str
    forecast: Forecast
    burn_down: pd.DataFrame | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Whose fault the bad events are: disjoint combinations that add up, with what is left.

    ``rows`` has the columns route, pod, version, dependency (``None`` where a row does not say),
    bad, total, share, error_ratio, share_before, error_ratio_before, change (of the share),
    trace_id, patterns (list of text). Shares of rows and ``remainder`` add up to 1. ``bad`` and
    ``total`` are the SLO's own events of the window. ``factor`` is how many events a sampled one
    stands for, ``None`` when the rows count all events. ``basis`` is ``metrics`` or ``spans``.
    """

    slo: str
    window: TimeRange
    rows: pd.DataFrame
    remainder: float
    bad: float
    total: float
    basis: str
    factor: float | None = None
    notes: tuple[str, ...] = ()
    coinciding: tuple[Happening, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something on an application's timeline; times are Unix nanoseconds.

    ``kind`` is alert, deploy, pattern or decision; ``link`` names the tab that shows it and what
    to select there.
    """

    time: int
    end: int | None
    kind: str
    severity: str
    title: str
    detail: str = ""
    env: str | None = None
    link: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A difference between two samples with an interval around it."""

    before: float | None
    after: float | None
    before_count: float
    after_count: float
    low: float | None
    high: float | None

    @property
    def difference(self) -> float | None:
        """After less before."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployReport:
    """One deploy with what changed after it.

    ``told`` is false when it was inferred from a new ``service.version``. ``verdict`` is worse,
    better, no clear change, or too few events. Latencies are nanoseconds, error ratios shares.
    """

    time: int
    component: str | None
    version: str | None
    previous: str | None
    told: bool
    errors: Estimate
    p50: Estimate
    p99: Estimate
    verdict: str
    commit: str | None = None
    actor: str | None = None
    url: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceMap:
    """Who calls whom.

    ``nodes``: id, app, name, kind, state, budget_remaining, rate, error_ratio, own (bool).
    ``edges``: source, target, rate (per second), error_ratio, p50, p99 (ns), declared, observed.
    ``touched`` are the apps that depend on the one in the middle, nearest first.
    """

    nodes: pd.DataFrame
    edges: pd.DataFrame
    touched: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an application's telemetry amounts to over a range.

    ``rows``: app, signal, records, bytes, series, price; ``currency`` is ``None`` where the
    workspace has no price table, and then prices are NaN.
    """

    rows: pd.DataFrame
    currency: str | None
    total: Fraction | None = None
