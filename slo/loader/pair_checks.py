"""Which window pairs an SLO can use, and what to say of the others."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from slo.loader.intake import Intake
from slo.loader.slos import DraftSlo
from slo.loader.words import listed
from slo.model import App, ServiceLevel
from slo.problems import Problem, Severity, Span, error, warning
from slo.windows import Catalogue, UsablePairs, usable_pairs


def check_pairs(app: App, drafts: Sequence[DraftSlo], intake: Intake) -> None:
    """Report the pairs of every SLO that cannot be used, and in which environments.

    One that the SLO brings along is an error; one of the catalogue is left out with a note.
    """
    usable = _Usable(intake.defaults.catalogue)
    levels: dict[str, list[ServiceLevel]] = defaultdict(list)
    for level in app.levels():
        levels[level.slo.name].append(level)
    for draft in drafts:
        found: dict[_Finding, list[str]] = defaultdict(list)
        for level in levels[draft.slo.name]:
            for finding in _findings(draft, level, usable.of(level)):
                found[finding].append(level.environment.name)
        everywhere = len(levels[draft.slo.name])
        for (severity, reason, span), names in found.items():
            where = "" if len(names) == everywhere else f" in {listed(names)}"
            intake.problems.append(_problem(draft, severity, f"{reason}{where}", span))


class _Usable:
    """The usable pairs of service levels; most of an app's differ in nothing that decides them."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[object, UsablePairs] = {}

    def of(self, level: ServiceLevel) -> UsablePairs:
        slo = level.slo
        key = (slo.objective, slo.window, slo.indicator.scrape_interval, slo.pairs)
        if key not in self._known:
            self._known[key] = usable_pairs(level, self._catalogue)
        return self._known[key]


_Finding = tuple[Severity, str, Span | None]


def _findings(draft: DraftSlo, level: ServiceLevel, usable: UsablePairs) -> Iterator[_Finding]:
    own = level.slo.pairs
    for dropped in usable.dropped:
        if own is not None and draft.pairs is not None:
            # Both stand in the order of the file.
            yield Severity.ERROR, dropped.reason, draft.pairs[own.index(dropped.pair)].span
        else:
            yield Severity.NOTE, dropped.reason, level.slo.span
    alerts = level.slo.alerts
    if own is None and not usable.pairs and (alerts.page.enabled or alerts.ticket.enabled):
        yield Severity.WARNING, "no window pair is left", level.slo.span


def _problem(draft: DraftSlo, severity: Severity, reason: str, span: Span | None) -> Problem:
    name = draft.slo.name
    if severity is Severity.ERROR:
        return error("spec/bad-pair", reason, span)
    if severity is Severity.WARNING:
        message = f"the burn of SLO {name} alerts nobody: {reason}"
        hint = "write pairs that fit it, under alerts: windows"
        return warning("spec/no-burn-alert", message, span, hint=hint)
    message = f"SLO {name} does without a pair of the catalogue: {reason}"
    return Problem(id="spec/dropped-pair", severity=severity, message=message, span=span)
