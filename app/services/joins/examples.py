"""Examples that may be shown: what a collector would have taken out is taken out of them too."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from collectors.tagging.expressions import written
from collectors.tagging.masking import Masking, maskings
from collectors.tagging.model import Plan
from slo.collecting import MASK, SECRETS, Collecting

LONGEST = 300
"""How much of a record is shown."""

_CUT = 200
"""Sources give at least so much of a record."""

_KEY = re.compile("-----BEGIN [A-Z ]*PRIVATE KEY.*", re.DOTALL)


def masked(settings: Collecting) -> Callable[[str], str]:
    """Return what makes a text fit to be shown, by the workspace's patterns of secrets.

    The built-in patterns hold even where collectors are told to leave them out: a record that
    nobody tagged may not have gone through any.
    """
    plan = Plan(env="", streams=(), settings=settings, secrets=(*SECRETS, *settings.redact))
    replacements = [(_expression(each), each.mask) for each in maskings(plan)]

    def clean(text: str) -> str:
        # Half a secret looks like none: what a source may have cut off at its end is left out.
        whole = text if len(text) < _CUT else f"{text.rpartition(' ')[0]} …"
        return _replaced(_KEY.sub(MASK, whole), replacements)[:LONGEST]

    return clean


def _replaced(text: str, replacements: Sequence[tuple[re.Pattern[str], str]]) -> str:
    for pattern, mask in replacements:
        text = pattern.sub(lambda found, mask=mask: f"{found[1]}{mask}{found[2]}", text)  # type: ignore[misc]  # a default binds it
    return text


def _expression(masking: Masking) -> re.Pattern[str]:
    before, secret, after = (
        _python(part) if part else "" for part in (masking.before, masking.secret, masking.after)
    )
    return re.compile(f"({before})(?:{secret})({after})", re.ASCII)


def _python(pattern: str) -> str:
    return written(pattern, start=r"\A", end=r"\Z")
