"""Shapes of the small values that several kinds of documents share."""

from decimal import Decimal

from slo.loader.documents import API_VERSION
from slo.shape import Choice, DurationText, Field, ListOf, MapOf, Number, Record, Shape, Text
from slo.units import Duration
from slo.workspace import EXTERNAL_KINDS

_NAME = "[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"

NAME = Text(
    pattern=_NAME,
    form="a name: lowercase letters, digits and hyphens, no hyphen first or last",
    max_length=40,
)
"""The name of an app, an SLO, an environment: it becomes a label, a file and a Grafana uid."""

LABEL_NAME = Text(
    pattern="(?!__)[a-zA-Z_][a-zA-Z0-9_]*",
    form="a label name: letters, digits and underscores, neither a digit nor __ first",
    max_length=128,
)

METRIC_NAME = Text(
    pattern="[a-zA-Z_:][a-zA-Z0-9_:]*",
    form="a metric name: letters, digits, underscores and colons, no digit first",
    max_length=256,
)

RECEIVER = Text(
    pattern="[A-Za-z0-9](?:[-A-Za-z0-9_. ]*[A-Za-z0-9])?",
    form="a receiver's name: letters, digits and - _ . in between",
    max_length=128,
)

VALUE = Text(literal=True)
"""A value of the user's own: `1` and `no` stay the text they are."""

LABELS = MapOf(key=LABEL_NAME, shape=VALUE)

ANNOTATION_KEY = Text(
    pattern="[a-zA-Z0-9](?:[-a-zA-Z0-9_./]*[a-zA-Z0-9])?",
    form="an annotation's key: letters, digits and - _ . / in between",
    max_length=128,
)
ANNOTATIONS = MapOf(key=ANNOTATION_KEY, shape=Text(literal=True, multiline=True))

PROSE = Text(multiline=True)
"""Text for people, on as many lines as it takes."""

FILE_PATH = Text(max_length=1024)

SOURCE_REFERENCE = Text(
    pattern=f"(?:prometheus|elasticsearch)/{_NAME}|store",
    form="a source such as prometheus/eu",
    max_length=80,
)

INDICATOR_SOURCE = Text(
    pattern=f"(?:prometheus|elasticsearch)/{_NAME}|store|(?:{'|'.join(EXTERNAL_KINDS)})(?:/{_NAME})?",
    form="a source such as prometheus/eu or datadog",
    max_length=80,
)
"""Where one indicator is read: a product's kind alone is its default source."""

QUERY = Text(multiline=True, max_length=20_000)
"""A PromQL selector or expression, or a query in the language of another product."""

WINDOW = DurationText(description="The rolling period of the error budget, such as 30d.")

SCRAPE_INTERVAL = DurationText(minimum=Duration.of(seconds=1), maximum=Duration.of(hours=1))

BUCKETS = ListOf(shape=Number(above=Decimal(0)), min_items=1, unique=True)

HEADER = {
    "apiVersion": Field(
        shape=Choice(choices=(API_VERSION,)),
        required=True,
        description="The version of this form.",
    )
}


def document(kind: str, **fields: Field) -> Record:
    """Return the shape of a whole document of one kind, with these keys beside its header."""
    kind_field = Field(
        shape=Choice(choices=(kind,)), required=True, description="What this document is."
    )
    return Record(fields={**HEADER, "kind": kind_field, **fields})


def names(of: Shape[str] = NAME) -> ListOf[str]:
    """Return the shape of a list of different names."""
    return ListOf(shape=of, max_items=1000, unique=True)
