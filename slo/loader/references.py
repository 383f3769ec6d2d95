"""References from a specification to the workspace's sources."""

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.printable import quote
from slo.suggest import did_you_mean


def source_reference(fields: Fields, intake: Intake) -> str | None:
    """Return the source that a record names; one that the workspace lacks is an error."""
    name = fields.get("source", str)
    if name is None or not intake.sources or name in intake.sources:
        return name
    intake.error(
        "spec/unknown-source",
        f"the workspace has no source {quote(name)}{did_you_mean(name, intake.sources)}",
        fields.span("source"),
        hint=f"its sources are {', '.join(sorted(intake.sources))}",
    )
    return name
