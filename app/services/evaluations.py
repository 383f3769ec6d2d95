"""The composition root: readers from configuration, answers from readers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.project.open import Project
from app.services.products import external_counts, reached
from slo.clusters import source_of
from slo.errors import SourceError, UsageError
from slo.evaluate import Evaluation, evaluate, windows_of
from slo.model import Environment, Logs, ServiceLevel, SloKey, Spans
from slo.ports import CountReader, Counts, Reading
from slo.suggest import did_you_mean
from slo.units import Duration
from slo.windows import Catalogue
from slo.workspace import ElasticsearchSource, PrometheusSource, Workspace

if TYPE_CHECKING:
    from collectors.readers.elasticsearch import ElasticsearchCounts
    from collectors.store import StoreReader

STORE = "store"
"""The reference of the embedded store."""


def evaluations(
    project: Project,
    levels: Sequence[ServiceLevel],
    at: datetime,
    *,
    mode: str = "auto",
    deadline: Duration | None = None,
    environ: Mapping[str, str] | None = None,
    windows: Sequence[Duration] = (),
    stored: StoreReader | None = None,
) -> tuple[Evaluation, ...]:
    """Judge service levels at one instant, in the order given.

    ``mode`` is ``auto``, ``recorded`` or ``raw``; ``deadline`` bounds all reading together;
    ``windows`` are read besides those that judging needs. ``stored`` reads the embedded store
    where the caller has opened it.
    """
    if not levels:
        return ()
    space = project.workspace
    catalogue = space.defaults.catalogue
    asked = [_at_its_source(project, level) for level in levels]
    alike = _by_windows(asked, catalogue, windows)
    # Readers are made before any is asked, so that a mistake is told before the network is used,
    # and one for each group: they ask at once, and the deadline of each is the deadline of all.
    readers = [
        count_reader(space, group, mode=mode, deadline=deadline, environ=environ, stored=stored)
        for group in alike.values()
    ]
    with ThreadPoolExecutor(max_workers=len(readers)) as pool:
        answers = pool.map(
            lambda reader, wanted, group: reader.read(group, wanted, at),
            readers,
            alike.keys(),
            alike.values(),
        )
        readings = {key: reading for answer in answers for key, reading in answer.items()}
    return tuple(evaluate(level, readings[level.key], catalogue) for level in levels)


def count_reader(
    space: Workspace,
    levels: Sequence[ServiceLevel],
    *,
    mode: str,
    deadline: Duration | None,
    environ: Mapping[str, str] | None,
    stored: StoreReader | None = None,
) -> CountReader:
    """A reader over every source that the service levels name.

    Raises ``UsageError`` when one names a source that the workspace does not have, or when there
    is none at all.
    """
    # Imported here: reading costs start-up time that other commands need not pay.
    from collectors.readers.clusters import MultiSourceReader  # noqa: PLC0415
    from collectors.readers.prometheus import PrometheusReader  # noqa: PLC0415

    default = default_reference(space)
    readers: dict[str, CountReader] = {
        source.reference: PrometheusReader(
            source, mode=mode, default_source=default, deadline=deadline, environ=environ
        )
        for source in sources_in_use(space, levels)
    }
    if space.store is not None and any(STORE in _references(each, default) for each in levels):
        from collectors.readers.store import StoreCounts  # noqa: PLC0415 - loads DuckDB

        readers[STORE] = StoreCounts(
            _opened(space.store, stored),
            default_source=default,
            deadline=deadline,
            mode=mode,
        )
    references = {ref for level in levels for ref in _references(level, default)}
    for source in space.elasticsearch.values():
        if source.reference in references:
            readers[source.reference] = reached(partial(search_counts, source, deadline, environ))
    for product in space.external.values():
        if product.reference in references:
            readers[product.reference] = reached(
                partial(external_counts, product, deadline, environ)
            )
    return MultiSourceReader(readers, default=default)


def sources_in_use(
    space: Workspace, levels: Sequence[ServiceLevel]
) -> tuple[PrometheusSource, ...]:
    """The Prometheus sources that the service levels are read from, each once.

    Raises ``UsageError`` as ``count_reader`` does.
    """
    if not space.sources:
        raise UsageError(
            "no Prometheus is configured",
            hint="give --prometheus URL, or name it under sources in headroom.yaml",
        )
    default = default_reference(space)
    references = dict.fromkeys(ref for level in levels for ref in _references(level, default))
    known = {source.reference: source for source in space.prometheus.values()}
    for reference in references:
        if reference not in known and reference not in space.sources:
            raise UsageError(
                f'there is no source "{reference}"{did_you_mean(reference, known)}',
                hint=f"known sources: {', '.join(known)}",
            )
    return tuple(known[reference] for reference in references if reference in known)


def default_reference(space: Workspace) -> str | None:
    """The source of clusters that name none.

    The workspace's choice; else the default Prometheus or the only one; else the store.
    """
    if space.metrics is not None:
        return space.metrics
    name = space.default_prometheus
    if name is None and len(space.prometheus) == 1:
        name = next(iter(space.prometheus))
    if name is not None:
        return space.prometheus[name].reference
    return STORE if space.store is not None and not space.prometheus else None


def place_of_records(space: Workspace) -> str | None:
    """Where log records and spans are kept, if nothing else is said.

    The store where there is one; else the default Elasticsearch or OpenSearch, or the only one.
    """
    if space.store is not None:
        return STORE
    name = space.default_elasticsearch
    if name is None and len(space.elasticsearch) == 1:
        name = next(iter(space.elasticsearch))
    return None if name is None else space.elasticsearch[name].reference


def elasticsearch_at(space: Workspace, reference: str | None) -> ElasticsearchSource | None:
    """The Elasticsearch or OpenSearch cluster that is called so."""
    known = (each for each in space.elasticsearch.values() if each.reference == reference)
    return next(known, None)


def _references(level: ServiceLevel, default: str | None) -> tuple[str, ...]:
    own = level.slo.indicator.source
    found = (
        [own]
        if own is not None
        else [source_of(cluster, default) for cluster in level.environment.clusters]
    )
    missing = UsageError(
        f"{level.key} names no source and the workspace has no default one",
        hint="set sources.prometheus.default in headroom.yaml",
    )
    if any(each is None for each in found):
        raise missing
    return tuple(each for each in found if each is not None)


def _by_windows(
    levels: Sequence[ServiceLevel], catalogue: Catalogue, besides: Sequence[Duration]
) -> Mapping[tuple[Duration, ...], list[ServiceLevel]]:
    """Service levels by the windows they need, so that those alike are read together."""
    alike: dict[tuple[Duration, ...], list[ServiceLevel]] = {}
    for level in levels:
        needed = tuple(sorted({*windows_of(level, catalogue), *besides}))
        alike.setdefault(needed, []).append(level)
    return alike


def _at_its_source(project: Project, level: ServiceLevel) -> ServiceLevel:
    """The same service level, saying where it is read.

    Records are counted where they are kept, which no cluster says.
    """
    if project.one_source:
        return _on_one_source(level)
    indicator = level.slo.indicator
    if not isinstance(indicator.measure, Logs | Spans) or indicator.source is not None:
        return level
    kept = place_of_records(project.workspace)
    if kept is None:
        return level
    return replace(level, slo=replace(level.slo, indicator=replace(indicator, source=kept)))


def _on_one_source(level: ServiceLevel) -> ServiceLevel:
    """The same service level with nothing said about sources, as ``--prometheus`` wants it."""
    environment: Environment = replace(
        level.environment,
        clusters=tuple(replace(cluster, source=None) for cluster in level.environment.clusters),
    )
    slo = replace(level.slo, indicator=replace(level.slo.indicator, source=None))
    return replace(level, environment=environment, slo=slo)


def burn_downs(
    project: Project,
    found: Sequence[Evaluation],
    at: datetime,
    *,
    deadline: Duration | None = None,
    environ: Mapping[str, str] | None = None,
    steps: int = 10,
) -> Mapping[SloKey, tuple[Fraction | None, ...]]:
    """Budget remaining after each step of the known period, for levels of a single source.

    1 is an untouched budget; steps without known events are ``None``. What cannot be
    read, each source within ``deadline``, is left out: a picture is no reason to fail.
    """
    known = profiles(project, found, at, deadline=deadline, environ=environ, steps=steps)
    return {
        one.key: tuple(burn_down(known[one.key], one.level.slo.objective.error_budget, steps))
        for one in found
        if known.get(one.key)
    }


def profiles(
    project: Project,
    found: Sequence[Evaluation],
    at: datetime,
    *,
    steps: int,
    deadline: Duration | None = None,
    environ: Mapping[str, str] | None = None,
    stored: StoreReader | None = None,
) -> Mapping[SloKey, tuple[Counts | None, ...]]:
    """Counts per step of the known period, oldest first, for levels of a single source.

    A step is a whole number of slots, and the last one ends at ``at``; ``None`` stands where
    nothing is known. What cannot be read, each source within ``deadline``, is left out.
    """
    by_source: dict[str, list[ServiceLevel]] = {}
    default = default_reference(project.workspace)
    for one in found:
        level = _at_its_source(project, one.level)
        sources = dict.fromkeys(_references(level, default))
        if one.budget is not None and len(sources) == 1:
            by_source.setdefault(next(iter(sources)), []).append(level)
    counted: dict[SloKey, tuple[Counts | None, ...]] = {}
    readings = {one.key: one.reading for one in found}
    for reference, levels in by_source.items():
        try:
            reader = _profile_reader(project.workspace, reference, deadline, environ, stored)
        except SourceError:
            continue
        counted |= reader(levels, readings, at, steps=steps)
    return counted


class _Profiles(Protocol):
    """What reads counts per step."""

    def __call__(
        self,
        levels: Sequence[ServiceLevel],
        readings: Mapping[SloKey, Reading],
        at: datetime,
        *,
        steps: int,
    ) -> Mapping[SloKey, tuple[Counts | None, ...]]: ...


def _profile_reader(
    space: Workspace,
    reference: str,
    deadline: Duration | None,
    environ: Mapping[str, str] | None,
    stored: StoreReader | None,
) -> _Profiles:
    default = default_reference(space)
    if reference == STORE and space.store is not None:
        from collectors.readers.store import StoreCounts  # noqa: PLC0415 - loads DuckDB

        return StoreCounts(_opened(space.store, stored), default_source=default).profiles
    from collectors.readers.prometheus import PrometheusClient  # noqa: PLC0415 - loads requests
    from collectors.readers.prometheus.profile import ProfileReader  # noqa: PLC0415

    cluster, product = elasticsearch_at(space, reference), space.external.get(reference)
    if cluster is not None:
        return search_counts(cluster, deadline, environ).profiles
    if product is not None:
        return external_counts(product, deadline, environ).profiles
    source = next(each for each in space.prometheus.values() if each.reference == reference)
    client = PrometheusClient(source, environ=environ)
    return ProfileReader(client=client, default_source=default, deadline=deadline).read


def search_counts(
    source: ElasticsearchSource, deadline: Duration | None, environ: Mapping[str, str] | None
) -> ElasticsearchCounts:
    """A reader of an Elasticsearch or OpenSearch cluster; raises ``SourceError``."""
    from collectors.elastic.client import Cluster  # noqa: PLC0415 - loads the client
    from collectors.readers.elasticsearch import ElasticsearchCounts  # noqa: PLC0415 - as above

    return ElasticsearchCounts(Cluster(source, environ=environ), deadline=deadline)


def _opened(path: str, stored: StoreReader | None) -> StoreReader:
    """A reader of the store, the one at hand if any; raises ``StoreMissing``."""
    if stored is not None:
        stored.snapshot()  # a store that has gone is told once, and not for each service level
        return stored
    from collectors.store import StoreReader  # noqa: PLC0415 - loads DuckDB

    return StoreReader(Path(path))


def burn_down(
    profile: Sequence[Counts | None], error_budget: Fraction, steps: int
) -> list[Fraction | None]:
    """Budget remaining after each step; the whole is the budget of all the period's events."""
    allowed = error_budget * sum((each.total for each in profile if each), Fraction(0))
    left: list[Fraction | None] = [None] * (steps - len(profile))
    spent = Fraction(0)
    for each in profile:
        spent += Fraction(0) if each is None else each.bad
        left.append(None if allowed == 0 else 1 - spent / allowed)
    return left
