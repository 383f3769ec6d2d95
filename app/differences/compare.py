"""Finding the differences."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from app.differences.model import (
    Change,
    DashboardDifference,
    Fate,
    FileDifference,
    FileKind,
    Report,
    SloDifference,
    What,
)
from app.differences.rules import Dashboard, Labels, Owner, Rule, read_dashboard, read_rules
from app.differences.terms import NewTerms, new_terms, without_revision_starts
from app.differences.texts import changed_numbers


def differences(old: Mapping[str, str], new: Mapping[str, str]) -> Report:
    """Compare two generations of files, given as texts by path."""
    paths = sorted(path for path in old.keys() | new.keys() if old.get(path) != new.get(path))
    before, after = _Contents(), _Contents()
    files = []
    for path in paths:
        kinds = [
            contents.add(path, texts[path])
            for contents, texts in ((before, old), (after, new))
            if path in texts
        ]
        files.append(FileDifference(path=path, kind=kinds[-1], fate=_fate(path, old, new)))
    return Report(
        slos=tuple(_slos(before.rules, after.rules)),
        dashboards=tuple(_dashboards(before.dashboards, after.dashboards)),
        files=tuple(files),
    )


class _Contents:
    """What the differing files of one generation hold."""

    def __init__(self) -> None:
        # The same rule in the files of two layouts is told once.
        self.rules: dict[Owner, dict[Rule, None]] = defaultdict(dict)
        self.dashboards: dict[str, tuple[Dashboard, str]] = {}

    def add(self, path: str, text: str) -> FileKind:
        if path.endswith((".yaml", ".yml")):
            rules = read_rules(text)
            for rule in rules or ():
                self.rules[rule.owner][rule] = None
            return FileKind.OTHER if rules is None else FileKind.RULES
        dashboard = read_dashboard(text) if path.endswith(".json") else None
        if dashboard is None:
            return FileKind.OTHER
        self.dashboards[dashboard.uid] = (dashboard, text)
        return FileKind.DASHBOARD


def _fate(key: str, old: Mapping[str, object], new: Mapping[str, object]) -> Fate:
    if key not in old:
        return Fate.ADDED
    return Fate.CHANGED if key in new else Fate.REMOVED


def _dashboards(
    old: Mapping[str, tuple[Dashboard, str]], new: Mapping[str, tuple[Dashboard, str]]
) -> Iterator[DashboardDifference]:
    for uid in sorted(old.keys() | new.keys()):
        if old.get(uid) != new.get(uid):
            dashboard, _ = new[uid] if uid in new else old[uid]
            yield DashboardDifference(uid=uid, title=dashboard.title, fate=_fate(uid, old, new))


def _slos(
    old: Mapping[Owner, Iterable[Rule]], new: Mapping[Owner, Iterable[Rule]]
) -> Iterator[SloDifference]:
    for owner in sorted(old.keys() | new.keys()):
        before, after = list(old.get(owner, ())), list(new.get(owner, ()))
        if before and after:
            changes, fate = tuple(_changes(before, after)), Fate.CHANGED
            if not changes:
                continue
        else:
            changes, fate = (), Fate.ADDED if after else Fate.REMOVED
        rules = after or before
        alerts = sum(rule.is_alert for rule in rules)
        app, env, slo = owner
        yield SloDifference(
            app=app,
            env=env,
            slo=slo,
            fate=fate,
            rules=len(rules) - alerts,
            alerts=alerts,
            changes=changes,
        )


def _changes(old: list[Rule], new: list[Rule]) -> Iterator[Change]:
    terms = new_terms(old, new)
    yield from terms.changes
    old, new = without_revision_starts(terms.worth_telling(old), terms.worth_telling(new))
    for before, after in _pairs(old, new):
        if before is not None and after is not None:
            yield from _rule_changes(before, after, terms)
        elif after is not None:
            yield Change(what=What.RULE_ADDED, rule=after.title, new=after.expression)
        elif before is not None:
            yield Change(what=What.RULE_REMOVED, rule=before.title, old=before.expression)


def _pairs(old: list[Rule], new: list[Rule]) -> Iterator[tuple[Rule | None, Rule | None]]:
    """Yield each rule with its successor; equal ones are left out, the rest meet in order."""
    same = set(old) & set(new)
    keys = dict.fromkeys(rule.key for rule in (*old, *new))
    for key in keys:
        sides = [
            [rule for rule in rules if rule.key == key and rule not in same] for rules in (old, new)
        ]
        yield from zip_longest(*sides)


def _rule_changes(old: Rule, new: Rule, terms: NewTerms) -> Iterator[Change]:
    title = new.title
    if old.expression != new.expression and not terms.explain(old, new):
        numbers = changed_numbers(old.expression, new.expression)
        if numbers is None:
            yield Change(what=What.EXPRESSION, rule=title, old=old.expression, new=new.expression)
        else:
            yield Change(what=What.THRESHOLD, rule=title, old=numbers[0], new=numbers[1])
    for what, before, after in (
        (What.TIMING, old.timing, new.timing),
        (What.LABELS, terms.labels(old), terms.labels(new)),
        (What.ANNOTATIONS, terms.annotations(old, new), terms.annotations(new, old)),
    ):
        if before != after:
            yield Change(what=what, rule=title, old=_only(before, after), new=_only(after, before))


def _only(labels: Labels, others: Labels) -> str | None:
    """Return the labels that the others lack or hold with another value."""
    return (
        ", ".join(f"{key}={value}" for key, value in labels if (key, value) not in others) or None
    )
