"""Opening the sources of a workspace for the console, the API and the evaluator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from app.project import Project
from app.services.evaluations import STORE, elasticsearch_at, place_of_records
from app.services.world import DEADLINE, World
from slo.units import Duration

if TYPE_CHECKING:
    from collectors.readers.telemetry import MetricReader, TelemetryReader
    from collectors.store import StoreReader


def open_world(
    project: Project, *, environ: Mapping[str, str], deadline: Duration = DEADLINE
) -> World:
    """Open every source of a project; raises ``StoreMissing`` where a store should be."""
    from collectors.readers.prometheus import PrometheusClient  # noqa: PLC0415 - loads requests

    space = project.workspace
    metrics: dict[str, MetricReader] = {
        source.reference: PrometheusClient(source, environ=environ)
        for source in space.prometheus.values()
    }
    telemetry: TelemetryReader | None = None
    folder = None if space.store is None else Path(space.store)
    store: StoreReader | None = None
    if folder is not None:
        from collectors.readers.store import StoreMetrics, StoreTelemetry  # noqa: PLC0415 - DuckDB
        from collectors.store import StoreReader  # noqa: PLC0415 - as above

        store = StoreReader(folder)
        metrics[STORE] = StoreMetrics(store)
        telemetry = StoreTelemetry(store, deadline=float(deadline.seconds))
    cluster = elasticsearch_at(space, place_of_records(space))
    if cluster is not None:
        from collectors.elastic.client import Cluster  # noqa: PLC0415 - loads the client
        from collectors.readers.elasticsearch import ElasticsearchTelemetry  # noqa: PLC0415 - too

        telemetry = ElasticsearchTelemetry(Cluster(cluster, environ=environ), deadline=deadline)
    return World(
        project=project,
        telemetry=telemetry,
        metrics=metrics,
        environ=environ,
        store=folder,
        stored=store,
        deadline=deadline,
    )
