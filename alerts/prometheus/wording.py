"""What people read when an alert fires: summaries, descriptions and links.

Annotations are Go templates. Text of the user's own is kept from being one.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from alerts.prometheus.recorded import Recorded
from slo import naming
from slo.model import BurnPair, Latency, ServiceLevel
from slo.numerals import decimal_text
from slo.workspace import Links


class Wording:
    """The annotations of one service level's alerts."""

    def __init__(self, level: ServiceLevel, links: Links) -> None:
        self._level = level
        self._links = links
        self._recorded = Recorded(key=level.key)
        title = f"{level.app.title}: {level.slo.title or level.slo.name}"
        self._name = literal(f"{title} ({level.environment.name})")

    def burn(self, pair: BurnPair) -> Mapping[str, str]:
        """What burns, how fast, and how long the budget that is left lasts at this rate."""
        budget = self._level.slo.objective.error_budget
        rate = f"{self._recorded.latest(naming.error_ratio(pair.long))} / {decimal_text(budget)}"
        left = self._recorded.latest(naming.BUDGET_REMAINING)
        seconds = decimal_text(Fraction(self._level.slo.window.milliseconds, 1000))
        lasts = f"{left} * {seconds} / ({rate} > 0)"
        return self._with_links(
            f"{self._name} burns its error budget",
            f"{{{{ $value | humanizePercentage }}}} of events were bad in the last {pair.long}. "
            f"The budget of {self._level.slo.window} is burning "
            f"{_first(rate, 'humanize')} times as fast as it may "
            f"(alert at {float(pair.factor):.3g} over {pair.long} and {pair.short}). "
            f"Budget left: {_first(left, 'humanizePercentage')}; "
            f"at this rate it lasts {_first(lasts, 'humanizeDuration')}.",
        )

    def budget_left(self, share: Fraction) -> Mapping[str, str]:
        """A threshold of the remaining budget was crossed."""
        percent = decimal_text(share * 100)
        return self._with_links(
            f"{self._name} has at most {percent} % of its error budget left",
            f"{{{{ $value | humanizePercentage }}}} of the budget of {self._level.slo.window} is "
            "left. Deploys may be stopped when it is gone.",
        )

    def absent(self) -> Mapping[str, str]:
        """The indicator's series are gone."""
        return self._with_links(
            f"{self._name} is not measured any more",
            "The series this SLO counts existed within its window and are gone. Nothing is known "
            "about its events since. If that is meant, set `alerts: {absent: ignore}`.",
        )

    def incomplete(self) -> Mapping[str, str]:
        """Half of the indicator is missing."""
        return self._with_links(
            f"{self._name} counts all events but not the bad ones",
            "The rule that counts bad events fails or is refused, so this SLO cannot page. "
            "Look at the rule's health on the server's Rules page.",
        )

    def unproven(self) -> Mapping[str, str]:
        """The bad selector matches nothing."""
        return self._with_links(
            f"{self._name} has never seen a bad event",
            "There is traffic, but the selector of bad events has never matched a series. Check "
            "its metric and labels; if there really were none, set `proven: true`.",
        )

    def bucket_missing(self, latency: Latency) -> Mapping[str, str]:
        """The threshold is no bucket boundary."""
        return self._with_links(
            f"{self._name} has no bucket at its threshold",
            f"The histogram exists, but it has no bucket at {latency.threshold}, so every request "
            "counts as slow. Use a threshold that is a bucket boundary.",
        )

    def _with_links(self, summary: str, description: str) -> dict[str, str]:
        slo = self._level.slo
        runbook = slo.runbook or self._level.app.runbook
        links = {
            "runbook_url": runbook,
            "console_url": self._console(),
            "dashboard_url": self._dashboard(),
        }
        return {
            "summary": summary,
            "description": description,
            **{name: literal(url) for name, url in links.items() if url},
            **slo.alerts.annotations,
        }

    def _console(self) -> str | None:
        if self._links.console is None:
            return None
        key = self._level.key
        return f"{self._links.console.rstrip('/')}/app?app={key.app}&env={key.env}&slo={key.slo}"

    def _dashboard(self) -> str | None:
        if self._links.grafana is None:
            return None
        key = self._level.key
        uid = naming.dashboard_uid(key.app, key.env, naming.OVERVIEW)
        return f"{self._links.grafana.rstrip('/')}/d/{uid}"


def literal(text: str) -> str:
    """Text that a Go template prints as it stands."""
    return text.replace("{{", '{{ "{{" }}')


def _first(expr: str, function: str) -> str:
    """A template that asks the server for one number and writes it for people."""
    number = f"{{{{ . | first | value | {function} }}}}"
    return f"{{{{ with query `{expr}` }}}}{number}{{{{ else }}}}unknown{{{{ end }}}}"
