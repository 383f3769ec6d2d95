"""References from a specification to the workspace's sources."""

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.loader.words import listed
from slo.printable import quote


def source_reference(fields: Fields, intake: Intake) -> str | None:
    """Return the source that a record names; one that the workspace lacks is an error."""
    name = fields.get("source", str)
    if name is None or not intake.sources or name in intake.sources:
        return name
    intake.error(
        "spec/unknown-source",
        f"the workspace has no source {quote(name)}{intake.did_you_mean(name, intake.sources)}",
        fields.span("source"),
        hint=f"its sources are {listed(sorted(intake.sources))}",
    )
    return name
