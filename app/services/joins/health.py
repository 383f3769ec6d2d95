"""Join health of an installation: every source asked, shares added up, gaps with their remedies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from app.access import Scope
from app.services.joins.examples import masked
from app.services.joins.model import Findings, Gap, JoinHealth, Share, Stray
from app.services.joins.records import of_records
from app.services.joins.remedies import Remedies
from app.services.joins.series import of_series
from app.services.subjects import subject
from app.services.world import World
from collectors.joining import Joiner
from collectors.readers.telemetry import Answered, TelemetryReader, TimeRange
from slo.errors import SourceError

STORE = "store"
_NANOSECONDS = 1_000_000_000


def health(
    world: World, scope: Scope, range_: TimeRange, app: str | None = None
) -> Answered[JoinHealth]:
    """Return how the records and series of a range are joined, of one application or of all.

    The store, each Elasticsearch and each Prometheus are asked; one that fails is named in
    ``partial``. Gaps are for those who see all applications. Raises ``Forbidden``, ``UsageError``
    for an unknown application, and the ``SourceError`` of the first source when none answers.
    """
    if app is not None:
        subject(world, scope, app)
    answers, failures = _asked(world, scope, range_)
    if not answers:
        raise failures[0]
    notes = [note for each in answers for note in each.notes]
    if scope.apps is not None:
        notes.append("what belongs to no app is shown to those who see all apps")
    newest = max((each.observed_at for each in answers if each.observed_at), default=None)
    return Answered(
        value=JoinHealth(
            shares=tuple(_shares(answers, scope, app)),
            gaps=tuple(_gaps(world, scope, answers, app)),
        ),
        source=", ".join(each.source for each in answers),
        query="; ".join(each.query for each in answers),
        range=range_,
        observed_at=None if newest is None else datetime.fromtimestamp(newest / _NANOSECONDS, UTC),
        partial=tuple(
            dict.fromkeys(
                (
                    *(text for each in answers for text in each.partial),
                    *(f"{each.source}: {each}" for each in failures),
                )
            )
        ),
        notes=tuple(dict.fromkeys(notes)),
    )


def _asked(
    world: World, scope: Scope, range_: TimeRange
) -> tuple[list[Findings], list[SourceError]]:
    catalog = world.project.catalog
    answers: list[Findings] = []
    failures: list[SourceError] = []

    def ask(question: Callable[[], Findings]) -> None:
        try:
            answers.append(question())
        except SourceError as error:
            failures.append(error)

    for reader in _readers(world):
        # What one source taught of containers is no other's.
        ask(lambda r=reader: of_records(r, world.project, scope, range_, Joiner(catalog)))  # type: ignore[misc]  # a default binds it
    for name, metrics in world.metrics.items():
        if name != STORE:
            ask(lambda m=metrics: of_series(m, scope, range_, Joiner(catalog), world.deadline))  # type: ignore[misc]  # as above
    if not answers and not failures:
        world.reader("telemetry")
    return answers, failures


def _readers(world: World) -> Iterator[TelemetryReader]:
    """What answers for records: the workspace's usual source, then its other clusters."""
    if world.telemetry is not None:
        yield world.telemetry
    usual = None if world.telemetry is None else world.telemetry.reference
    for source in world.project.workspace.elasticsearch.values():
        if source.reference != usual:
            from collectors.elastic.client import Cluster  # noqa: PLC0415 - loads the client
            from collectors.readers.elasticsearch import (  # noqa: PLC0415 - as above
                ElasticsearchTelemetry,
            )

            cluster = Cluster(source, environ=world.environ)
            yield ElasticsearchTelemetry(cluster, deadline=world.deadline)


def _shares(answers: Sequence[Findings], scope: Scope, app: str | None) -> Iterator[Share]:
    """The shares of all applications together, where they may be seen, then of each."""
    for found in answers:
        if app is None and scope.apps is None:
            yield from _of_all(found)
    for found in answers:
        rungs: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        lost: dict[tuple[str, str], int] = defaultdict(int)
        for tally in found.tallies:
            if tally.app is not None and tally.rung is not None:
                rungs[tally.app, tally.signal][tally.rung] += tally.records
        for stray in found.strays:
            for name in stray.claimants if stray.lost else ():
                lost[name, stray.signal] += stray.records
        for name, signal in sorted({*rungs, *lost}):
            if scope.sees(name) and app in {None, name}:
                yield _share(found, name, signal, rungs[name, signal], lost[name, signal])


def _of_all(found: Findings) -> Iterator[Share]:
    for signal in sorted({tally.signal for tally in found.tallies}):
        rungs: dict[int, int] = defaultdict(int)
        lost = 0
        for tally in found.tallies:
            if tally.signal != signal:
                continue
            if tally.app is None or tally.rung is None:
                lost += tally.records
            else:
                rungs[tally.rung] += tally.records
        yield _share(found, None, signal, rungs, lost)


def _share(
    found: Findings, app: str | None, signal: str, rungs: Mapping[int, int], lost: int
) -> Share:
    return Share(
        app=app,
        signal=signal,
        source=found.source,
        unit=found.unit,
        rungs=dict(sorted(rungs.items())),
        lost=lost,
    )


def _gaps(
    world: World, scope: Scope, answers: Iterable[Findings], app: str | None
) -> Iterator[Gap]:
    if scope.apps is not None:
        return
    remedies = Remedies(world.project.catalog, world.project.workspace)
    clean = masked(world.project.workspace.collecting)
    found = [(each, stray) for each in answers for stray in each.strays]
    found.sort(key=lambda each: -each[1].records / max(1, _whole(*each)))
    for findings, stray in found:
        owner = remedies.owner(stray)
        if app is None or app in stray.claimants or app == owner:
            yield Gap(
                signal=stray.signal,
                source=findings.source,
                unit=findings.unit,
                records=stray.records,
                whole=_whole(findings, stray),
                missing=stray.missing,
                claimants=stray.claimants,
                app=stray.app,
                service=stray.service,
                host=stray.host,
                namespace=stray.namespace,
                stream=stray.stream,
                first=stray.first,
                last=stray.last,
                example=None if stray.example is None else clean(stray.example),
                remedy=remedies.of(stray),
            )


def _whole(findings: Findings, stray: Stray) -> int:
    return sum(each.records for each in findings.tallies if each.signal == stray.signal)
