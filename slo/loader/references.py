"""References from a specification to the workspace's sources."""

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.loader.words import listed
from slo.printable import quote
from slo.workspace import EXTERNAL_KINDS, external_kind


def source_reference(fields: Fields, intake: Intake) -> str | None:
    """Return the source that a record names; one that the workspace lacks is an error.

    A product's kind alone is its default source. Without a workspace, names stay as they are.
    """
    name = fields.get("source", str)
    if name is None or not intake.sources or name in intake.sources:
        return name
    if name in EXTERNAL_KINDS:
        return _of_kind(name, fields, intake)
    intake.error(
        "spec/unknown-source",
        f"the workspace has no source {quote(name)}{intake.did_you_mean(name, intake.sources)}",
        fields.span("source"),
        hint=f"its sources are {listed(sorted(intake.sources))}",
    )
    return name


def _of_kind(kind: str, fields: Fields, intake: Intake) -> str:
    """Return the default source of a kind, or the kind alone once a problem says why."""
    chosen = intake.default_sources.get(kind)
    if chosen is not None:
        return chosen
    known = sorted(each for each in intake.sources if external_kind(each) == kind)
    message = f"the workspace has no source of the kind {quote(kind)}"
    hint = f"define one under sources.{kind} in headroom.yaml"
    if known:
        message = f"{quote(kind)} could be {listed(known)}, and none of them is the default"
        hint = f"name one of them, or say which under sources.{kind}.default in headroom.yaml"
    intake.error("spec/unknown-source", message, fields.span("source"), hint=hint)
    return kind
