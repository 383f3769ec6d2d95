"""The reader of one Prometheus: recorded series where they are fresh, raw ones elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from collectors.readers.places import sources_of
from collectors.readers.prometheus.client import PrometheusClient
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.memory import once_recorded
from collectors.readers.prometheus.outcome import Asked, nothing
from collectors.readers.prometheus.raw import RawReader
from collectors.readers.prometheus.recorded import RecordedReader
from collectors.readers.telemetry import MetricReader
from slo.model import External, Logs, ServiceLevel, SloKey, Spans
from slo.ports import NoData, NoDataReason, Reading
from slo.units import Duration
from slo.workspace import PrometheusSource


class ReadMode(StrEnum):
    """Which series of a Prometheus are read."""

    AUTO = "auto"
    RECORDED = "recorded"
    RAW = "raw"


class PromqlReader:
    """Reads service levels from one source that answers PromQL; a `CountReader`.

    Only what that source holds of a level is counted: `MultiSourceReader` adds sources up.
    ``default_source`` is the source of clusters that name none, this one if absent.
    ``deadline`` bounds a whole ``read``, retries and all. ``expects_rules`` says that recorded
    series ought to be there, so that their absence is worth a note.
    """

    def __init__(
        self,
        client: MetricReader,
        *,
        mode: ReadMode | str = ReadMode.AUTO,
        default_source: str | None = None,
        deadline: Duration | None = None,
        expects_rules: bool = True,
    ) -> None:
        self.client = client
        self.mode = ReadMode(mode)
        self._default = default_source or client.reference
        self._deadline = deadline
        self._expects_rules = expects_rules

    def read(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        """Return a reading for every level; one that cannot be had says why."""
        asked = Asked(
            windows=tuple(dict.fromkeys(windows)),
            at=at,
            until=self.client.deadline(self._deadline),
        )
        readings: dict[SloKey, Reading] = {}
        here = []
        for level in levels:
            missing = _unsupported(level)
            if missing is None:
                here.append(level)
            else:
                readings[level.key] = nothing(level, asked, missing, mode=str(self.mode))
        readings |= self._read(here, asked)
        return readings

    def _read(self, levels: Sequence[ServiceLevel], asked: Asked) -> dict[SloKey, Reading]:
        if self.mode is ReadMode.RAW:
            return self._raw(levels, asked)
        recorded = RecordedReader(
            client=self.client,
            counting=lambda level: len(sources_of(level, self._default)) > 1,
            default_source=self._default,
            only_fresh=self.mode is ReadMode.AUTO,
        ).read(levels, asked)
        readings = dict(recorded.readings)
        rest = [level for level in levels if level.key in recorded.unusable]
        for key, reading in self._raw(rest, asked).items():
            why = (f"read from raw series: {recorded.unusable[key]}",)
            notes = (*(why if self._expects_rules else ()), *reading.notes)
            readings[key] = replace(reading, notes=notes)
        return readings

    def _raw(self, levels: Sequence[ServiceLevel], asked: Asked) -> dict[SloKey, Reading]:
        found = RawReader(client=self.client, default_source=self._default).read(levels, asked)
        never = [level for level in levels if _never(found[level.key])]
        return found | once_recorded(never, found, self.client, asked)


class PrometheusReader(PromqlReader):
    """Reads service levels from one Prometheus server."""

    def __init__(
        self,
        source: PrometheusSource,
        *,
        mode: ReadMode | str = ReadMode.AUTO,
        default_source: str | None = None,
        deadline: Duration | None = None,
        clock: Clock | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        client = PrometheusClient(source, clock=clock, environ=environ)
        super().__init__(client, mode=mode, default_source=default_source, deadline=deadline)


def _never(reading: Reading) -> bool:
    return isinstance(reading.period, NoData) and reading.period.reason is NoDataReason.NEVER


def _unsupported(level: ServiceLevel) -> NoData | None:
    measure = level.slo.indicator.measure
    if isinstance(measure, External):
        return NoData(
            reason=NoDataReason.UNSUPPORTED,
            detail="another product counts this indicator, in a language of its own",
        )
    if not isinstance(measure, Logs | Spans):
        return None
    kind = "logs" if isinstance(measure, Logs) else "spans"
    return NoData(
        reason=NoDataReason.UNSUPPORTED,
        detail=f"an indicator of {kind} cannot be computed from Prometheus; "
        "it needs a source that holds them",
    )
