"""The rule ``burn_rate``: an SLO that burns its budget too fast right now stops deploys.

A pair of windows fires while both burn strictly faster than its factor (Site Reliability
Workbook, chapter 5): the long window shows that it matters, the short one that it goes on.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from slo.evaluate import Evaluation
from slo.gate.doubts import Doubt, missing, notes, reading_doubt
from slo.gate.facts import Facts
from slo.gate.findings import Change, Datum, Finding, Outcome
from slo.gate.numbers import apart, factor
from slo.gate.policy import GatePolicy, Rule
from slo.gate.rules._common import EFFECT, ID, SLOS, covers
from slo.model import AlertSeverity, BurnPair
from slo.ports import Counts, NoData, NoDataReason
from slo.problems import Problem, error
from slo.records import dataclass
from slo.shape import DurationText, Field, Fields, ListOf, Number, Record
from slo.units import Duration
from slo.windows import Catalogue, UsablePairs, usable_pairs

TYPE = "burn_rate"

_PAIRS = ListOf(
    shape=Record(
        fields={
            "long": Field(shape=DurationText(), required=True),
            "short": Field(shape=DurationText(), required=True),
            "factor": Field(
                shape=Number(above=Decimal(0), maximum=Decimal(10**6)),
                required=True,
                description="How many times faster than allowed the budget has to burn.",
            ),
        }
    ),
    min_items=1,
)

SHAPE = Record(
    description="Stop deploys while an SLO's error budget burns too fast.",
    fields={
        "id": ID,
        "slos": SLOS,
        "deny": Field(shape=_PAIRS, description="Pairs of windows that deny."),
        "warn": Field(shape=_PAIRS, description="Pairs of windows that warn."),
        "effect": EFFECT,
    },
    at_least_one_of=(("deny", "warn"),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPair:
    """Two windows and the burn rate that both have to exceed."""

    long: Duration
    short: Duration
    factor: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnRateRule(Rule):
    """Fails while a pair of ``deny`` fires, warns while one of ``warn`` does."""

    type: ClassVar[str] = TYPE
    reads_data: ClassVar[bool] = True

    slos: tuple[str, ...] = ("*",)
    deny: tuple[WindowPair, ...] = ()
    warn: tuple[WindowPair, ...] = ()

    def covers(self, slo: str) -> bool:
        """Whether the rule judges the SLO of that name."""
        return covers(self.slos, slo)

    @property
    def windows(self) -> tuple[Duration, ...]:
        """The windows of all pairs."""
        return tuple(w for pair in (*self.deny, *self.warn) for w in (pair.long, pair.short))

    def judge(self, facts: Facts, policy: GatePolicy) -> tuple[Finding, ...]:
        """One finding for each SLO it covers."""
        return tuple(
            self._judge(evaluation, facts, policy)
            for evaluation in facts.evaluations
            if self.covers(evaluation.key.slo)
        )

    def _judge(self, evaluation: Evaluation, facts: Facts, policy: GatePolicy) -> Finding:
        deny, warn = _usable(self.deny, evaluation), _usable(self.warn, evaluation)
        burns = [
            *(_Burn.of(pair, Outcome.FAIL, evaluation) for pair in deny.pairs),
            *(_Burn.of(pair, Outcome.WARN, evaluation) for pair in warn.pairs),
        ]
        dropped = tuple(each.reason for each in (*deny.dropped, *warn.dropped))
        if not burns:
            return _unusable(evaluation, dropped)
        outcome = max((burn.outcome for burn in burns), key=lambda each: each.rank)
        doubt = _doubt(burns, outcome, reading_doubt(evaluation.reading, policy, facts.at))
        if doubt is not None:
            return doubt.finding(evaluation, outcome)
        # By the worst outcome, and within it by how near the pair is to firing.
        worst = max(burns, key=lambda burn: (burn.outcome.rank, burn.nearness))
        return _told(worst, evaluation, burns, dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Burn:
    """One pair's two burn rates: ``None`` is no traffic, ``doubt`` what could not be read."""

    pair: BurnPair
    severity: Outcome
    long: Fraction | None
    short: Fraction | None
    doubt: Doubt | None = None

    @classmethod
    def of(cls, pair: BurnPair, severity: Outcome, evaluation: Evaluation) -> _Burn:
        """Return the pair's burn rates in an evaluation."""
        doubts = [_window_doubt(window, evaluation) for window in (pair.long, pair.short)]
        long, short = evaluation.pair_burn(pair)
        found = [doubt for doubt in doubts if doubt is not None]
        found.sort(key=lambda doubt: doubt.outcome.rank)
        return cls(
            pair=pair,
            severity=severity,
            long=long,
            short=short,
            doubt=found[-1] if found else None,
        )

    @property
    def rate(self) -> Fraction | None:
        """The burn rate that both windows reach."""
        return None if self.long is None or self.short is None else min(self.long, self.short)

    @property
    def outcome(self) -> Outcome:
        """What the pair amounts to by its numbers alone."""
        fires = self.rate is not None and self.rate > self.pair.factor
        return self.severity if fires else Outcome.PASS

    @property
    def nearness(self) -> Fraction:
        """The burn rate as a multiple of the factor."""
        return Fraction(-1) if self.rate is None else self.rate / self.pair.factor


def _window_doubt(window: Duration, evaluation: Evaluation) -> Doubt | None:
    """Return why a window's burn rate is not known; idleness is no reason for doubt."""
    counts = evaluation.reading.windows.get(window)
    if counts is None:
        detail = f"the last {window} were not read"
        counts = NoData(reason=NoDataReason.INCOMPLETE, detail=detail)
    if isinstance(counts, NoData):
        return None if counts.reason is NoDataReason.ZERO_TRAFFIC else missing(counts)
    if isinstance(counts, Counts) and counts.total <= 0 < counts.bad:
        detail = f"there are bad events and no total in the last {window}"
        return missing(NoData(reason=NoDataReason.INCOMPLETE, detail=detail))
    return None


def _doubt(burns: list[_Burn], outcome: Outcome, of_all: Doubt | None) -> Doubt | None:
    """Return the doubt that counts: a failed back end, a window's own, the whole reading's.

    A pair that fires by numbers that count is enough; no other window can change that.
    """
    if outcome is Outcome.FAIL and of_all is None:
        return None
    doubts = [*(burn.doubt for burn in burns if burn.doubt is not None), of_all]
    found = [doubt for doubt in doubts if doubt is not None]
    found.sort(key=lambda doubt: doubt.outcome.rank, reverse=True)
    return found[0] if found else None


def _usable(pairs: tuple[WindowPair, ...], evaluation: Evaluation) -> UsablePairs:
    """Split pairs by whether they can ever fire for this SLO, as its alerts would."""
    level = evaluation.level
    wanted = tuple(
        BurnPair(severity=AlertSeverity.PAGE, long=p.long, short=p.short, factor=p.factor)
        for p in pairs
    )
    asked = replace(level, slo=replace(level.slo, pairs=wanted))
    return usable_pairs(asked, Catalogue(pairs=()))


def _unusable(evaluation: Evaluation, reasons: tuple[str, ...]) -> Finding:
    slo = evaluation.key.slo
    return Finding(
        outcome=Outcome.SKIPPED,
        slo=slo,
        message=f"{slo}: none of the pairs can fire at its objective and window",
        notes=reasons,
    )


def _told(
    worst: _Burn, evaluation: Evaluation, burns: list[_Burn], dropped: tuple[str, ...]
) -> Finding:
    slo, pair, rate = evaluation.key.slo, worst.pair, worst.rate
    windows = f"over {pair.long} and {pair.short}"
    change = None
    if worst.outcome is Outcome.PASS or rate is None:
        shown = "no traffic" if rate is None else f"burning {factor(rate)}"
        message = f"{slo}: {shown} {windows}, below {factor(pair.factor)}"
    else:
        now, bound = apart(rate, pair.factor, factor)
        message = f"{slo}: burning {now} {windows}, above {bound}"
        change = _change(worst, evaluation)
    return Finding(
        outcome=worst.outcome,
        slo=slo,
        observed=rate,
        threshold=pair.factor,
        unit="burn_rate",
        message=message,
        remediation=f"stop what burns {slo} first: its alerts and its dashboard show it"
        if change
        else None,
        change=change,
        data=_data(burns),
        notes=(*dropped, *notes(evaluation.reading)),
        evidence=evaluation.reading.evidence,
    )


def _change(burn: _Burn, evaluation: Evaluation) -> Change:
    pair, bound = burn.pair, factor(burn.pair.factor, 15)
    assert burn.long is not None
    assert burn.short is not None
    now = f"now {factor(burn.long)} and {factor(burn.short)}"
    return Change(
        text=(
            f"{evaluation.key.slo} passes once the burn rate over {pair.short} or over "
            f"{pair.long} is at or below {bound} ({now})"
        ),
        data={
            "factor": pair.factor,
            "long": pair.long.text,
            "short": pair.short.text,
            "longRate": burn.long,
            "shortRate": burn.short,
        },
    )


def _data(burns: list[_Burn]) -> dict[str, Datum]:
    rates: dict[Duration, Fraction | None] = {}
    for burn in burns:
        rates[burn.pair.long], rates[burn.pair.short] = burn.long, burn.short
    return {window.text: rates[window] for window in sorted(rates)}


def build(fields: Fields, problems: list[Problem]) -> BurnRateRule | None:
    """Return the rule that a record describes."""
    before = len(problems)
    deny, warn = _pairs(fields, "deny", problems), _pairs(fields, "warn", problems)
    if len(problems) > before:
        return None
    return BurnRateRule(
        id=fields.need("id", str),
        only_warns=fields.need("effect", str) == "warn",
        span=fields.span(),
        slos=fields.each("slos", str) or ("*",),
        deny=deny,
        warn=warn,
    )


def _pairs(fields: Fields, key: str, problems: list[Problem]) -> tuple[WindowPair, ...]:
    pairs = []
    for item in fields.each(key, Fields):
        long, short = item.need("long", Duration), item.need("short", Duration)
        if short >= long:
            message = f"the short window {short} is not shorter than the long one, {long}"
            problems.append(error("policy/contradiction", message, item.span("short")))
            continue
        rate = Fraction(item.need("factor", Decimal))
        pairs.append(WindowPair(long=long, short=short, factor=rate))
    return tuple(pairs)
