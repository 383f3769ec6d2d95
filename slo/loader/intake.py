"""What the builders of one load share: defaults, texts, templates and the problems so far."""

from collections.abc import Collection, Mapping
from dataclasses import field
from typing import Protocol

from slo import nodes
from slo.nodes import Node, Scalar
from slo.places import place_within
from slo.problems import Problem, Span, error
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.workspace import Defaults

# Looking for the word that was meant is slow; a load with more mistakes has other worries.
_SUGGESTIONS = 50
_CANDIDATES = 2000


class Templates(Protocol):
    """A library of indicator templates."""

    def expand(
        self, name: str, with_node: Node | None, problems: list[Problem], span: Span
    ) -> nodes.Mapping | None:
        """Return the indicator that a template makes of parameters, or report why it cannot."""
        ...


@dataclass(slots=True)
class Allowance:
    """How many more suggestions one load may look for."""

    left: int = _SUGGESTIONS

    def take(self) -> bool:
        """Use one up; False when none is left."""
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The context of one load; builders add to ``problems`` and return None for what is lost.

    ``texts`` holds the files by name. ``sources`` are the references that exist, empty when that
    is not known; ``default_sources`` has for a kind the one that the kind alone stands for.
    """

    defaults: Defaults
    texts: Mapping[str, str]
    templates: Templates | None = None
    sources: Collection[str] = ()
    default_sources: Mapping[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    suggestions: Allowance = field(default_factory=Allowance)

    def error(
        self,
        id_: str,
        message: str,
        span: Span,
        *,
        hint: str | None = None,
        related: tuple[tuple[Span, str], ...] = (),
    ) -> None:
        """Report what keeps the document from being used."""
        self.problems.append(error(id_, message, span, hint=hint, related=related))

    def did_you_mean(self, word: str, known: Collection[str]) -> str:
        """Return `; did you mean "…"?` to follow a message, or nothing."""
        if len(known) > _CANDIDATES or not self.suggestions.take():
            return ""
        return did_you_mean(word, known)

    def place(self, node: Node, start: int, end: int) -> Span:
        """Return the place of a value's characters from ``start`` to ``end`` in its file."""
        text = self.texts.get(node.span.file)
        if text is None or not isinstance(node, Scalar):
            return node.span
        return place_within(node, start, end, text)
