"""What an SLO promises (its objective and window), and what merely follows from a new promise."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from app.differences.model import Change, What
from app.differences.rules import Labels, Rule
from app.differences.texts import NUMBER, changed_numbers
from slo.naming import ERROR_BUDGET, INFO, OBJECTIVE, REVISION_START
from slo.records import dataclass

_CONSTANTS = frozenset({OBJECTIVE, ERROR_BUDGET})
_TERMS = ("objective", "window")
_DIGITS = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTerms:
    """What changes about an SLO's promise; what follows from it needs no mention of its own."""

    objective: Change | None
    window: Change | None

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the changes of the promise itself."""
        return tuple(each for each in (self.objective, self.window) if each is not None)

    def worth_telling(self, rules: Iterable[Rule]) -> list[Rule]:
        """Return the rules without those that say the same in other words."""
        silent = _CONSTANTS if self.objective is not None else frozenset()
        return [rule for rule in rules if rule.name not in silent]

    def explain(self, old: Rule, new: Rule) -> bool:
        """Whether a recording rule's new expression is the old one over the new window."""
        if not self.changes or new.is_alert:
            return False
        before = old.expression
        if self.window is not None:
            before = before.replace(f"[{self.window.old}]", f"[{self.window.new}]")
        return before == new.expression or changed_numbers(before, new.expression) is not None

    def labels(self, rule: Rule) -> Labels:
        """Return a rule's labels; those that carry the promise itself are told already."""
        if rule.name != INFO or not self.changes:
            return rule.labels
        return tuple(label for label in rule.labels if label[0] not in _TERMS)

    def annotations(self, rule: Rule, other: Rule) -> Labels:
        """Return a rule's annotations without those that differ in numbers alone."""
        if not self.changes:
            return rule.annotations
        others = {(key, _DIGITS.sub("0", text)) for key, text in other.annotations}
        return tuple(
            (key, text)
            for key, text in rule.annotations
            if (key, _DIGITS.sub("0", text)) not in others
        )


def new_terms(old: Iterable[Rule], new: Iterable[Rule]) -> NewTerms:
    """Return what changes about the promise between two generations of an SLO's rules."""
    before, after = list(old), list(new)
    return NewTerms(
        objective=_change(What.OBJECTIVE, _objective(before), _objective(after)),
        window=_change(What.WINDOW, _window(before), _window(after)),
    )


def without_revision_starts(old: list[Rule], new: list[Rule]) -> tuple[list[Rule], list[Rule]]:
    """Return the rules without those that only repeat the revision, if both sides have one."""
    if not all(any(rule.name == REVISION_START for rule in rules) for rules in (old, new)):
        return old, new
    before, after = (
        [rule for rule in rules if rule.name != REVISION_START] for rules in (old, new)
    )
    return before, after


def _change(what: What, old: str | None, new: str | None) -> Change | None:
    return None if old is None or new is None or old == new else Change(what=what, old=old, new=new)


def _objective(rules: Iterable[Rule]) -> str | None:
    found = next((rule.expression for rule in rules if rule.name == OBJECTIVE), None)
    if found is not None:
        return _percent(found)
    return _label(rules, "objective")


def _window(rules: Iterable[Rule]) -> str | None:
    return _label(rules, "window")


def _label(rules: Iterable[Rule], name: str) -> str | None:
    return next((dict(rule.labels).get(name) for rule in rules if rule.name == INFO), None)


def _percent(expression: str) -> str:
    """Return a constant expression such as `vector(0.999)` in percent, or as it is."""
    found = [match["number"] for match in NUMBER.finditer(expression) if match["number"]]
    try:
        return f"{(Decimal(found[0]) * 100).normalize():f}" if len(found) == 1 else expression
    except InvalidOperation:
        return expression
