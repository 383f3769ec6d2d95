"""Which alerts keep quiet while a louder one fires."""

from collections.abc import Mapping

from alerts.alertmanager.matchers import ALERT_NAME, SEVERITY, equals, one_of, present
from slo.model import AlertSeverity
from slo.naming import ALERT_BURN, ALERT_LEFT, IDENTITY_LABELS

_QUIET = (ALERT_BURN, ALERT_LEFT)


def inhibit_rules() -> list[dict[str, object]]:
    """Return the rules: a page for a burning budget keeps the tickets about the same budget quiet.

    Tickets about missing or incomplete data stay loud: they say whether the page can be believed.
    """
    return [
        {
            "source_matchers": [
                equals(ALERT_NAME, ALERT_BURN),
                equals(SEVERITY, AlertSeverity.PAGE),
                # Labels that both sides lack count as equal.
                *(present(label) for label in IDENTITY_LABELS),
            ],
            "target_matchers": [
                one_of(ALERT_NAME, _QUIET),
                equals(SEVERITY, AlertSeverity.TICKET),
            ],
            "equal": list(IDENTITY_LABELS),
        }
    ]


def inhibits(source: Mapping[str, str], target: Mapping[str, str]) -> bool:
    """Tell whether an alert that fires keeps another one quiet, by the rules above."""
    return (
        source.get(ALERT_NAME) == ALERT_BURN
        and source.get(SEVERITY) == AlertSeverity.PAGE
        and target.get(ALERT_NAME) in _QUIET
        and target.get(SEVERITY) == AlertSeverity.TICKET
        and all(source.get(label) for label in IDENTITY_LABELS)
        and all(source.get(label) == target.get(label) for label in IDENTITY_LABELS)
    )
