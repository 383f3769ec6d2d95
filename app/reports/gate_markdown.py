"""The answer of ``headroom gate`` as Markdown, for step summaries and merge requests.

Every text that comes from outside is escaped: it can make no link, no image, no HTML, no table
cell and no command of a CI system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.reports.gate_words import SIGNS, VERDICTS, origin, remedies, ways_out
from slo.gate.decision import Decision
from slo.gate.numbers import instant
from slo.model import Contacts
from slo.printable import printable

_MARKS = re.compile(
    r"""[\\`*_\[\]|~!\#$]   # emphasis, links, images, cells, formulas, references to issues
    |(?<=:)/|(?<=www)\.     # what makes a bare address a link
    |^[-+=]|(?<=^\d)[.)]    # what starts a list or a heading
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def gate_markdown(decision: Decision, *, contacts: Contacts | None = None) -> str:
    """The verdict, a table of the rules, what would turn it, and who can say so."""
    subject = decision.subject
    where = f"{escape(subject.app)} to {escape(subject.environment)}"
    lines = [
        f"## {VERDICTS[decision.effect]}: {where}",
        "",
        escape(decision.summary),
        "",
        "| | rule | finding |",
        "|---|---|---|",
        *(
            f"| {SIGNS[result.outcome]} | {escape(result.id)} | {escape(result.message)} |"
            for result in decision.rules
        ),
        *_section("Notes", (*decision.notes, *_finding_notes(decision))),
        *_section("What would turn it", decision.turns),
        *_section("What to do", remedies(decision)),
        *_section("Who can say so", ways_out(decision, contacts)),
        "",
        _footer(decision),
    ]
    return "\n".join(lines) + "\n"


def _footer(decision: Decision) -> str:
    since, until = instant(decision.evaluated_at), instant(decision.expires_at)
    by = escape(origin(decision))
    return f"Decided by {by} at {since}, good until {until}. Decision {escape(decision.id)}."


def escape(text: str) -> str:
    """The text as Markdown that shows it and does nothing else."""
    marked = _MARKS.sub(r"\\\g<0>", printable(text))
    return re.sub(r"[&<>@]", lambda found: _ENTITIES[found[0]], marked)


def _section(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield from ("", f"### {title}", "")
        yield from (f"- {escape(item)}" for item in items)


def _finding_notes(decision: Decision) -> tuple[str, ...]:
    notes = [note for result in decision.rules for each in result.findings for note in each.notes]
    return tuple(dict.fromkeys(notes))
