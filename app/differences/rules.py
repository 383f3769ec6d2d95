"""Rules as far as comparing them needs it, read from the files of any layout."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping

import yaml

from slo.naming import APP, ENV, SLO
from slo.records import dataclass

_DEEPEST_BRACKETS = 100
_DEEPEST_LINE = re.compile(r"^[\s?:-]{200}", re.MULTILINE)
_BRACKET = re.compile(r"[\[\]{}]")

Owner = tuple[str, str, str]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A recording or alerting rule; `owner` is its app, environment and SLO."""

    owner: Owner
    name: str
    is_alert: bool
    expression: str
    labels: Labels
    annotations: Labels
    timing: Labels

    @property
    def key(self) -> tuple[bool, str, str | None, str | None]:
        """Return what tells a rule from the others of its SLO, whatever else changes."""
        labels = dict(self.labels)
        return (self.is_alert, self.name, labels.get("long"), labels.get("short"))

    @property
    def title(self) -> str:
        """Return how people name the rule: `alert ErrorBudgetBurn (1h, 5m)`."""
        _, name, long, short = self.key
        windows = ", ".join(window for window in (long, short) if window)
        return f"{'alert ' if self.is_alert else ''}{name}{f' ({windows})' if windows else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A Grafana dashboard as its identity."""

    uid: str
    title: str


def read_rules(text: str) -> tuple[Rule, ...] | None:
    """Return the rules of a YAML file, or None if it is not one that holds rule groups."""
    if _is_too_deep(text):
        return None
    try:
        # Every scalar stays text, digits and all, which is what a comparison wants.
        documents = list(yaml.load_all(text, Loader=yaml.CBaseLoader))
    except yaml.YAMLError:
        return None
    groups = [_groups(document) for document in documents if document is not None]
    if not groups or any(found is None for found in groups):
        return None
    return tuple(rule for found in groups for group in _once(found or ()) for rule in _rules(group))


def read_dashboard(text: str) -> Dashboard | None:
    """Return the dashboard that a JSON file holds, or None if it holds none."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not isinstance(data.get("uid"), str):
        return None
    title = data.get("title")
    return Dashboard(uid=data["uid"], title=title if isinstance(title, str) else "")


def _is_too_deep(text: str) -> bool:
    """Tell whether nesting might be deep enough to crash libyaml's loader, which recurses."""
    depth = 0
    for match in _BRACKET.finditer(text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST_BRACKETS:
            return True
    return _DEEPEST_LINE.search(text) is not None


def _groups(document: object) -> list[object] | None:
    """Return the groups of a rule file, or of a PrometheusRule, which has them below `spec`."""
    if not isinstance(document, dict):
        return None
    holder = document.get("spec", document)
    groups = holder.get("groups") if isinstance(holder, dict) else None
    return groups if isinstance(groups, list) else None


def _once(items: Iterable[object]) -> Iterator[object]:
    """Yield each object once: a million aliases of a group are still that one group."""
    return iter({id(item): item for item in items}.values())


def _rules(group: object) -> Iterator[Rule]:
    rules = group.get("rules") if isinstance(group, dict) else None
    if not isinstance(group, dict) or not isinstance(rules, list):
        return
    named = _text(group.get("name"))
    parts = named.split("/")
    from_name = parts[:3] if len(parts) > 3 else ["", "", named]  # noqa: PLR2004 - app/env/slo/part
    for rule in _once(rules):
        if isinstance(rule, dict):
            yield _rule(rule, dict(zip((APP, ENV, SLO), from_name, strict=True)), group)


def _rule(
    rule: Mapping[object, object], owner: Mapping[str, str], group: Mapping[object, object]
) -> Rule:
    labels = dict(_pairs(rule.get("labels")))
    timing = {
        "interval": group.get("interval"),
        "query_offset": group.get("query_offset"),
        "for": rule.get("for"),
        "keep_firing_for": rule.get("keep_firing_for"),
    }
    return Rule(
        owner=(
            labels.get(APP, owner[APP]),
            labels.get(ENV, owner[ENV]),
            labels.get(SLO, owner[SLO]),
        ),
        name=_text(rule.get("alert", rule.get("record"))),
        is_alert="alert" in rule,
        expression=" ".join(_text(rule.get("expr")).split()),
        labels=tuple(labels.items()),
        annotations=_pairs(rule.get("annotations")),
        timing=_pairs({key: value for key, value in timing.items() if value is not None}),
    )


def _pairs(mapping: object) -> Labels:
    if not isinstance(mapping, Mapping):
        return ()
    return tuple(sorted((_text(key), _text(value)) for key, value in mapping.items()))


def _text(value: object) -> str:
    """Return a scalar; a list or mapping, which no rule holds here, is not written out."""
    return value if isinstance(value, str) else ""
