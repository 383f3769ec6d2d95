"""What generators are made from: streams of records, where they come from and what they carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import TypeVar

from slo.collecting import Collecting, Secret
from slo.model import App, Component, Environment
from slo.naming import TAGS, Tag
from slo.records import dataclass

S = TypeVar("S", bound="Source")


class Convention(StrEnum):
    """Whose names of the tags are meant."""

    OTEL = "otel"
    ECS = "ecs"
    LABEL = "label"


STATIC_CONCEPTS = ("app", "component", "environment", "team", "criticality")
"""The concepts whose values the application's file gives."""

LIFTED_CONCEPTS = ("version", "trace", "span")
"""The concepts whose values only a record itself can give."""

LIFTED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "version": ("service.version", "version"),
    "trace": ("trace_id", "trace.id", "traceId", "otelTraceID"),
    "span": ("span_id", "span.id", "spanId", "otelSpanID"),
}
"""Where a JSON record gives them unless the application's file names another field."""

TIME_FIELDS = ("@timestamp", "timestamp", "time", "ts")
"""Where a JSON record gives its time unless the application's file says otherwise."""

LEVEL_FIELDS = ("level", "severity", "log.level", "levelname")
"""Where a JSON record gives its severity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where records come from and how they read.

    ``multiline`` is a portable regular expression that begins the first line of a record.
    ``trace_id``, ``span_id`` and ``time`` name fields; ``None`` means the usual ones.
    """

    format: str = "json"
    multiline: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    time: str | None = None

    def fields_of(self, concept: str) -> tuple[str, ...]:
        """The fields of a JSON record that may hold a lifted concept, the surest first."""
        own = {"trace": self.trace_id, "span": self.span_id}.get(concept)
        usual = LIFTED_FIELDS[concept]
        return usual if own is None else tuple(dict.fromkeys((own, *usual)))

    @property
    def time_fields(self) -> tuple[str, ...]:
        """The fields of a JSON record that may hold its time, the surest first."""
        return TIME_FIELDS if self.time is None else (self.time,)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSource(Source):
    """Files by a path that may hold ``*``; ``hosts`` are those that have them, none known: any."""

    path: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PodSource(Source):
    """Standard output of pods.

    ``pods`` is a portable regular expression for the whole name of a pod, ``None`` for any;
    ``labels`` are those of the pods; ``container`` is ``None`` for all.
    """

    namespace: str
    workload_kind: str | None = None
    workload: str | None = None
    pods: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    container: str | None = None

    @property
    def path(self) -> str:
        """The path of its files on a node: a glob, wider than ``pods`` where that is needed."""
        name = "*" if self.workload is None else f"{self.workload}*"
        return f"/var/log/pods/{self.namespace}_{name}_*/{self.container or '*'}/*.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalSource(Source):
    """What a systemd unit writes to the journal."""

    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyslogSource(Source):
    """What a program sends by syslog, told by its name; ``hosts`` as of files."""

    program: str
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OtlpSource(Source):
    """What a service sends by OTLP, told by its ``service.name``."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one component of an application sends in one environment.

    ``values`` are the static concepts that have a value, in the tag table's order. ``dataset`` and
    ``namespace`` are the parts of its data streams' names; ``identifier`` is unique in the plan
    and safe in every syntax: lowercase letters, digits and underscores, a letter first.
    """

    values: Mapping[str, str]
    dataset: str
    namespace: str
    identifier: str
    component: Component
    sources: tuple[Source, ...]

    @property
    def app(self) -> str:
        """The application's name."""
        return self.values["app"]

    @property
    def env(self) -> str:
        """The environment's name."""
        return self.values["environment"]

    @property
    def service(self) -> str:
        """Its ``service.name``."""
        return self.values["component"]

    def tags(self, convention: Convention) -> dict[str, str]:
        """The static tags by their name in a convention; those without a name there left out."""
        found = ((tag_name(tag, convention), self.values.get(tag.concept)) for tag in TAGS)
        return {name: value for name, value in found if name is not None and value is not None}

    def of(self, kind: type[S]) -> tuple[S, ...]:
        """Its sources of one kind."""
        return tuple(source for source in self.sources if isinstance(source, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A service that several components claim; what it sends is tagged for none of them."""

    service: str
    claimants: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' and '.join(self.claimants)} claim the service {self.service}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan:
    """Everything that one environment's collectors need; streams by app and component.

    A plan equals itself alone, so that what is found in it can be kept by it. ``apps`` are the
    applications that have the environment, for what no stream holds: objectives and clusters.
    """

    env: str
    streams: tuple[Stream, ...]
    disputes: tuple[Dispute, ...] = ()
    settings: Collecting
    secrets: tuple[Secret, ...]
    apps: tuple[App, ...] = ()

    def of(self, kind: type[S]) -> tuple[tuple[Stream, S], ...]:
        """Every source of one kind with its stream."""
        return tuple((stream, source) for stream in self.streams for source in stream.of(kind))

    def environments(self) -> dict[str, Environment]:
        """What each application's file says about the environment, by application."""
        return {
            app.name: environment
            for app in self.apps
            for environment in app.environments
            if environment.name == self.env
        }

    def version(self, collector: str, default: str) -> tuple[int, ...]:
        """The version a collector's file is for, as numbers."""
        text = self.settings.versions.get(collector, default)
        return tuple(int(part) for part in text.lstrip("v").split(".") if part.isdigit())


def tag_name(tag: Tag, convention: Convention) -> str | None:
    """How a convention calls a concept, if it has a name for it."""
    return {
        Convention.OTEL: tag.otel,
        Convention.ECS: tag.ecs,
        Convention.LABEL: tag.label,
    }[convention]


def name_of(concept: str, convention: Convention) -> str | None:
    """How a convention calls a concept, by the concept's name."""
    return tag_name(next(tag for tag in TAGS if tag.concept == concept), convention)
