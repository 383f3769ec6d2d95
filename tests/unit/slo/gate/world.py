"""Facts for the gate: one application, its SLOs, and readings of them at a fixed instant."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files

from slo.evaluate import Evaluation, evaluate
from slo.gate.facts import Facts
from slo.gate.loader import load_policies
from slo.gate.policy import GatePolicy
from slo.gate.selection import built_in
from slo.gate.subject import ChangeType, Subject
from slo.loader import SourceFile, default_catalogue
from slo.model import (
    App,
    Cluster,
    Environment,
    Indicator,
    Measure,
    Objective,
    ServiceLevel,
    Slo,
    Spans,
)
from slo.ports import Counts, Evidence, EvidenceStatus, NoData, NoDataReason, Reading, Share
from slo.problems import Problem
from slo.units import Duration

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ULID = "01JD5B8Q6V0000000000000000"
WINDOWS = tuple(map(Duration.parse, ("5m", "30m", "1h", "2h", "6h", "1d")))
EVENTS = Spans(service="api")
"""A measure that counts events; which one does not matter to the gate."""

CATALOGUE = default_catalogue()
SCHEMA = json.loads(files("slo.gate").joinpath("decision.schema.json").read_text("utf-8"))
"""The shipped schema of decisions."""

Window = Counts | Share | NoData


def counts(total: int | Fraction, bad: int | Fraction) -> Counts:
    """Return counts of whole or broken events."""
    return Counts(total=Fraction(total), bad=Fraction(bad))


def missing(reason: NoDataReason, detail: str = "") -> NoData:
    """Return the absence of a number."""
    return NoData(reason=reason, detail=detail)


def level(
    name: str = "availability",
    *,
    objective: str = "99.9",
    app: str = "ticketing",
    measure: Measure = EVENTS,
    scrape: str = "30s",
) -> ServiceLevel:
    """Return a service level in production."""
    slo = Slo(
        name=name,
        objective=Objective(text=objective, percent=Decimal(objective)),
        window=Duration.parse("30d"),
        indicator=Indicator(measure=measure, scrape_interval=Duration.parse(scrape)),
    )
    environment = Environment(name="prod", clusters=(Cluster(name="eu"),), slos=(slo,))
    owner = App(name=app, team="bookings", title="Ticketing", environments=(environment,))
    return ServiceLevel(app=owner, environment=environment, slo=slo)


def evidence(status: EvidenceStatus = EvidenceStatus.OK) -> Evidence:
    """Return a query and its answer."""
    return Evidence(
        source="prometheus/eu",
        query="slo:bad:increase_period",
        start=NOW,
        end=NOW,
        observed_at=NOW if status is EvidenceStatus.OK else None,
        status=status,
        sha256="ab" * 32,
    )


def judged(
    of: ServiceLevel | None = None,
    period: Counts | NoData | None = None,
    *,
    burning: Mapping[str, Window] | None = None,
    rest: Window | None = None,
    coverage: Fraction | None = Fraction(1),
    age: timedelta | None = timedelta(minutes=2),
    partial: tuple[str, ...] = (),
    status: EvidenceStatus = EvidenceStatus.OK,
) -> Evaluation:
    """Return the evaluation of a reading: healthy, unless told otherwise.

    ``burning`` holds windows by name; all others are ``rest``. An absent period leaves every
    window and the age absent too, as readers do.
    """
    of = of or level()
    period = counts(1_000_000, 10) if period is None else period
    gone = isinstance(period, NoData) and period.reason is not NoDataReason.ZERO_TRAFFIC
    rest = rest or (period if isinstance(period, NoData) else Share(ratio=Fraction(0)))
    windows: dict[Duration, Window] = dict.fromkeys(WINDOWS, rest)
    windows |= {Duration.parse(name): value for name, value in (burning or {}).items()}
    reading = Reading(
        key=of.key,
        at=NOW,
        period=period,
        windows=windows,
        mode="recorded",
        coverage=None if gone else coverage,
        observed_at=None if gone or age is None else NOW - age,
        partial=partial,
        evidence=(evidence(status),),
    )
    return evaluate(of, reading, CATALOGUE)


def facts(
    *evaluations: Evaluation,
    change_type: ChangeType = ChangeType.DEPLOY,
    ticket: str | None = None,
    known_before: bool | None = False,
    at: datetime = NOW,
) -> Facts:
    """Return the facts of a change to ticketing in production."""
    subject = Subject(
        app="ticketing",
        environment="prod",
        team="bookings",
        change_type=change_type,
        ticket=ticket,
    )
    return Facts(
        id=ULID, subject=subject, evaluations=evaluations, known_before=known_before, at=at
    )


def policy(**changes: object) -> GatePolicy:
    """Return the built-in policy with some of its fields changed."""
    return replace(built_in(), **changes)  # type: ignore[arg-type] # tests name real fields


def load(text: str, *more: str) -> tuple[tuple[GatePolicy, ...], tuple[Problem, ...]]:
    """Return what the loader makes of texts."""
    texts = enumerate((text, *more))
    return load_policies([SourceFile(name=f"p{n}.yaml", text=each) for n, each in texts])


def loaded(spec: str, *, name: str = "strict") -> GatePolicy:
    """Return the one policy that a spec, indented by two spaces, describes."""
    policies, problems = load(document(spec, name=name))
    assert () == problems
    return policies[0]


def document(spec: str, *, name: str = "strict") -> str:
    """Return the text of a policy file."""
    header = f"apiVersion: headroom/v1\nkind: GatePolicy\nmetadata: {{name: {name}}}\n"
    return f"{header}spec:\n{spec}"
