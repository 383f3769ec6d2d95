"""Every name that leaves Headroom: series, labels, files, groups, alerts, identifiers, tags.

Nothing else in the project spells one of these.
"""

from __future__ import annotations

import hashlib

from slo.model import ServiceLevel, SloKey
from slo.records import dataclass
from slo.units import Duration

APP = "app"
ENV = "env"
SLO = "slo"
TEAM = "team"
MAX_UID = 40
"""The most characters Grafana takes for a uid."""

IDENTITY_LABELS = (APP, ENV, SLO)

TOTAL_RATE = "slo:total:rate"
BAD_RATE = "slo:bad:rate"
TOTAL_INCREASE = "slo:total:increase5m"
BAD_INCREASE = "slo:bad:increase5m"
LEDGER_SLOT = "slo:ledger:slot"
UNPAIRED = "slo:ledger:unpaired"
PROVEN = "slo:indicator:proven"
PERIOD_RATIO = "slo:error:ratio_period"
OBJECTIVE = "slo:objective:ratio"
ERROR_BUDGET = "slo:error_budget:ratio"
PERIOD_BURN_RATE = "slo:burn_rate:ratio_period"
BUDGET_REMAINING = "slo:error_budget_remaining:ratio"
PERIOD_COVERAGE = "slo:coverage:ratio_period"
TOTAL_PERIOD = "slo:total:increase_period"
BAD_PERIOD = "slo:bad:increase_period"
REVISION_START = "slo:revision_start:timestamp"
INFO = "slo_info"

EVENTS_TOTAL = "slo_events_total"
GOOD_EVENTS_TOTAL = "slo_good_events_total"

RESERVED_LABELS = frozenset(
    {*IDENTITY_LABELS, TEAM, "objective", "window", "revision", "severity", "long", "short"}
    | {"alertname", "__name__"}
)
"""Labels that a user's own may not overwrite."""

OVERVIEW = "overview"
"""The name of an application's first dashboard."""

SEVERITY = "severity"
ALERT_NAME = "alertname"

ALERT_BURN = "ErrorBudgetBurn"
ALERT_LEFT = "ErrorBudgetLow"
ALERT_ABSENT = "SLIAbsent"
ALERT_INCOMPLETE = "SLIIncomplete"
ALERT_UNPROVEN = "SLIUnproven"
ALERT_BUCKET = "SLIBucketMissing"


def error_ratio(window: Duration) -> str:
    """The series that holds the share of bad events over a window."""
    return f"slo:error:ratio_rate{window}"


def identity(key: SloKey) -> dict[str, str]:
    """The identity labels of a service level, the only ones its derived series carry."""
    return {APP: key.app, ENV: key.env, SLO: key.slo}


def group_name(key: SloKey, part: str) -> str:
    """The name of a rule group."""
    return f"{key.app}/{key.env}/{key.slo}/{part}"


def rule_file(app: str) -> str:
    """The file name of an application's rules."""
    return f"{app}.rules.yaml"


def object_name(app: str, env: str) -> str:
    """The name of an application's rules as a Kubernetes object or a ruler's namespace."""
    return f"headroom-{app}-{env}"


def dashboard_uid(app: str, env: str, name: str) -> str:
    """A stable Grafana uid: readable where it fits in 40 characters, unique always."""
    text = f"headroom-{app}-{env}-{name}"
    if len(text) <= MAX_UID:
        return text
    digest = hashlib.sha256(f"{app}\0{env}\0{name}".encode()).hexdigest()[:12]
    return f"{text[: MAX_UID - 13]}-{digest}"


def data_stream_part(name: str) -> str:
    """The name of an app, component or environment within that of a data stream.

    Data streams are called ``type-dataset-namespace``, so their parts cannot hold ``-``.
    """
    return name.lower().replace("-", "_")


def revision(level: ServiceLevel) -> str:
    """A short digest of what decides a budget's meaning: objective, window and indicator.

    It changes when a budget computed before and after cannot be compared, and only then.
    """
    slo = level.slo
    clusters = sorted(sorted(c.match.items()) for c in level.environment.clusters)
    text = repr((slo.objective.error_budget, slo.window, _meaning(level), clusters))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _meaning(level: ServiceLevel) -> str:
    indicator = level.slo.indicator
    return repr((indicator.measure, indicator.target, indicator.offset))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One concept that telemetry carries and its name in each convention."""

    concept: str
    otel: str
    ecs: str
    label: str | None


TAGS = (
    Tag(concept="app", otel="service.namespace", ecs="labels.app", label="app"),
    Tag(concept="component", otel="service.name", ecs="service.name", label="service"),
    Tag(
        concept="environment",
        otel="deployment.environment.name",
        ecs="service.environment",
        label="env",
    ),
    Tag(concept="team", otel="org.team", ecs="labels.team", label="team"),
    Tag(concept="version", otel="service.version", ecs="service.version", label="version"),
    Tag(concept="trace", otel="trace_id", ecs="trace.id", label=None),
    Tag(concept="span", otel="span_id", ecs="span.id", label=None),
    Tag(concept="criticality", otel="service.criticality", ecs="labels.criticality", label="tier"),
)
"""The tag table: how a signal says which application it belongs to."""
