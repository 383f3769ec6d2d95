"""The application model: what a specification says once it is read, checked and defaulted.

Every format's loader produces these objects and every generator and reader consumes them. They
hold no positions except ``span``, the place a later problem should point at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

from slo.problems import Span
from slo.promql import Query
from slo.records import dataclass
from slo.units import Duration

DEFAULT_ENVIRONMENT = "default"


class AlertSeverity(StrEnum):
    """How urgently an alert wants a person."""

    PAGE = "page"
    TICKET = "ticket"


class ComponentKind(StrEnum):
    """What a part of an application is."""

    SERVICE = "service"
    DATABASE = "database"
    LOAD_BALANCER = "load_balancer"
    HOST = "host"
    QUEUE = "queue"
    FUNCTION = "function"
    FRONTEND = "frontend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """The target share of good events.

    ``text`` is the percentage as the author wrote it; ``percent`` is its exact value, above 0 and
    below 100.
    """

    text: str
    percent: Decimal

    @property
    def ratio(self) -> Fraction:
        """The objective as an exact share, 0 to 1."""
        return 1 - self.error_budget

    @property
    def error_budget(self) -> Fraction:
        """The share of events that may be bad, 0 to 1."""
        return _error_budget(self.percent)


# Every budget, burn rate and threshold of an SLO asks for it, and few objectives are different.
@lru_cache(maxsize=256)
def _error_budget(percent: Decimal) -> Fraction:
    return 1 - Fraction(percent) / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    """Good and bad events counted by Prometheus counters; exactly one of ``bad`` and ``good``."""

    total: Query
    bad: Query | None = None
    good: Query | None = None


class TimeUnit(StrEnum):
    """What a histogram of durations measures in."""

    SECONDS = "seconds"
    MILLISECONDS = "milliseconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Requests faster than a threshold, from a classic or a native histogram.

    ``histogram`` selects the histogram by its base name, without ``_bucket``. ``unit`` is what it
    measures in; ``buckets`` are the boundaries known offline, in that unit; empty when unknown.
    """

    histogram: Query
    threshold: Duration
    native: bool = False
    unit: TimeUnit = TimeUnit.SECONDS
    buckets: tuple[Decimal, ...] = ()

    @property
    def bound(self) -> Decimal:
        """The threshold in the histogram's unit."""
        milliseconds = Decimal(self.threshold.milliseconds)
        return milliseconds if self.unit is TimeUnit.MILLISECONDS else milliseconds / 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """A share of bad (``error``) or of good (``good``) that an expression already computes, 0 to 1.

    ``weight`` says how much each moment counts; without it every second counts the same.
    """

    error: Query | None = None
    good: Query | None = None
    weight: Query | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A condition on a number such as ``< 0.3``; ``operator`` is one of ``< <= > >= == !=``."""

    operator: str
    value: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Slices:
    """Slices of time that are good when an expression meets a condition."""

    expr: Query
    good_when: Comparison
    slice: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A gauge that is 1 while the probed thing works and 0 while it does not."""

    selector: Query
    slice: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """Log records counted by two queries over the application's log streams."""

    query: str
    bad: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Spans of one service, bad by error status, by duration, or by either."""

    service: str
    operation: str | None = None
    bad_error: bool = False
    slower_than: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """Events or a share that another product counts, by queries in that product's own language.

    With ``share`` what ``bad`` or ``good`` asks for is a share from 0 to 1, and ``total``, if it is
    given, says how much each moment counts; without ``total`` every second counts the same.
    Otherwise all of them ask for numbers of events.
    """

    total: str | None = None
    bad: str | None = None
    good: str | None = None
    share: bool = False


Measure = Events | Latency | Ratio | Slices | Probe | Logs | Spans | External


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What an SLO counts, and the facts about its source that counting it needs.

    ``target`` names the labels that identify one scraped process: an error series that appears on
    a target which was already there counts from zero. ``offset`` shifts every read into the past
    for sources that arrive late. ``proven`` says that a bad selector which never matched is right.
    ``source`` overrides the environment's source by reference, ``kind/name``.
    """

    measure: Measure
    scrape_interval: Duration
    target: tuple[str, ...] = ("job", "instance")
    offset: Duration | None = None
    proven: bool = False
    source: str | None = None
    template: str | None = None

    @property
    def counts_events(self) -> bool:
        """Whether the unit of the counts is events; otherwise it is seconds."""
        measure = self.measure
        if isinstance(measure, External):
            return not measure.share or measure.total is not None
        return isinstance(measure, Events | Latency | Logs | Spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertGuard:
    """The evidence an alert needs besides its burn rate.

    It fires when the long window holds at least ``min_events`` events or at least ``min_bad`` bad
    ones; ``None`` leaves that side out. ``enabled`` turns alerts of this severity off.
    """

    enabled: bool = True
    min_events: int | None = None
    min_bad: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertSettings:
    """What an SLO's alerts look like.

    ``absent_for`` is how long an indicator that existed must be missing before someone hears of
    it, ``None`` when its absence is to be ignored. ``budget_left`` lists shares of the budget
    (0 to 1) whose crossing raises a ticket.
    """

    page: AlertGuard = field(default_factory=AlertGuard)
    ticket: AlertGuard = field(default_factory=AlertGuard)
    absent_for: Duration | None = None
    budget_left: tuple[Fraction, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnPair:
    """One alerting pair of windows: it fires while both burn faster than ``factor``."""

    severity: AlertSeverity
    long: Duration
    short: Duration
    factor: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """An objective over one indicator; ``window`` is the rolling period the budget is for.

    ``pairs`` replaces the installation's catalogue of window pairs for this SLO when given.
    """

    name: str
    objective: Objective
    window: Duration
    indicator: Indicator
    title: str = ""
    description: str = ""
    alerts: AlertSettings = field(default_factory=AlertSettings)
    pairs: tuple[BurnPair, ...] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    runbook: str | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One place an environment runs in: the labels that select it and the source that holds it.

    ``source`` is a reference such as ``prometheus/eu``; ``None`` means the workspace's default.
    """

    name: str
    match: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Where an application runs. ``slos`` holds the SLOs in force there, overrides applied."""

    name: str
    clusters: tuple[Cluster, ...]
    slos: tuple[Slo, ...]
    gate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource:
    """Where a component writes logs and how they read.

    ``kind`` is ``file``, ``kubernetes``, ``journald`` or ``syslog``; ``path`` then is the files'
    path, the container (``None`` for all), the unit or the program's name. ``multiline`` begins
    the first line of a record. ``trace_id``, ``span_id`` and ``time`` are names of fields.
    """

    kind: str
    path: str | None = None
    format: str = "json"
    multiline: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    time: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A part of an application and the keys by which its telemetry is recognised."""

    name: str
    kind: ComponentKind
    service: str | None = None
    engine: str | None = None
    address: str | None = None
    namespace: str | None = None
    workload: str | None = None
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    logs: tuple[LogSource, ...] = ()
    share: Mapping[str, str] = field(default_factory=dict)
    cloudwatch_namespace: str | None = None
    cloudwatch_dimensions: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contacts:
    """Who hears of the application: names of receivers in the workspace, a chat and an address.

    ``spans`` has the place of each by its key in the file.
    """

    page: str | None = None
    ticket: str | None = None
    chat: str | None = None
    email: str | None = None
    spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The unit of ownership: one application, whole."""

    name: str
    team: str
    title: str
    environments: tuple[Environment, ...]
    components: tuple[Component, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    contacts: Contacts = field(default_factory=Contacts)
    runbook: str | None = None
    depends_on: tuple[str, ...] = ()
    gate: str | None = None
    security_sources: tuple[str, ...] = ()
    grafana_folder: str | None = None
    kibana_slos: bool = False
    span: Span | None = None

    def levels(self, environment: str | None = None) -> tuple[ServiceLevel, ...]:
        """Every SLO in force, by environment in the file's order."""
        return tuple(
            ServiceLevel(app=self, environment=env, slo=slo)
            for env in self.environments
            if environment is None or env.name == environment
            for slo in env.slos
        )


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SloKey:
    """The identity of an SLO in one environment: the labels every series of ours carries."""

    app: str
    env: str
    slo: str

    def __str__(self) -> str:
        return f"{self.app}/{self.env}/{self.slo}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """One SLO of one application in one environment: what rules, readers and gates work on."""

    app: App
    environment: Environment
    slo: Slo

    @property
    def key(self) -> SloKey:
        """The identity of this service level."""
        return SloKey(app=self.app.name, env=self.environment.name, slo=self.slo.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Every application of a workspace, sorted by name; names are unique."""

    apps: tuple[App, ...]

    def app(self, name: str) -> App | None:
        """The application of that name."""
        return next((app for app in self.apps if app.name == name), None)

    def levels(
        self, apps: Sequence[str] | None = None, environment: str | None = None
    ) -> tuple[ServiceLevel, ...]:
        """The service levels of the named applications, or of all."""
        return tuple(
            level
            for app in self.apps
            if apps is None or app.name in apps
            for level in app.levels(environment)
        )
