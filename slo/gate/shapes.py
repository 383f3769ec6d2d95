"""What a policy file looks like; the reader and the JSON Schema both come from here."""

from decimal import Decimal

from slo.gate.policy import Mode, OnMissingData
from slo.gate.rules import RULES
from slo.gate.rules._common import RULE_ID
from slo.loader.leaves import LABELS, NAME, document
from slo.shape import (
    Choice,
    DurationText,
    Field,
    ListOf,
    Number,
    Record,
    Text,
    Variant,
)
from slo.units import Duration

_NAMES = ListOf(shape=NAME, min_items=1, unique=True)
_TEAMS = ListOf(shape=Text(max_length=100), min_items=1, unique=True)
_RULE_IDS = Field(
    shape=ListOf(shape=RULE_ID, min_items=1, unique=True),
    description="The rules that are excused; without it all that read data.",
)


def _proof(word: str) -> Field:
    return Field(shape=Choice(choices=(word,)), default=word, description="What proves the claim.")


_MATCH = Record(
    description="What the policy is for: all keys must agree, each with any of its values.",
    fields={
        "environments": Field(shape=_NAMES),
        "apps": Field(shape=_NAMES),
        "teams": Field(shape=_TEAMS),
        "labels": Field(
            shape=LABELS,
            description="Labels of the application.",
        ),
    },
)

_EXEMPT = Record(
    description="The changes that are excused; without this key all of them, with {} none.",
    fields={
        "rollback": Field(
            shape=Record(
                description="A return to what ran before.",
                fields={
                    "proof": _proof("digestPreviouslyDeployed"),
                    "maxAge": Field(shape=DurationText(), default="30d"),
                    "rules": _RULE_IDS,
                },
            )
        ),
        "reliability_fix": Field(
            shape=Record(
                description="A change that mends, with a ticket.",
                fields={
                    "proof": _proof("ticket"),
                    "approvers": Field(shape=_TEAMS, description="Who can vouch for it."),
                    "rules": _RULE_IDS,
                },
            )
        ),
        "first_deploy": Field(
            shape=Record(
                description="A deploy before which there was nothing; answered with a warning.",
                fields={"proof": _proof("neverDeployedAndNeverAnyData")},
            )
        ),
    },
)

_SPEC = Record(
    fields={
        "match": Field(shape=_MATCH),
        "mode": Field(
            shape=Choice(choices=tuple(Mode)),
            default="enforce",
            description="What a decision does: observe allows all, warn turns deny into warn.",
        ),
        "onMissingData": Field(
            shape=Choice(choices=tuple(OnMissingData)),
            default="deny",
            description="What missing data amounts to; a failed back end is never softened.",
        ),
        "maxDataAge": Field(
            shape=DurationText(minimum=Duration.of(minutes=1), maximum=Duration.of(days=7)),
            default="15m",
            description="How old the newest data may be.",
        ),
        "evaluationTimeout": Field(
            shape=DurationText(minimum=Duration.of(seconds=1), maximum=Duration.of(minutes=10)),
            default="8s",
            description="How long all reading may take.",
        ),
        "minCoverage": Field(
            shape=Number(minimum=Decimal(0), maximum=Decimal(1)),
            default="0.5",
            description="The share of an SLO's window, since its first data, that must be there.",
        ),
        "rules": Field(
            shape=ListOf(
                shape=Variant(tag="type", records={key: kind.shape for key, kind in RULES.items()}),
                min_items=1,
                unique_by="id",
            ),
            required=True,
            description="The conditions for shipping; all are judged, always.",
        ),
        "exempt": Field(shape=_EXEMPT),
        "exemptNever": Field(
            shape=ListOf(shape=RULE_ID, unique=True),
            description="Rules that nothing excuses.",
        ),
    },
)

GATE_POLICY = document(
    "GatePolicy",
    metadata=Field(
        shape=Record(
            fields={"name": Field(shape=NAME, required=True, description="The policy's name.")}
        ),
        required=True,
    ),
    spec=Field(shape=_SPEC, required=True),
)
"""A whole document of kind GatePolicy."""
