"""How the events of one SLO come over time, by the expressions that its budget is counted with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.evaluations import (
    STORE,
    default_reference,
    elasticsearch_at,
    place_of_records,
    search_counts,
)
from app.services.products import external_counts
from app.services.subjects import service_level
from app.services.times import instant
from app.services.world import World
from collectors.readers.telemetry import Answered, MetricReader, TimeRange
from slo.clusters import source_of
from slo.errors import SourceError, SourceUnavailable, UsageError
from slo.ledger import Expressions, Part, expressions
from slo.model import External, Logs, ServiceLevel, Spans
from slo.ports import Counts
from slo.records import dataclass
from slo.units import Duration
from slo.windows import LEDGER_SLOT

if TYPE_CHECKING:
    import pandas as pd

    from collectors.readers.elasticsearch import ElasticsearchCounts
    from collectors.readers.prometheus.clock import Deadline
    from collectors.readers.store import StoreCounts

POINTS = 288
"""How many points a series has at most: those of a day are of whole slots of the ledger."""

_SHORTEST = Duration.parse("30s")
_FINEST_UNTIL = Duration.parse("15m")
"""The longest step that other products are asked for in slots."""
_MILLISECOND = 1_000_000

Rates = Mapping[int, tuple[float, float]]
"""Events and bad events per second, by Unix milliseconds."""


def indicator_series(
    world: World, scope: Scope, app: str, env: str, slo: str, range_: TimeRange
) -> Answered[pd.DataFrame]:
    """Return an SLO's events over a range: time (ns), total_rate, bad_rate, error_ratio.

    Rates are per second over the step that ends at ``time``; indicators of time have seconds in
    place of events. ``error_ratio`` is NaN without events; steps of which nothing is known have no
    rows. Sources that did not answer are named in ``partial``; raises ``SourceError`` when none
    did.
    """
    level = service_level(world, scope, app, env, slo)
    if range_.length < 1:
        raise UsageError("the range is empty")
    found = _Series(world=world, level=level, range=range_, step=_step(level, range_))
    measure = level.slo.indicator.measure
    if isinstance(measure, Logs | Spans):
        return found.of_records()
    return found.of_product(measure) if isinstance(measure, External) else found.of_metrics()


def _step(level: ServiceLevel, range_: TimeRange) -> Duration:
    """A step that gives at most ``POINTS``: of whole slots where it is longer than one.

    Other products are asked for slots, or for whole hours where those would be too many.
    """
    slot, hour = LEDGER_SLOT.milliseconds, Duration.of(hours=1).milliseconds
    length = -(-range_.length // (_MILLISECOND * POINTS))
    if isinstance(level.slo.indicator.measure, External):
        unit = slot if length <= _FINEST_UNTIL.milliseconds else hour
        return Duration(milliseconds=max(1, -(-length // unit)) * unit)
    length = max(_SHORTEST.milliseconds, level.slo.indicator.scrape_interval.milliseconds, length)
    whole = length if length < slot else -(-length // slot) * slot
    return Duration(milliseconds=-(-whole // 1000) * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """One level over one range."""

    world: World
    level: ServiceLevel
    range: TimeRange
    step: Duration

    @property
    def _end(self) -> datetime:
        return instant(self.range.end)

    @property
    def _steps(self) -> int:
        return max(1, self.range.length // (self.step.milliseconds * _MILLISECOND))

    def of_records(self) -> Answered[pd.DataFrame]:
        """Count log records or spans."""
        reference, counts = self._counts()
        length = self._steps * self.step.milliseconds
        profile = counts.series(
            self.level, self._end, span=Duration(milliseconds=length), step=self.step
        )
        rates = self._rates(profile, self.range.end // _MILLISECOND)
        return self._answer(rates, (reference,), (_shown(self.level),), ())

    def of_product(self, measure: External) -> Answered[pd.DataFrame]:
        """Ask the product that counts; the last step is whole. Raises ``SourceError``."""
        space = self.world.project.workspace
        source = space.external.get(self.level.slo.indicator.source or "")
        if source is None or self.world.project.one_source:
            raise SourceUnavailable(
                f"{self.level.slo.indicator.source} counts {self.level.key}, and is not asked here",
                source=str(self.level.slo.indicator.source),
                hint="name it under sources in headroom.yaml, and give neither --prometheus "
                "nor --store",
            )
        step = self.step.milliseconds
        last = self.range.end // _MILLISECOND // step * step
        counts = external_counts(source, self.world.deadline, self.world.environ)
        span = Duration(milliseconds=self._steps * step)
        offset = self.level.slo.indicator.offset
        # Whole hours are asked for as such only if they end with an hour of the past as well.
        shift = 0 if offset is None else offset.milliseconds % step
        until = instant((last + shift) * _MILLISECOND)
        profile = counts.series(self.level, until, span=span, step=self.step)
        queries = tuple(each for each in (measure.total, measure.bad, measure.good) if each)
        return self._answer(self._rates(profile, last), (source.reference,), queries, ())

    def _rates(self, profile: Sequence[Counts | None], last: int) -> Rates:
        """Events per second by the end of each step, of which the last is in milliseconds."""
        seconds = self.step.milliseconds / 1000
        return {
            last - back * self.step.milliseconds: (
                float(each.total) / seconds,
                float(each.bad) / seconds,
            )
            for back, each in enumerate(reversed(profile))
            if each is not None
        }

    def _counts(self) -> tuple[str, StoreCounts | ElasticsearchCounts]:
        """What counts the records, and its reference. Raises ``SourceUnavailable``."""
        space = self.world.project.workspace
        reference = self.level.slo.indicator.source or place_of_records(space)
        cluster = elasticsearch_at(space, reference)
        if cluster is not None:
            return cluster.reference, search_counts(
                cluster, self.world.deadline, self.world.environ
            )
        if self.world.stored is None:
            raise SourceUnavailable(
                "no source of this workspace holds logs or spans to count",
                source="none",
                hint="add sources.store.path or sources.elasticsearch to headroom.yaml",
            )
        from collectors.readers.store import StoreCounts  # noqa: PLC0415 - loads DuckDB

        return STORE, StoreCounts(
            self.world.stored, default_source=STORE, deadline=self.world.deadline
        )

    def of_metrics(self) -> Answered[pd.DataFrame]:
        """Evaluate expressions on every source of the environment, and add them up."""
        sums: dict[int, tuple[float, float]] = {}
        asked: list[str] = []
        queries: list[str] = []
        failed: list[str] = []
        for reference, found in self._expressions().items():
            try:
                rates, query = self._of_one(self.world.metrics[reference], found)
            except SourceError as error:
                failed.append(f"{reference}: {error}")
                continue
            asked.append(reference)
            queries.append(query)
            for time, (total, bad) in rates.items():
                before = sums.get(time, (0.0, 0.0))
                sums[time] = (before[0] + total, before[1] + bad)
        if not asked:
            raise SourceUnavailable("; ".join(failed), source=self.level.key.app)
        return self._answer(sums, asked, queries, failed)

    def _expressions(self) -> dict[str, Expressions]:
        """What to ask each source for; raises ``SourceUnavailable`` when nothing can be asked."""
        default = default_reference(self.world.project.workspace)
        own = self.level.slo.indicator.source
        if self.world.project.one_source:
            own = None
        clusters = self.level.environment.clusters
        references = [own] if own else [source_of(each, default) for each in clusters]
        found: dict[str, Expressions] = {}
        for reference in dict.fromkeys(references):
            if reference in self.world.metrics:
                made = expressions(
                    self.level, source=None if own else reference, default_source=default
                )
                if made is not None:
                    found[str(reference)] = made
        if not found:
            named = ", ".join(str(each) for each in dict.fromkeys(references))
            raise SourceUnavailable(f"{named} cannot compute {self.level.key}", source=named)
        return found

    def _of_one(self, reader: MetricReader, found: Expressions) -> tuple[Rates, str]:
        until = reader.deadline(self.world.deadline)
        slot = LEDGER_SLOT.milliseconds
        if self.step.milliseconds < slot:
            texts, seconds = (found.total_rate, found.part_rate), 1.0
        elif self.step.milliseconds == slot:
            texts, seconds = (found.total_increase, found.part_increase), slot / 1000
        else:
            # A millisecond short: a slot on the border belongs to one step only.
            over = f"[{Duration(milliseconds=self.step.milliseconds - 1)}:{LEDGER_SLOT}]"
            texts = (
                f"sum_over_time(({found.total_increase}){over})",
                f"sum_over_time(({found.part_increase}){over})",
            )
            seconds = self.step.milliseconds / 1000
        totals, parts = (self._points(reader, text, until) for text in texts)
        rates = {}
        for time, total in totals.items():
            part = parts.get(time, Fraction(0))
            bad = max(Fraction(0), total - part if found.part is Part.GOOD else part)
            rates[time] = (float(total) / seconds, float(bad) / seconds)
        return rates, texts[1]

    def _points(self, reader: MetricReader, text: str, until: Deadline) -> dict[int, Fraction]:
        # Instants are counted back from the range's end, so that the newest events are in it.
        back = timedelta(milliseconds=(self._steps - 1) * self.step.milliseconds)
        answer = reader.query_range(text, self._end - back, self._end, self.step, until)
        return {time: value for each in answer.series for time, value in each.points}

    def _answer(
        self,
        rates: Rates,
        sources: list[str] | tuple[str, ...],
        queries: list[str] | tuple[str, ...],
        failed: list[str] | tuple[str, ...],
    ) -> Answered[pd.DataFrame]:
        import pandas as pd  # noqa: PLC0415 - loaded with the first question

        times = sorted(rates)
        frame = pd.DataFrame(
            {
                "time": pd.Series([time * _MILLISECOND for time in times], dtype="int64"),
                "total_rate": pd.Series([rates[time][0] for time in times], dtype="float64"),
                "bad_rate": pd.Series([rates[time][1] for time in times], dtype="float64"),
            }
        )
        ratio = frame["bad_rate"] / frame["total_rate"].where(frame["total_rate"] > 0)
        frame["error_ratio"] = ratio.clip(upper=1.0)
        unit = "events" if self.level.slo.indicator.counts_events else "seconds"
        return Answered(
            value=frame,
            source=", ".join(sources),
            query="; ".join(dict.fromkeys(queries)),
            range=self.range,
            observed_at=instant(times[-1] * _MILLISECOND) if times else None,
            partial=tuple(failed),
            notes=(f"{unit} per second over {self.step}",),
        )


def _shown(level: ServiceLevel) -> str:
    measure = level.slo.indicator.measure
    if isinstance(measure, Logs):
        return f"{measure.bad} of {measure.query}"
    return f"spans of {level.key.app}"
