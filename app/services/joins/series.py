"""What a Prometheus tells of how its series are joined: by their labels, without their samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.access import Scope
from app.services.holdings import sees
from app.services.joins.model import Findings, Stray, Tally
from collectors.joining import Joiner, Ownership
from collectors.joining.facts import HOST, INSTANCE, NAMESPACE, SERVICE_NAME
from slo.errors import SourceError
from slo.promql import Matcher, Selector, is_label_name, selector_text
from slo.units import Duration

if TYPE_CHECKING:
    from collectors.readers.prometheus.answers import Series
    from collectors.readers.prometheus.clock import Deadline
    from collectors.readers.telemetry import MetricReader, TimeRange

OWN = "slo:.+|slo_.+|ALERTS.*"
"""Series that our rules make, which say nothing of collectors."""

METRICS = "metrics"
_NAME = "__name__"
_JOB = "job"
_EXAMPLES = 10
_MOST = 500

_ANY = (Matcher(name=_NAME, op="!=", value=""), Matcher(name=_NAME, op="!~", value=OWN))

_Group = tuple[Mapping[str, str], int, Ownership]


def of_series(
    reader: MetricReader, scope: Scope, range_: TimeRange, joiner: Joiner, deadline: Duration
) -> Findings:
    """Return what a Prometheus tells of series that had samples at the end of a range.

    One query counts them by every label that the ladder looks at. Raises ``SourceError``.
    """
    at = datetime.fromtimestamp(range_.end // 1_000_000 / 1000, UTC)
    until = reader.deadline(deadline)
    keys = sorted(key for key in joiner.keys if is_label_name(key))
    query = f"count by ({', '.join(keys)}) ({Selector(metric=None, matchers=_ANY)})"
    answer = reader.query(query, at, until)
    groups = _joined(answer.series, joiner)
    strays = _strays(groups) if scope.apps is None else []
    cut = len(strays) - _MOST
    notes = [f"{reader.reference}: series of {at:%Y-%m-%dT%H:%M:%SZ}"]
    notes += [f"{reader.reference}: {cut} smaller gaps are not listed"] if cut > 0 else []
    seen = [(owner, count) for _, count, owner in groups if sees(scope, owner.app, owner.env)]
    return Findings(
        source=reader.reference,
        unit="series",
        query=query,
        tallies=tuple(_tallies(seen)),
        strays=tuple(
            _with_examples(strays[:_MOST], lambda labels: _example(reader, labels, keys, at, until))
        ),
        observed_at=range_.end if answer.series else None,
        partial=(f"{reader.reference}: {'; '.join(answer.warnings)}",) if answer.partial else (),
        notes=tuple(notes),
    )


def _joined(series: Sequence[Series], joiner: Joiner) -> list[_Group]:
    known = [(each.labels, int(each.points[-1][1])) for each in series if each.points]
    # The first round learns which containers are whose, which rung 4 tells the second by.
    for labels, _ in known:
        joiner.join(labels, {})
    return [(labels, count, joiner.join(labels, {})) for labels, count in known]


def _tallies(found: Iterable[tuple[Ownership, int]]) -> list[Tally]:
    counts: dict[tuple[str | None, int | None], int] = defaultdict(int)
    for owner, count in found:
        counts[owner.app, None if owner.app is None else owner.rung] += count
    return [
        Tally(app=app, signal=METRICS, rung=rung, records=count)
        for (app, rung), count in counts.items()
    ]


def _strays(groups: Iterable[_Group]) -> list[tuple[Stray, Mapping[str, str]]]:
    """What lacks a key, by what it says of itself, the most series first."""
    counts: dict[Stray, int] = defaultdict(int)
    labels_of: dict[Stray, Mapping[str, str]] = {}
    for labels, count, owner in groups:
        if owner.app is not None and owner.missing is None:
            continue
        stray = Stray(
            signal=METRICS,
            records=0,
            missing=owner.missing,
            claimants=owner.claimants,
            app=owner.app,
            service=_first(labels, (*SERVICE_NAME, _JOB)),
            host=_first(labels, (*HOST, *INSTANCE)),
            namespace=_first(labels, NAMESPACE),
            scraped=True,
        )
        counts[stray] += count
        labels_of.setdefault(stray, labels)
    found = [(replace(stray, records=count), labels_of[stray]) for stray, count in counts.items()]
    return sorted(found, key=lambda each: -each[0].records)


def _first(labels: Mapping[str, str], names: Iterable[str]) -> str | None:
    return next((labels[name] for name in names if labels.get(name)), None)


def _with_examples(
    strays: Sequence[tuple[Stray, Mapping[str, str]]],
    example_of: Callable[[Mapping[str, str]], Mapping[str, str] | None],
) -> Iterable[Stray]:
    """The strays with a whole series each of the largest; the others show their labels."""
    for place, (stray, labels) in enumerate(strays):
        found = example_of(labels) if place < _EXAMPLES else None
        yield replace(stray, example=_shown(found or labels))


def _example(
    reader: MetricReader,
    labels: Mapping[str, str],
    keys: Iterable[str],
    at: datetime,
    until: Deadline,
) -> Mapping[str, str] | None:
    matchers = [Matcher(name=key, value=labels.get(key, "")) for key in keys]
    try:
        found = reader.query(
            f"topk(1, {Selector(metric=None, matchers=(*_ANY, *matchers))})", at, until
        )
    except SourceError:
        return None  # the labels are an example too
    return found.series[0].labels if found.series else None


def _shown(labels: Mapping[str, str]) -> str:
    rest = [Matcher(name=name, value=labels[name]) for name in sorted(labels) if name != _NAME]
    if not rest and _NAME not in labels:
        return "{}"
    return selector_text(labels.get(_NAME), rest)
