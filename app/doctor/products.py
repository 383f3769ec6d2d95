"""Whether a product that counts for us lets us in, understands its queries and has numbers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.doctor.model import Check, fail, ok, skipped, warn
from collectors.readers.external.opening import open_adapter
from collectors.readers.external.port import Adapter, Steps
from collectors.readers.external.timeline import HOUR, equal_steps, floored
from collectors.readers.prometheus import Clock
from collectors.readers.prometheus.answers import milliseconds
from slo.errors import QueryRejected, SourceError
from slo.model import External, ServiceLevel
from slo.windows import LEDGER_SLOT
from slo.workspace import ExternalSource

_MOST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductVisit:
    """One source, the service levels that are read from it, and how to ask it."""

    source: ExternalSource
    levels: Sequence[ServiceLevel]
    at: datetime
    clock: Clock
    environ: Mapping[str, str] | None = None


def product_checks(visit: ProductVisit) -> list[Check]:
    """Ask a source each query of its service levels for the last hour that is complete.

    What keeps it from answering any is told at once; a refused query is told with its SLO.
    """
    source, name = visit.source, visit.source.reference
    asked = {query: str(level.key) for level in reversed(visit.levels) for query in _queries(level)}
    if not asked:
        return [skipped(name, "no SLO is read from it")]
    late = milliseconds(visit.at) - source.lag.milliseconds
    end = floored(late, LEDGER_SLOT)
    steps = equal_steps(end - HOUR.milliseconds, end, LEDGER_SLOT)
    refused: list[str] = []
    silent: list[str] = []
    try:
        adapter = open_adapter(
            source, os.environ if visit.environ is None else visit.environ, visit.clock
        )
        for query, key in asked.items():
            try:
                if not _has_numbers(adapter, query, steps, float(source.timeout.seconds)):
                    silent.append(key)
            except QueryRejected as cause:
                refused.append(f"{key}: {str(cause).removeprefix(f'{name}: ')}")
    except SourceError as cause:
        message = str(cause).removeprefix(f"{name}: ")
        return [fail(name, message, cause.hint or "check its url, files and settings")]
    return [_judged(name, len(asked), refused, silent)]


def _judged(name: str, count: int, refused: Sequence[str], silent: Sequence[str]) -> Check:
    if refused:
        message = f"{len(refused)} of {count} queries are refused, first of {refused[0]}"
        return fail(name, message, "try the query where the product shows its own graphs")
    if len(silent) == count:
        keys = list(dict.fromkeys(silent))
        more = f" and {len(keys) - _MOST} more" if len(keys) > _MOST else ""
        message = f"it has no number in the last hour for {', '.join(keys[:_MOST])}{more}"
        return warn(name, message, "is there traffic, and do the queries name what is there?")
    return ok(name, f"it answers {count} queries")


def _has_numbers(adapter: Adapter, query: str, steps: Steps, within: float) -> bool:
    return any(each is not None for each in adapter.count(query, steps, within=within).numbers)


def _queries(level: ServiceLevel) -> tuple[str, ...]:
    measure = level.slo.indicator.measure
    if not isinstance(measure, External):
        return ()
    return tuple(each for each in (measure.total, measure.bad, measure.good) if each is not None)
