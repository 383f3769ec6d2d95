"""The shape of the workspace's receivers, from the table of their kinds."""

from slo._shape import NotRead
from slo.fields import Pair
from slo.loader.leaves import RECEIVER, VALUE
from slo.nodes import Node
from slo.problems import Problem
from slo.receivers import RECEIVER_KINDS, Form, ReceiverKind
from slo.records import dataclass
from slo.shape import Field, Flag, Integer, MapOf, Record, Shape, Text, Url

_LOOSE = MapOf(key=Text(max_length=64), shape=MapOf(key=Text(max_length=64), shape=VALUE))
_SHAPES: dict[Form, Shape[object]] = {
    Form.TEXT: VALUE,
    Form.FILE: Text(pattern="(?!.*://).*", form=Form.FILE.value),
    Form.URL: Url(),
    Form.HOST_PORT: Text(),
    Form.FLAG: Flag(),
    Form.NUMBER: Integer(),
}

Settings = tuple[Pair[tuple[Pair[str], ...]], ...]
"""The kinds of one receiver (there should be one), each with its settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverShape(Shape[Settings]):
    """One receiver: its kind with its settings.

    Read loosely, since `slo.receivers` judges kinds and settings with better words; the schema
    says all that its table says.
    """

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a mapping"

    def read(self, node: Node, problems: list[Problem]) -> Settings | NotRead:
        """Return the kinds and settings as they are written."""
        return _LOOSE.read(node, problems)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of an object with exactly one of the kinds."""
        kinds = {name: _record(kind).json_schema() for name, kind in RECEIVER_KINDS.items()}
        return self.described(
            {
                "type": "object",
                "properties": kinds,
                "additionalProperties": False,
                "minProperties": 1,
                "maxProperties": 1,
            }
        )


RECEIVERS = MapOf(
    description="Who can be told of alerts, by the names that apps have under contacts.",
    key=RECEIVER,
    shape=ReceiverShape(description="A receiver: its kind with its settings."),
)


def _record(kind: ReceiverKind) -> Record:
    return Record(
        description=f"A receiver of the kind {kind.name}.",
        fields={
            setting.key: Field(
                shape=_SHAPES[setting.form],
                required=setting.required,
                description=f"{setting.form.value.capitalize()}.",
            )
            for setting in kind.settings
        },
        exactly_one_of=(kind.one_of,) if kind.one_of else (),
    )
