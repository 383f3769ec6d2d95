"""Which policy applies to an application in an environment."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from slo.gate.policy import BUILT_IN, GatePolicy, Match
from slo.gate.rules.burn_rate import BurnRateRule, WindowPair
from slo.gate.rules.error_budget import ErrorBudgetRule
from slo.model import App, Environment
from slo.printable import quote
from slo.problems import Problem, Span, error
from slo.suggest import did_you_mean
from slo.units import Duration


def built_in() -> GatePolicy:
    """The policy where no other applies: stop on a spent budget and on a fast burn.

    The pairs are those of the Site Reliability Workbook, chapter 5, for a 30-day window.
    """
    return GatePolicy(
        name=BUILT_IN,
        rules=(
            ErrorBudgetRule(id="budget", slow_at=Decimal("0.25")),
            BurnRateRule(
                id="burn",
                deny=(_pair("1h", "5m", "14.4"), _pair("6h", "30m", "6")),
                warn=(_pair("1d", "2h", "3"),),
            ),
        ),
    )


def choose(
    policies: Sequence[GatePolicy],
    app: App,
    environment: Environment,
    explicit: str | None = None,
) -> GatePolicy | Problem:
    """The policy asked for, else the one the specification names, else the one that fits best.

    The environment's ``gate`` goes before the application's. Of those that match, the most
    specific applies: by application, then team, then labels, then environment; two that are
    equally specific are a problem that names both. The built-in policy applies when none matches.
    """
    for name, span in (
        (explicit, None),
        (environment.gate, app.span),
        (app.gate, app.span),
    ):
        if name is not None:
            return _named(policies, name, span)
    fitting = [policy for policy in policies if matches(policy.match, app, environment)]
    if not fitting:
        return built_in()
    fitting.sort(key=lambda policy: policy.match.specificity, reverse=True)
    best = fitting[0]
    if len(fitting) > 1 and fitting[1].match.specificity == best.match.specificity:
        return _conflict(best, fitting[1], app, environment)
    return best


def matches(match: Match, app: App, environment: Environment) -> bool:
    """Whether an application in an environment is what a policy is for."""
    return (
        (not match.environments or environment.name in match.environments)
        and (not match.apps or app.name in match.apps)
        and (not match.teams or app.team in match.teams)
        and all(app.labels.get(key) == value for key, value in match.labels.items())
    )


def _named(policies: Sequence[GatePolicy], name: str, span: Span | None) -> GatePolicy | Problem:
    if name == BUILT_IN:
        return built_in()
    found = next((policy for policy in policies if policy.name == name), None)
    if found is not None:
        return found
    names = [*(policy.name for policy in policies), BUILT_IN]
    message = f"there is no policy {quote(name)}{did_you_mean(name, names)}"
    return error("policy/unknown", message, span, hint=f"known here: {', '.join(names)}")


def _conflict(first: GatePolicy, second: GatePolicy, app: App, environment: Environment) -> Problem:
    related = () if second.span is None else ((second.span, "the other one"),)
    return error(
        "policy/conflict",
        f"the policies {quote(first.name)} and {quote(second.name)} fit {app.name} in "
        f"{environment.name} equally well",
        first.span,
        hint="name one of them as the gate of the application or of its environment",
        related=related,
    )


def _pair(long: str, short: str, factor: str) -> WindowPair:
    return WindowPair(
        long=Duration.parse(long), short=Duration.parse(short), factor=Fraction(factor)
    )
