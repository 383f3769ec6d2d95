"""What the builders of one load share: defaults, texts, templates and the problems so far."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from slo import nodes
from slo.nodes import Node, Scalar
from slo.places import place_within
from slo.problems import Problem, Span, error
from slo.workspace import Defaults


class Templates(Protocol):
    """A library of indicator templates."""

    def expand(
        self, name: str, with_node: Node | None, problems: list[Problem], span: Span
    ) -> nodes.Mapping | None:
        """Return the indicator that a template makes of parameters, or report why it cannot."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The context of one load; builders add to ``problems`` and return None for what is lost.

    ``texts`` holds the files by name. ``sources`` are the references that exist, empty when that
    is not known.
    """

    defaults: Defaults
    texts: Mapping[str, str]
    templates: Templates | None = None
    sources: Collection[str] = ()
    problems: list[Problem] = field(default_factory=list)

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

    def place(self, node: Node, start: int, end: int) -> Span:
        """Return the place of a value's characters from ``start`` to ``end`` in its file."""
        text = self.texts.get(node.span.file)
        if text is None or not isinstance(node, Scalar):
            return node.span
        return place_within(node, start, end, text)
