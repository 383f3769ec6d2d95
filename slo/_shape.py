"""What every shape is: a form of data that reads nodes strictly and describes itself."""

from abc import ABC, abstractmethod
from enum import Enum
from typing import Final, Generic, Literal, TypeVar

from slo.nodes import Dangling, Mapping, Node, Scalar, Sequence, Style
from slo.printable import quote
from slo.problems import Problem, error
from slo.records import dataclass

T_co = TypeVar("T_co", covariant=True)


class Unreadable(Enum):
    """The type of `UNREADABLE`, which stands for a value whose problem is already reported."""

    UNREADABLE = "unreadable"


UNREADABLE: Final = Unreadable.UNREADABLE
"""What `read` returns for a node that does not have the shape."""

NotRead = Literal[Unreadable.UNREADABLE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape(ABC, Generic[T_co]):
    """A form of data; the reader and the JSON Schema come from the same one, so they agree."""

    description: str = ""

    @property
    @abstractmethod
    def wanted(self) -> str:
        """Return what is wanted, to follow "expected": `a duration such as 30d`."""

    @abstractmethod
    def read(self, node: Node, problems: list[Problem]) -> T_co | NotRead:
        """Return the node's value, or `UNREADABLE`; append every problem found on the way."""

    @abstractmethod
    def json_schema(self) -> dict[str, object]:
        """Return the shape in JSON Schema, draft 2020-12."""

    def described(self, schema: dict[str, object]) -> dict[str, object]:
        """Return the schema with this shape's description, if it has one."""
        return {**schema, "description": self.description} if self.description else schema

    def refuse(self, node: Node, problems: list[Problem], *, hint: str | None = None) -> NotRead:
        """Report that the node is missing or of the wrong type.

        A dangling alias has been reported; its problem is told once more rather than another one.
        """
        if isinstance(node, Dangling):
            problem = node.problem
        elif isinstance(node, Scalar) and node.is_null:
            problem = error(
                "spec/missing-value", f"expected {self.wanted}, found nothing", node.span, hint=hint
            )
        else:
            problem = error(
                "spec/wrong-type",
                f"expected {self.wanted}, found {found(node)}",
                node.span,
                hint=hint,
            )
        problems.append(problem)
        return UNREADABLE


def found(node: Node) -> str:
    """Return what a node is, for a message: `a list`, `a mapping`, `"text"`."""
    if isinstance(node, Sequence):
        return "a list"
    if isinstance(node, Mapping):
        return "a mapping"
    quoted = node.style is not Style.PLAIN
    return f"the text {quote(node.text)}" if quoted else quote(node.text)
