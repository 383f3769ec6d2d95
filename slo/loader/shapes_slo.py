"""The shape of an SLO with its alerts, and of what an environment may change about it."""

from decimal import Decimal

from slo.loader.leaves import ANNOTATIONS, LABELS, NAME, PROSE, VALUE, WINDOW
from slo.loader.shapes_indicator import INDICATOR, OVERRIDE
from slo.loader.shapes_windows import PAIR
from slo.shape import (
    Choice,
    DurationText,
    Either,
    Field,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Number,
    Percent,
    Record,
    Text,
    Url,
)
from slo.units import Duration

GUARD = Either(
    description="Evidence that the alert needs besides its burn rate; false turns it off.",
    scalar=Flag(),
    mapping=Record(
        fields={
            "enabled": Field(
                shape=Flag(), default="true", description="Whether there is an alert at all."
            ),
            "minEvents": Field(
                shape=Integer(minimum=0, maximum=10**12),
                description="It fires only with this many events in the long window, or with "
                "minBad bad ones.",
            ),
            "minBad": Field(
                shape=Integer(minimum=0, maximum=10**12),
                description="It fires only with this many bad events in the long window, or with "
                "minEvents events; 2 without either, so that one failure alerts nobody.",
            ),
        }
    ),
)

_LABEL_NAME = Text(
    pattern="[a-zA-Z_][a-zA-Z0-9_]*",
    form="a name that Prometheus takes: letters, digits and underscores, no digit first",
    max_length=128,
)

ALERTS = Record(
    description="What the SLO's alerts look like.",
    fields={
        "page": Field(shape=GUARD, description="The alerts that wake somebody."),
        "ticket": Field(shape=GUARD, description="The alerts that can wait for the morning."),
        "absent": Field(
            shape=Either(
                scalar=Choice(choices=("ignore",)),
                mapping=Record(
                    fields={
                        "for": Field(
                            shape=DurationText(
                                minimum=Duration.of(minutes=1), maximum=Duration.of(days=7)
                            ),
                            default="10m",
                            description="How long the indicator must be missing.",
                        )
                    }
                ),
            ),
            description="The alert for an indicator that existed and is gone; ignore turns it off.",
        ),
        "budgetLeft": Field(
            shape=ListOf(
                shape=Number(minimum=Decimal(0), below=Decimal(100)), min_items=1, unique=True
            ),
            description="Percentages of the budget left whose crossing raises a ticket.",
        ),
        "windows": Field(
            shape=ListOf(shape=PAIR, min_items=1, max_items=20),
            description="Window pairs of this SLO instead of the installation's.",
        ),
        "labels": Field(shape=LABELS, description="Labels to add to its alerts."),
        "annotations": Field(
            shape=MapOf(key=_LABEL_NAME, shape=Text(literal=True, multiline=True)),
            description="Annotations to add to its alerts.",
        ),
    },
)

SLO = Record(
    description="A target share of good events over a rolling window.",
    fields={
        "name": Field(shape=NAME, required=True, description="Its name, unique in the app."),
        "title": Field(shape=VALUE, description="Its name for people."),
        "description": Field(shape=PROSE, description="What it means to a user of the app."),
        "objective": Field(
            shape=Percent(),
            required=True,
            description="The percentage of events that must be good, such as 99.9.",
        ),
        "window": Field(
            shape=WINDOW, description="The period of its budget; the workspace's without it."
        ),
        "indicator": Field(shape=INDICATOR, required=True, description="What is counted."),
        "alerts": Field(shape=ALERTS, description="What its alerts look like."),
        "labels": Field(shape=LABELS, description="Labels of slo_info and of its alerts."),
        "annotations": Field(shape=ANNOTATIONS, description="Notes for people and other tools."),
        "runbook": Field(shape=Url(), description="What to do when it burns."),
    },
)

SLO_OVERRIDE = Record(
    description="What differs about an SLO in this environment.",
    fields={
        "enabled": Field(
            shape=Flag(), default="true", description="Whether the SLO is in force here."
        ),
        "objective": Field(shape=Percent(), description="The objective here."),
        "window": Field(shape=WINDOW, description="The period of its budget here."),
        "indicator": Field(shape=OVERRIDE, description="How the indicator is read here."),
    },
)
