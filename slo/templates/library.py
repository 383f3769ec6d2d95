"""The templates an installation has: those that come with Headroom, and its own."""

from collections.abc import Iterable
from collections.abc import Mapping as MappingOf
from importlib import resources
from typing import Self

from slo.nodes import Mapping, Node, Scalar
from slo.printable import quote
from slo.problems import Problem, Span, error, in_order
from slo.records import dataclass
from slo.source import parse_documents
from slo.suggest import suggest
from slo.templates.template import Template, read_template

_BUILT_IN = "<built-in>/"
_OURS = "headroom/"


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateLibrary:
    """Indicator templates by name."""

    templates: MappingOf[str, Template]

    @classmethod
    def built_in(cls) -> Self:
        """Return the templates that come with Headroom; reads the packaged files at each call."""
        folder = resources.files("slo.templates") / "data"
        files = {
            f"{_BUILT_IN}{each.name}": each.read_text(encoding="utf-8")
            for each in folder.iterdir()
            if each.name.endswith(".yaml")
        }
        library, problems = cls(templates={}).load(files)
        if problems:
            raise ValueError(f"a packaged template is broken: {problems[0].message}")
        return library

    def load(self, files: MappingOf[str, str]) -> tuple[Self, tuple[Problem, ...]]:
        """Return the library with the templates of further files, and every problem in them.

        `files` holds texts by the name that problems show. Documents that are not Headroom's are
        passed over. A name that is taken stays with the template that has it.
        """
        templates, problems = dict(self.templates), list[Problem]()
        for template in _read(files, problems):
            first = templates.setdefault(template.name, template)
            if first is not template:
                problems.append(_taken(first, template))
        ordered = {name: templates[name] for name in sorted(templates)}
        return type(self)(templates=ordered), in_order(problems)

    def names(self) -> tuple[str, ...]:
        """Return the names of all templates, sorted."""
        return tuple(self.templates)

    def describe(self, name: str) -> Template:
        """Return a template with its parameters; raises `KeyError` for a name that is not there."""
        return self.templates[name]

    def expand(
        self, name: str, with_node: Node | None, problems: list[Problem], span: Span
    ) -> Mapping | None:
        """Return the `indicator` mapping that a use of a template stands for.

        `with_node` holds the parameters. `span` is the place of the template's name in the app file
        and becomes the place of all that the template made, so that problems with its queries point
        there. Nothing is returned when the template is unknown or its parameters do not fit.
        """
        template = self.templates.get(name)
        if template is None:
            problems.append(self._unknown(name, span))
            return None
        if with_node is None or _is_null(with_node):
            return template.expand(span, None, problems)
        if not isinstance(with_node, Mapping):
            message = "expected a mapping of parameters"
            problems.append(error("spec/wrong-type", message, with_node.span))
            return None
        return template.expand(span, with_node, problems)

    def _unknown(self, name: str, span: Span) -> Problem:
        meant = suggest(name, self.templates)
        ending = "" if meant is None else f'; did you mean "{meant}"?'
        known = ", ".join(self.templates) or "none"
        hint = f"known here: {known}" if meant is None else None
        message = f"there is no indicator template {quote(name)}{ending}"
        return error("spec/unknown-template", message, span, hint=hint)


def _read(files: MappingOf[str, str], problems: list[Problem]) -> Iterable[Template]:
    for name in sorted(files):
        documents, found = parse_documents(files[name], name)
        problems += found
        for document in documents:
            if isinstance(document.root, Mapping) and _is_ours(document.root):
                template = read_template(document.root, problems)
                if template is not None:
                    yield template


def _is_ours(root: Mapping) -> bool:
    version = root.get("apiVersion")
    return isinstance(version, Scalar) and version.text.startswith(_OURS)


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_null


def _taken(first: Template, second: Template) -> Problem:
    name = quote(second.name)
    if first.span.file.startswith(_BUILT_IN):
        message = f"the template {name} is built in; give yours another name"
    else:
        message = f"the template {name} is defined twice"
    related = ((first.span, "first defined here"),)
    return error("template/duplicate-name", message, second.span, related=related)
