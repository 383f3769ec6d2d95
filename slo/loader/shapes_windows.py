"""The shape of a pair of alerting windows, and of a catalogue of them."""

from decimal import Decimal

from slo.shape import Choice, DurationText, Field, ListOf, Number, Record

_LEGS = {
    "severity": Field(
        shape=Choice(choices=("page", "ticket")),
        required=True,
        description="Who should hear of it.",
    ),
    "long": Field(
        shape=DurationText(), required=True, description="The window that proves the burn."
    ),
    "short": Field(
        shape=DurationText(),
        required=True,
        description="The window that ends the alert soon after the burn.",
    ),
}
_BUDGET = Number(above=Decimal(0), maximum=Decimal(100))
_SPENT = "The percentage of the budget that the long window has spent when it fires"

PAIR = Record(
    description="A pair of windows: an alert fires while the budget burns too fast in both.",
    fields={
        **_LEGS,
        "factor": Field(
            shape=Number(above=Decimal(0), maximum=Decimal(100_000)),
            description="The burn rate that both windows exceed.",
        ),
        "budget": Field(shape=_BUDGET, description=f"{_SPENT}, instead of a factor."),
    },
    exactly_one_of=(("factor", "budget"),),
)
"""A pair for one SLO, whose period is known."""

CATALOGUE = Record(
    description="The window pairs of an installation, for SLOs of any period.",
    fields={
        "pairs": Field(
            shape=ListOf(
                shape=Record(
                    fields={
                        **_LEGS,
                        "budget": Field(shape=_BUDGET, required=True, description=f"{_SPENT}."),
                    }
                ),
                min_items=1,
            ),
            required=True,
            description="The pairs; each is an alert of its own.",
        )
    },
)
"""A whole catalogue file."""
