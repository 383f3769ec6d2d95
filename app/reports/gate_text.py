"""The answer of ``headroom gate`` for people at a terminal or reading a job's log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from app.reports.gate_words import SIGNS, VERDICTS, origin, remedies, ways_out
from slo.gate.decision import Decision, RuleResult
from slo.gate.findings import Effect, Finding, Outcome
from slo.gate.numbers import instant
from slo.model import Contacts
from slo.printable import printable

_COLORS = {
    Effect.ALLOW: "\x1b[32m",
    Effect.WARN: "\x1b[33m",
    Effect.INDETERMINATE: "\x1b[35m",
    Effect.DENY: "\x1b[31m",
}
_BOLD, _END = "\x1b[1m", "\x1b[0m"
_SIGN = max(map(len, SIGNS.values()))
_NAME = 16
_DIGEST = len("sha256:") + 12


def gate_text(
    decision: Decision,
    *,
    contacts: Contacts | None = None,
    width: int = 80,
    color: bool = False,
) -> str:
    """The verdict, a line for each rule, what would turn it, and who can say so."""
    page = _Page(width=max(60, width), color=color)
    parts = [
        page.verdict(decision),
        *page.rules(decision.rules),
        *page.section("note", decision.notes),
        *page.section("what would turn it", decision.turns),
        *page.section("what to do", remedies(decision)),
        *page.section("who can say so", ways_out(decision, contacts)),
        "",
        *page.footer(decision),
    ]
    return "\n".join(parts) + "\n"


class _Page:
    def __init__(self, *, width: int, color: bool) -> None:
        self._width = width
        self._color = color

    def verdict(self, decision: Decision) -> str:
        ink = _BOLD + _COLORS[decision.effect]
        word = self._paint(VERDICTS[decision.effect], ink)
        lines = self._wrapped(decision.summary, "  ")
        return "\n".join([word, *lines, ""])

    def rules(self, results: Sequence[RuleResult]) -> Iterator[str]:
        """Yield a line for each rule, and below it what else is worth knowing of it."""
        name = min(_NAME, max(len(result.id) for result in results))
        indent = " " * (_SIGN + name + 6)
        for result in results:
            sign = self._paint(SIGNS[result.outcome].rjust(_SIGN), _COLORS[result.effect])
            lines = self._wrapped(result.message, indent)
            if len(result.id) > name:
                lines.insert(0, indent)
            yield f"  {sign}  {result.id.ljust(name)}  {lines[0][len(indent) :]}".rstrip()
            yield from lines[1:]
            yield from self._findings(result, indent)

    def _findings(self, result: RuleResult, indent: str) -> Iterator[str]:
        """Yield the other findings that speak against the change, and notes."""
        for number, found in enumerate(result.findings):
            if number and (found.effect is not Effect.ALLOW or found.outcome is Outcome.FAIL):
                text = f"{SIGNS[found.outcome]}: {found.message}"
                yield from self._wrapped(text, f"{indent}  ", bullet="- ")
        for note in _notes(result.findings):
            yield from self._wrapped(note, f"{indent}  ", bullet="- ")

    def section(self, title: str, items: Sequence[str]) -> Iterator[str]:
        if not items:
            return
        yield ""
        yield self._paint(title, _BOLD)
        for item in items:
            yield from self._wrapped(item, "    ", bullet="- ")

    def footer(self, decision: Decision) -> Iterator[str]:
        yield from self._wrapped(
            f"by {origin(decision)}, {decision.policy.digest[:_DIGEST]}; "
            f"at {instant(decision.evaluated_at)}, good until {instant(decision.expires_at)}",
            "",
        )
        record = "" if decision.audit is None else f", record {decision.audit.seq}"
        yield f"decision {decision.id}{record}"

    def _wrapped(self, text: str, indent: str, *, bullet: str = "") -> list[str]:
        start = indent[: len(indent) - len(bullet)] + bullet
        return wrap(
            printable(text),
            self._width,
            initial_indent=start,
            subsequent_indent=indent,
            break_on_hyphens=False,
        ) or [start.rstrip()]

    def _paint(self, text: str, ink: str) -> str:
        return f"{ink}{text}{_END}" if self._color else text


def _notes(findings: Sequence[Finding]) -> Iterator[str]:
    """Every note once, with the SLOs it is about where there are several."""
    about: dict[str, list[str]] = {}
    for found in findings:
        for note in found.notes:
            about.setdefault(note, []).append(found.slo or "")
    for note, slos in about.items():
        names = ", ".join(filter(None, dict.fromkeys(slos)))
        yield f"{names}: {note}" if names and len(findings) > 1 else note
