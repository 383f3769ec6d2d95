r"""Secrets as replacements in a whole line, for collectors that mask before they parse.

A pattern that takes the name of a field out together with its value would leave a line of JSON
that nothing can read. Such patterns are split here, so that the name and the quotes stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from collectors.tagging.model import Plan
from slo.collecting import HIDDEN_FIELDS, MASK, SECRETS, Secret
from slo.records import dataclass

_KEYS = f"(?:{HIDDEN_FIELDS})"
_FIELD = f'"[A-Za-z0-9_.-]*{_KEYS}" *: *'
_PASSWORD = next(secret.pattern for secret in SECRETS if secret.name == "password")
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|(?P<group>\((?!\?))|.", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Masking:
    """A replacement: ``secret`` becomes ``mask`` where ``before`` and ``after`` stand around it.

    The three are regular expressions without capturing groups, for RE2 and PCRE.
    """

    name: str
    before: str
    secret: str
    after: str
    mask: str

    @property
    def pattern(self) -> str:
        """The whole expression; what stands around the secret is captured, where anything does."""
        around = (f"({part})" if part else "" for part in (self.before, self.after))
        return f"(?:{self.secret})".join(around)

    def replacement(self, reference: str) -> str:
        """What replaces a match; ``reference`` is a form for the number of a group."""
        numbers = iter((1, 2))
        before, after = (
            reference.format(next(numbers)) if part else "" for part in (self.before, self.after)
        )
        return f"{before}{self.mask}{after}"


def maskings(plan: Plan) -> tuple[Masking, ...]:
    """The replacements for the secrets of a plan, in the order in which they must be made."""
    return tuple(each for secret in plan.secrets for each in _of(secret))


def uncaptured(pattern: str) -> str:
    """A portable regular expression whose groups capture nothing."""
    return "".join(
        match.group() if match["group"] is None else "(?:" for match in _TOKEN.finditer(pattern)
    )


def _of(secret: Secret) -> Iterator[Masking]:
    if secret.pattern != _PASSWORD:
        yield _masking(secret.name, "", uncaptured(secret.pattern))
        return
    yield _masking(f"{secret.name}-field", f'{_FIELD}"', r'(?:[^"\\]|\\.)+', after='"')
    yield _masking(
        f"{secret.name}-number", _FIELD, "-?[0-9][0-9.eE+-]*", after="", mask=f'"{MASK}"'
    )
    # The quotes may be escaped: a message often holds JSON of its own.
    start = rf"{_KEYS}\\?[\"']? *[:=] *\\?[\"']?"
    yield _masking(secret.name, start, r"""(?:[^"'\s,;&}\\]|\\[^"'\s])+""")


def _masking(name: str, before: str, secret: str, *, after: str = "", mask: str = MASK) -> Masking:
    return Masking(name=name, before=before, secret=secret, after=after, mask=mask)
