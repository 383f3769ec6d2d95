"""What a Prometheus says of itself: metrics, labels, buckets, rules, version, time.

Methods raise ``SourceError``; each has the deadline that its object was made with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime

from collectors.readers.prometheus.client import PrometheusClient
from collectors.readers.prometheus.clock import Clock
from slo.errors import SourceUnavailable
from slo.promql import Selector
from slo.records import dataclass
from slo.units import Duration, UnitError, parse_time
from slo.workspace import PrometheusSource


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleState:
    """One rule as the server runs it; ``health`` is ``ok``, ``err`` or ``unknown``."""

    name: str
    kind: str
    health: str
    last_error: str
    last_evaluation: datetime | None
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """A group of rules; ``interval`` and ``duration`` are seconds."""

    name: str
    file: str
    interval: Decimal
    duration: Decimal
    last_evaluation: datetime | None
    rules: tuple[RuleState, ...]


class PrometheusMetadata:
    """Asks one source about itself."""

    def __init__(
        self,
        source: PrometheusSource,
        *,
        deadline: Duration | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._client = PrometheusClient(source, clock=clock, environ=environ)
        self._deadline = deadline

    def series_exist(self, selector: Selector, start: datetime, end: datetime) -> bool:
        """Tell whether anything that a selector selects had samples in a range."""
        return bool(self.series(selector, start, end, limit=1))

    def series(
        self, selector: Selector, start: datetime, end: datetime, *, limit: int = 1000
    ) -> list[dict[str, str]]:
        """Return label sets that a selector selects in a range, at most ``limit`` of them."""
        until = self._client.deadline(self._deadline)
        return self._client.series(str(selector), start, end, until, limit=limit)[:limit]

    def metric_names(self, start: datetime, end: datetime) -> frozenset[str]:
        """Return the names of all metrics with samples in a range."""
        return frozenset(self.label_values("__name__", (), start, end))

    def label_values(
        self, label: str, matchers: Sequence[Selector], start: datetime, end: datetime
    ) -> tuple[str, ...]:
        """Return the values of a label over series that any selector selects, sorted."""
        until = self._client.deadline(self._deadline)
        texts = tuple(str(selector) for selector in matchers)
        return tuple(sorted(self._client.label_values(label, texts, start, end, until)))

    def buckets(self, histogram: Selector, start: datetime, end: datetime) -> tuple[Decimal, ...]:
        """Return the finite boundaries of a classic histogram, named without ``_bucket``."""
        selector = histogram.with_metric(f"{histogram.metric}_bucket")
        found = set()
        for text in self.label_values("le", (selector,), start, end):
            try:
                bound = Decimal(text)
            except InvalidOperation:
                continue
            if bound.is_finite():
                found.add(bound)
        return tuple(sorted(found))

    def build_info(self) -> Mapping[str, str]:
        """Return version, revision and the like, as far as the server tells."""
        data, _ = self._get("status/buildinfo")
        return {str(k): str(v) for k, v in data.items()} if isinstance(data, dict) else {}

    def server_time(self) -> datetime:
        """Return the server's own time, to the second."""
        _, headers = self._get("status/buildinfo")
        try:
            return parsedate_to_datetime(headers.get("Date", "")).astimezone(UTC)
        except ValueError:
            name = self._client.source.reference
            raise SourceUnavailable(
                f"{name}: the answer does not say its time", source=name
            ) from None

    def rules(self) -> tuple[RuleGroup, ...]:
        """Return the groups of rules that are loaded, with their health."""
        data, _ = self._get("rules")
        groups = data.get("groups") if isinstance(data, dict) else None
        try:
            return tuple(_group(each) for each in groups or ())
        except (KeyError, TypeError, AttributeError, InvalidOperation):
            name = self._client.source.reference
            raise SourceUnavailable(
                f"{name}: the answer does not have the shape of a list of rules", source=name
            ) from None

    def _get(self, path: str) -> tuple[object, Mapping[str, str]]:
        return self._client.get(path, self._client.deadline(self._deadline))


def _group(group: Mapping[str, object]) -> RuleGroup:
    rules = group.get("rules")
    return RuleGroup(
        name=str(group["name"]),
        file=str(group.get("file", "")),
        interval=Decimal(str(group.get("interval", 0))),
        duration=Decimal(str(group.get("evaluationTime", 0))),
        last_evaluation=_time(group.get("lastEvaluation")),
        rules=tuple(_rule(each) for each in rules) if isinstance(rules, list) else (),
    )


def _rule(rule: Mapping[str, object]) -> RuleState:
    labels = rule.get("labels")
    return RuleState(
        name=str(rule["name"]),
        kind=str(rule.get("type", "")),
        health=str(rule.get("health", "unknown")),
        last_error=str(rule.get("lastError", "")),
        last_evaluation=_time(rule.get("lastEvaluation")),
        labels={str(k): str(v) for k, v in labels.items()} if isinstance(labels, dict) else {},
    )


def _time(text: object) -> datetime | None:
    # A rule that was never evaluated has the year 1, which is no time of ours.
    try:
        return parse_time(str(text))
    except UnitError:
        return None
