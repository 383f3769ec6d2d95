"""What services read from: the project and its sources, opened once for a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from app.project import Project
from slo.errors import SourceUnavailable
from slo.records import dataclass
from slo.units import Duration

if TYPE_CHECKING:
    from app.services.history import History
    from app.services.judging import Judgements
    from collectors.readers.telemetry import MetricReader, TelemetryReader
    from collectors.store import StoreReader

DEADLINE = Duration.parse("10s")
"""How long one panel may take where nobody says otherwise."""


def _judgements() -> Judgements:
    from app.services.judging import Judgements  # noqa: PLC0415 - it is made of worlds

    return Judgements()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The sources of one installation; safe to share between threads.

    ``telemetry`` answers for logs, traces and deploys; ``None`` where no source holds them.
    ``metrics`` are the sources that answer PromQL, by reference. ``store`` is the folder of the
    embedded store when the workspace has one, ``stored`` what reads it. ``judgements`` is what
    pages judged of late, ``history`` how far an evaluator in this process has come.
    """

    project: Project
    telemetry: TelemetryReader | None
    metrics: Mapping[str, MetricReader]
    environ: Mapping[str, str]
    store: Path | None = None
    deadline: Duration = DEADLINE
    stored: StoreReader | None = None
    judgements: Judgements = field(default_factory=_judgements)
    history: History | None = None

    def reader(self, what: str) -> TelemetryReader:
        """The source of logs and traces; raises ``SourceUnavailable`` saying what would do."""
        if self.telemetry is None:
            raise SourceUnavailable(
                f"no source of this workspace holds {what}",
                source="none",
                hint="add sources.store.path or sources.elasticsearch to headroom.yaml; "
                "Prometheus holds metrics only",
            )
        return self.telemetry
