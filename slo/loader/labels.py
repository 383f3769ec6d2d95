"""Labels of the user's own, which never replace those that Headroom sets."""

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.naming import RESERVED_LABELS
from slo.printable import quote


def own_labels(fields: Fields, key: str, intake: Intake) -> dict[str, str]:
    """Return the labels under a key; those that Headroom sets itself are errors."""
    for pair in fields.pairs(key, str):
        if pair.key.value in RESERVED_LABELS:
            intake.error(
                "spec/reserved-label",
                f"the label {quote(pair.key.value)} is set by Headroom itself",
                pair.key.span,
                hint="choose another name for a label of your own",
            )
    return fields.mapping(key, str)
