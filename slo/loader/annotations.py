"""Annotations of alerts: text with Prometheus's templates in it, of the kinds that cannot fail."""

import re

from slo.fields import Fields
from slo.loader.intake import Intake
from slo.printable import quote

_VALUE = r"(?:\$value|\.Value|\$labels\.[a-zA-Z_]\w*|\.Labels\.[a-zA-Z_]\w*|\$externalURL)"
_FUNCTION = (
    r"(?:humanize|humanize1024|humanizeDuration|humanizePercentage|humanizeTimestamp|title|toUpper"
    r'|toLower|printf "[^"\\{}]*")'
)
_ACTION = re.compile(rf"-?\s*{_VALUE}(?:\s*\|\s*{_FUNCTION})*\s*-?")
_BRACES = re.compile(r"\{\{(?P<action>.*?)\}\}|(?P<open>\{\{)", re.DOTALL)


def own_annotations(fields: Fields, key: str, intake: Intake) -> dict[str, str]:
    """Return annotations; a template that a server might refuse is an error.

    One bad template keeps Prometheus from loading the whole file, so only those are taken that
    print a label or the value, piped into the functions that format them.
    """
    for pair in fields.pairs(key, str):
        for match in _BRACES.finditer(pair.value.value):
            action = match["action"]
            if action is not None and _ACTION.fullmatch(action.strip()):
                continue
            what = "is never closed" if action is None else "is not one that alerts can use"
            intake.error(
                "spec/bad-template",
                f"the template in {quote(pair.key.value)} {what}: {quote(match.group())}",
                pair.value.span,
                hint="print $value or $labels.NAME, as in {{ $value | humanizePercentage }}",
            )
    return fields.mapping(key, str)
