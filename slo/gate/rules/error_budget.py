"""The rule ``error_budget``: an SLO whose budget is spent stops deploys.

The budget is taken over ``max(total, min_events)``, so a quiet application is stopped by its
absolute number of failures and by nothing less.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import ClassVar

from slo.budget import Budget, budget
from slo.evaluate import Evaluation
from slo.gate.doubts import Doubt, notes, period_doubt
from slo.gate.facts import Facts
from slo.gate.findings import Change, Datum, Finding, Outcome
from slo.gate.numbers import apart, counted, instant, percent, plain
from slo.gate.policy import GatePolicy, Rule
from slo.gate.rules._common import EFFECT, ID, SLOS, covers
from slo.ports import Counts, NoDataReason
from slo.problems import Problem, error
from slo.records import dataclass
from slo.shape import Field, Fields, Integer, Number, Record

TYPE = "error_budget"

SHAPE = Record(
    description="Stop deploys once an SLO's error budget is spent.",
    fields={
        "id": ID,
        "slos": SLOS,
        "freezeAt": Field(
            shape=Number(minimum=Decimal(0), below=Decimal(1)),
            default="0",
            description="Deny at this share of the budget remaining, and below.",
        ),
        "slowAt": Field(
            shape=Number(above=Decimal(0), below=Decimal(1)),
            description="Warn at this share of the budget remaining, and below.",
        ),
        "minEvents": Field(
            shape=Integer(minimum=0, maximum=10**12),
            default="1000",
            description="The number of events the budget is taken over when there were fewer.",
        ),
        "effect": EFFECT,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBudgetRule(Rule):
    """Fails at ``freeze_at`` of the budget remaining, warns at ``slow_at``; shares, 0 to 1."""

    type: ClassVar[str] = TYPE
    reads_data: ClassVar[bool] = True

    slos: tuple[str, ...] = ("*",)
    freeze_at: Decimal = Decimal(0)
    slow_at: Decimal | None = None
    min_events: int = 1000

    def covers(self, slo: str) -> bool:
        """Whether the rule judges the SLO of that name."""
        return covers(self.slos, slo)

    def judge(self, facts: Facts, policy: GatePolicy) -> tuple[Finding, ...]:
        """One finding for each SLO it covers."""
        return tuple(
            self._judge(evaluation, facts, policy)
            for evaluation in facts.evaluations
            if self.covers(evaluation.key.slo)
        )

    def _judge(self, evaluation: Evaluation, facts: Facts, policy: GatePolicy) -> Finding:
        counts = _counts(evaluation)
        found = None if counts is None else self._weigh(evaluation, counts, facts)
        doubt = period_doubt(evaluation, policy, facts.at)
        if doubt is None and found is None:
            doubt = Doubt(
                outcome=Outcome.NO_DATA,
                reason=NoDataReason.INCOMPLETE,
                detail="there are bad events and no total",
            )
        if doubt is not None:
            return doubt.finding(evaluation, None if found is None else found.outcome)
        assert found is not None
        return found

    def _weigh(self, evaluation: Evaluation, counts: Counts, facts: Facts) -> Finding | None:
        """Judge by the numbers alone; ``None`` where they make no sense."""
        slo = evaluation.level.slo
        floor_ = self.min_events if slo.indicator.counts_events else 0
        spent = budget(counts, slo.objective, at_least=floor_)
        if counts.total <= 0 and counts.bad <= 0:
            return self._idle(evaluation)
        if spent is None:
            return None
        outcome = self._outcome(spent)
        few = 0 < counts.total < floor_
        if outcome is Outcome.PASS and few:
            outcome = Outcome.INSUFFICIENT_DATA
        limit = self._limit(outcome)
        told = _Told(rule=self, evaluation=evaluation, counts=counts, spent=spent)
        return Finding(
            outcome=outcome,
            slo=slo.name,
            observed=spent.remaining,
            threshold=limit,
            unit="budget_remaining",
            message=told.message(outcome, limit),
            remediation=told.remedy(outcome),
            change=told.change(outcome, limit, facts),
            data=told.data(floor_),
            notes=(*told.few(floor_), *notes(evaluation.reading)),
            evidence=evaluation.reading.evidence,
        )

    def _idle(self, evaluation: Evaluation) -> Finding:
        slo = evaluation.level.slo
        return Finding(
            outcome=Outcome.PASS,
            slo=slo.name,
            observed=Fraction(1),
            threshold=Fraction(self.freeze_at),
            unit="budget_remaining",
            message=f"{slo.name}: no traffic in the last {slo.window}, so the budget is untouched",
            data={"total": Fraction(0), "bad": Fraction(0)},
            notes=("there was no traffic; the series are there", *notes(evaluation.reading)),
            evidence=evaluation.reading.evidence,
        )

    def _outcome(self, spent: Budget) -> Outcome:
        if spent.remaining <= Fraction(self.freeze_at):
            return Outcome.FAIL
        slow = self.slow_at is not None and spent.remaining <= Fraction(self.slow_at)
        return Outcome.WARN if slow else Outcome.PASS

    def _limit(self, outcome: Outcome) -> Fraction:
        """Return the threshold that a budget which remains is nearest to."""
        if outcome is Outcome.FAIL or self.slow_at is None:
            return Fraction(self.freeze_at)
        return Fraction(self.slow_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A weighed budget put into words."""

    rule: ErrorBudgetRule
    evaluation: Evaluation
    counts: Counts
    spent: Budget

    @property
    def unit(self) -> str:
        return "event" if self.evaluation.level.slo.indicator.counts_events else "second"

    def message(self, outcome: Outcome, limit: Fraction) -> str:
        slo = self.evaluation.level.slo
        left, bound = apart(self.spent.remaining, limit, percent)
        text = f"{slo.name}: {left} of the {slo.window} error budget is left"
        if outcome is Outcome.FAIL:
            return f"{text}, deploys stop at {bound}"
        return f"{text}, the warning is at {bound}" if outcome is Outcome.WARN else text

    def remedy(self, outcome: Outcome) -> str | None:
        slo = self.evaluation.key.slo
        if outcome is Outcome.FAIL:
            return f"ship only what makes {slo} more reliable until the budget recovers"
        return (
            f"take smaller steps: {slo} can bear little more" if outcome is Outcome.WARN else None
        )

    def few(self, floor_: int) -> tuple[str, ...]:
        if not 0 < self.counts.total < floor_:
            return ()
        happened, allowed = plain(self.counts.total), plain(self.spent.allowed)
        return (f"only {happened} events: judged as {floor_:,}, of which {allowed} may be bad",)

    def data(self, floor_: int) -> dict[str, Datum]:
        return {
            "total": self.counts.total,
            "bad": self.counts.bad,
            "allowed": self.spent.allowed,
            "minEvents": floor_,
        }

    def change(self, outcome: Outcome, limit: Fraction, facts: Facts) -> Change | None:
        """Return by how much the counts miss the limit, from ``remaining > limit`` exactly."""
        if outcome not in {Outcome.FAIL, Outcome.WARN}:
            return None
        slo, bad = self.evaluation.level.slo, max(Fraction(0), self.counts.bad)
        share = slo.objective.error_budget * (1 - limit)
        fewer = floor(bad - self.spent.allowed * (1 - limit)) + 1
        more = floor(bad / share - self.counts.total) + 1
        by = facts.at + slo.window.timedelta
        return Change(
            text=(
                f"{counted(fewer, f'bad {self.unit}')} fewer, or "
                f"{counted(more, f'good {self.unit}')} more, would put {slo.name} above "
                f"{percent(limit)}; without another bad {self.unit} it is there by {instant(by)} "
                "at the latest"
            ),
            data={"fewerBad": fewer, "moreGood": more, "atTheLatest": instant(by)},
        )


def build(fields: Fields, problems: list[Problem]) -> ErrorBudgetRule | None:
    """Return the rule that a record describes."""
    freeze, slow = fields.need("freezeAt", Decimal), fields.get("slowAt", Decimal)
    if slow is not None and slow <= freeze:
        problems.append(
            error(
                "policy/contradiction",
                f"slowAt {slow} is not above freezeAt {freeze}, so it would never warn",
                fields.span("slowAt"),
            )
        )
        return None
    return ErrorBudgetRule(
        id=fields.need("id", str),
        only_warns=fields.need("effect", str) == "warn",
        span=fields.span(),
        slos=fields.each("slos", str) or ("*",),
        freeze_at=freeze,
        slow_at=slow,
        min_events=fields.need("minEvents", int),
    )


def _counts(evaluation: Evaluation) -> Counts | None:
    """Return the period's counts; a period without traffic has counts too, of nothing."""
    period = evaluation.reading.period
    if isinstance(period, Counts):
        return period
    if period.reason is NoDataReason.ZERO_TRAFFIC:
        return Counts(total=Fraction(0), bad=Fraction(0))
    return None
