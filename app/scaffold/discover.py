"""What a Prometheus holds of requests and probes, as SLOs that it could carry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from app.prometheus_view import DAY
from app.scaffold.conventions import COUNTERS, DURATIONS, PROBES, Convention, Counter
from app.scaffold.durations import latency_slos
from app.scaffold.objectives import propose
from app.scaffold.proposals import Owner, SloProposal, measured
from app.scaffold.server import Server
from slo.promql import Matcher, Selector

_MINUTES_A_DAY = 1440
_MOST_PROBES = 10


class Bar(Protocol):
    """A progress bar."""

    def advance(self, steps: int = 1) -> None:
        """Say that so many more steps are done."""


Progress = Callable[[int, str], AbstractContextManager[Bar]]


@dataclass(slots=True, kw_only=True)
class Discovery:
    """The proposals by owner, and what was seen and could not be used."""

    slos: dict[Owner, list[SloProposal]] = field(default_factory=dict)
    passed_over: list[str] = field(default_factory=list)

    def add(self, slo: SloProposal) -> None:
        """Take a proposal, unless its owner has one of that kind and family already."""
        own = self.slos.setdefault(slo.owner, [])
        if slo.kind == "probe" or (slo.kind, slo.family) not in {(x.kind, x.family) for x in own}:
            own.append(slo)


def discover(server: Server, progress: Progress) -> Discovery:
    """Ask a server for all conventions; raises ``SourceError``."""
    found = Discovery()
    names = server.names()
    with progress(len(COUNTERS) + len(DURATIONS) + 1, "looking at metrics") as bar:
        for counter in COUNTERS:
            if counter.metric in names:
                for slo in _availability(server, counter, found):
                    found.add(slo)
            bar.advance()
        for durations in DURATIONS:
            if f"{durations.metric}_bucket" in names:
                labels = server.labels(f"{durations.metric}_bucket")
                by = owner_labels(durations, labels)
                if by:
                    for slo in latency_slos(server, durations, by, found.passed_over):
                        found.add(slo)
            bar.advance()
        if PROBES.metric in names:
            for slo in _probes(server, found):
                found.add(slo)
        bar.advance()
    found.slos = {owner: slos for owner, slos in found.slos.items() if slos}
    return found


def owner_labels(convention: Convention, labels: frozenset[str]) -> tuple[str, ...]:
    """Return the labels that say whose a metric's series are: a namespace's, then a name's.

    Empty when the metric has no label for the name.
    """
    name = next((each for each in convention.names if each in labels), None)
    if name is None:
        return ()
    space = next((each for each in convention.spaces if each in labels), None)
    return (name,) if space is None else (space, name)


def _availability(server: Server, counter: Counter, found: Discovery) -> Iterator[SloProposal]:
    labels = server.labels(counter.metric)
    result = next((each for each in counter.results if each in labels), None)
    by = owner_labels(counter, labels)
    if result is None or not by:
        lacking = "tells failures" if result is None else "says whose requests they are"
        found.passed_over.append(f"{counter.metric} has no label that {lacking}")
        return
    bad = Matcher(name=result, op="=~", value=counter.bad)
    whole = Selector(metric=counter.metric, matchers=counter.where)
    grouping = ", ".join(by)
    totals, window = server.over_a_day(f"sum by ({grouping}) (increase({whole}[@RANGE@]))", by)
    failures, _ = server.over_a_day(
        f"sum by ({grouping}) (increase({whole.with_matchers((bad,))}[@RANGE@]))", by
    )
    days = Fraction(window.milliseconds, DAY.milliseconds)
    for values, total in sorted(totals.items()):
        if not values[-1]:
            continue
        owner = Owner.of(by, values)
        failed = failures.get(values, Fraction(0))
        objective = propose(total, failed, days=days)
        if objective is None:
            found.passed_over.append(
                f"{counter.metric} of {owner}: too few requests in the last {window}"
            )
            continue
        selector = whole.with_matchers(owner.matchers)
        part = selector.with_matchers((bad,))
        series, failing = server.count(selector), server.count(part)
        if not series:
            continue
        yield SloProposal(
            owner=owner,
            kind="availability",
            family=counter.family,
            objective=objective,
            traffic=total,
            comments=(
                f"The queries matched {series} series, {failing} of them failures.",
                measured(window, total, failed, "requests", "without a server error", objective),
                *(() if failing else (_UNPROVEN,)),
            ),
            indicator={"events": {"total": str(selector), "bad": str(part)}},
        )


_UNPROVEN = "No failure was seen, so the selector of failures is unproven until the first one."


def _probes(server: Server, found: Discovery) -> Iterator[SloProposal]:
    labels = server.labels(PROBES.metric)
    by = tuple(each for each in ("job", "instance") if each in labels)
    if "instance" not in by:
        found.passed_over.append(f"{PROBES.metric} has no label instance")
        return
    shares, window = server.over_a_day(
        f"avg by ({', '.join(by)}) (avg_over_time({PROBES.metric}[@RANGE@]))", by
    )
    for job, group in _by_job(by, sorted(shares.items())):
        for values, share in group[:_MOST_PROBES]:
            owner = Owner.of(("job",), (job,)) if job else Owner.of(by, values)
            matchers = tuple(Matcher(name=n, value=v) for n, v in zip(by, values, strict=True) if v)
            selector = Selector(metric=PROBES.metric, matchers=matchers)
            minutes = Fraction(_MINUTES_A_DAY)
            objective = propose(minutes, minutes * (1 - share))
            series = server.count(selector)
            if objective is None or not series:
                continue
            yield SloProposal(
                owner=owner,
                kind="probe",
                family=values[-1],
                objective=objective,
                traffic=minutes,
                comments=(
                    f"The query matched {series} series.",
                    f"Last {window}: up {share_text(share)} of the time; proposed {objective}.",
                ),
                indicator={"probe": str(selector)},
            )
        if len(group) > _MOST_PROBES:
            found.passed_over.append(
                f"{PROBES.metric} of job {job}: {len(group) - _MOST_PROBES} more instances"
            )


Shares = Sequence[tuple[tuple[str, ...], Fraction]]


def _by_job(by: Sequence[str], shares: Shares) -> Iterator[tuple[str, Shares]]:
    jobs = dict.fromkeys(values[0] if "job" in by else "" for values, _ in shares)
    for job in jobs:
        yield job, [pair for pair in shares if "job" not in by or pair[0][0] == job]


def share_text(share: Fraction) -> str:
    """Return a share of 1 in per cent, cut and not rounded: 99.996 % is not 100 %."""
    cut = int(share * 10_000)
    return f"{cut // 100}.{cut % 100:02d} %"
