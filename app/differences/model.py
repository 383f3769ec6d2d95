"""The words in which a difference between two generations of files is told."""

from enum import StrEnum

from slo.records import dataclass


class Fate(StrEnum):
    """What happens to a thing."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class What(StrEnum):
    """What about an SLO changes."""

    OBJECTIVE = "objective"
    WINDOW = "window"
    RULE_ADDED = "rule added"
    RULE_REMOVED = "rule removed"
    EXPRESSION = "expression"
    THRESHOLD = "threshold"
    TIMING = "timing"
    LABELS = "labels"
    ANNOTATIONS = "annotations"


class FileKind(StrEnum):
    """What a file holds, as far as its difference can be told."""

    RULES = "rules"
    DASHBOARD = "dashboard"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one rule, or of the objective or the window, which belong to no single rule."""

    what: What
    rule: str | None = None
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SloDifference:
    """What becomes of an SLO's rules; `rules` and `alerts` count them as they will be.

    For a removed SLO they count what was there.
    """

    app: str
    env: str
    slo: str
    fate: Fate
    rules: int
    alerts: int
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardDifference:
    """What becomes of a dashboard."""

    uid: str
    title: str
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDifference:
    """What becomes of a file."""

    path: str
    kind: FileKind
    fate: Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All differences between two generations of files, each part sorted."""

    slos: tuple[SloDifference, ...]
    dashboards: tuple[DashboardDifference, ...]
    files: tuple[FileDifference, ...]

    @property
    def is_empty(self) -> bool:
        """Whether the two generations are the same."""
        return not self.files
