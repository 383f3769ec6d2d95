"""The shapes of the workspace's sources: servers by name, and how to reach them."""

from slo._shape import NotRead
from slo.fields import Located, Pair
from slo.loader.leaves import FILE_PATH, LABEL_NAME, NAME, SOURCE_REFERENCE, VALUE, names
from slo.loader.shapes_external import EXTERNAL
from slo.loader.shapes_serving import STORE
from slo.loader.shapes_tls import TLS
from slo.nodes import Entry, Mapping, Node
from slo.problems import Problem
from slo.records import dataclass
from slo.shape import (
    UNREADABLE,
    Choice,
    DurationText,
    Field,
    Fields,
    Integer,
    ListOf,
    MapOf,
    Record,
    Shape,
    Text,
    Url,
)
from slo.units import Duration

DEFAULT = "default"

_TIMEOUT = DurationText(minimum=Duration(milliseconds=100), maximum=Duration.of(minutes=5))
_SECRET = "secrets stand in files, never here"  # noqa: S105 - a sentence about secrets

BASIC_AUTH = Record(
    description="A user and the file that holds the password.",
    fields={
        "username": Field(shape=VALUE, required=True, description="The user."),
        "passwordFile": Field(shape=FILE_PATH, required=True, description=f"A file; {_SECRET}."),
    },
)

OAUTH2 = Record(
    description="OAuth 2 client credentials.",
    fields={
        "tokenUrl": Field(shape=Url(), required=True, description="Where tokens are issued."),
        "clientId": Field(shape=VALUE, required=True, description="The client."),
        "clientSecretFile": Field(
            shape=FILE_PATH, required=True, description=f"A file; {_SECRET}."
        ),
        "scopes": Field(shape=names(Text(max_length=256)), description="The scopes to ask for."),
    },
)

SIGV4 = Record(
    description="AWS request signing; the credentials come from the AWS environment.",
    fields={
        "region": Field(shape=Text(max_length=64), required=True, description="Such as eu-west-1."),
        "service": Field(shape=Text(max_length=64), default="aps", description="The AWS service."),
        "profile": Field(shape=Text(max_length=128), description="The profile of the AWS files."),
    },
)

_HEADER_NAME = Text(
    pattern="[A-Za-z0-9][-A-Za-z0-9_]*", form="the name of an HTTP header", max_length=128
)
_HEADERS = Field(
    shape=MapOf(key=_HEADER_NAME, shape=VALUE), description="Headers of every request."
)
_URL = Field(shape=Url(), required=True, description="Its address, with the path it stands under.")

PROMETHEUS = Record(
    description="A server that speaks the Prometheus API.",
    fields={
        "url": _URL,
        "timeout": Field(shape=_TIMEOUT, default="10s", description="How long an answer may take."),
        "retries": Field(
            shape=Integer(minimum=0, maximum=10),
            default="2",
            description="How often a failed request is tried again.",
        ),
        "headers": _HEADERS,
        "tenant": Field(shape=VALUE, description="The tenant, sent as X-Scope-OrgID."),
        "bearerTokenFile": Field(shape=FILE_PATH, description="The file that holds a token."),
        "basicAuth": Field(shape=BASIC_AUTH, description="A user with a password."),
        "oauth2": Field(shape=OAUTH2, description="OAuth 2 client credentials."),
        "sigv4": Field(shape=SIGV4, description="AWS request signing."),
        "tokenCommand": Field(
            shape=ListOf(shape=Text(), min_items=1),
            description="A program and its arguments; it prints a token.",
        ),
        "tls": Field(shape=TLS, description="Certificates."),
        "replicaLabels": Field(
            shape=names(LABEL_NAME),
            description="Labels that tell apart replicas of the same data; the fullest counts.",
        ),
        "shardLabels": Field(
            shape=names(LABEL_NAME),
            description="Labels that tell apart shards, whose counts are added up.",
        ),
        "rulerUrl": Field(shape=Url(), description="The ruler's API, where rules are published."),
    },
    forbid_together=(("bearerTokenFile", "basicAuth", "oauth2", "sigv4", "tokenCommand"),),
)

_INDEX = Text(
    pattern=r"-?[^-_+\s/\\?\"<>|,#A-Z][^\s/\\?\"<>|,#A-Z]*",
    form="a pattern of index names, in lower case, such as logs-*",
    max_length=255,
)

INDICES = Record(
    description="Patterns of the indices to read; one that begins with - leaves indices out.",
    fields={
        "logs": Field(shape=names(_INDEX), description="Where log records are."),
        "traces": Field(shape=names(_INDEX), description="Where spans are."),
    },
)

ELASTICSEARCH = Record(
    description="An Elasticsearch or OpenSearch cluster.",
    fields={
        "url": _URL,
        "flavor": Field(
            shape=Choice(choices=("elasticsearch", "opensearch")),
            default="elasticsearch",
            description="Which of the two it is.",
        ),
        "timeout": Field(shape=_TIMEOUT, default="10s", description="How long an answer may take."),
        "headers": _HEADERS,
        "apiKeyFile": Field(shape=FILE_PATH, description="The file that holds an API key."),
        "bearerTokenFile": Field(shape=FILE_PATH, description="The file that holds a token."),
        "basicAuth": Field(shape=BASIC_AUTH, description="A user with a password."),
        "tls": Field(shape=TLS, description="Certificates."),
        "layout": Field(
            shape=Choice(choices=("headroom", "otel", "apm", "jaeger")),
            description="How its documents are written; without it, their indices tell.",
        ),
        "indices": Field(shape=INDICES, description="Where they are, if not where is usual."),
    },
    forbid_together=(("apiKeyFile", "bearerTokenFile", "basicAuth"),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSources:
    """Sources by name, and the one that is asked where a specification names none."""

    sources: tuple[Pair[Fields], ...]
    default: Located[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesByName(Shape[NamedSources]):
    """A mapping of names to sources, in which the key ``default`` holds one of the names."""

    shape: Shape[Fields]

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a mapping"

    def read(self, node: Node, problems: list[Problem]) -> NamedSources | NotRead:
        """Return the sources that could be read and the name of the default one."""
        if not isinstance(node, Mapping):
            return self.refuse(node, problems, hint="name each source, as in eu: {url: …}")
        chosen: Located[str] | None = None
        others: list[Entry] = []
        for entry in node.entries:
            if entry.key.text != DEFAULT:
                others.append(entry)
                continue
            name = NAME.read(entry.value, problems)
            if name is not UNREADABLE:
                chosen = Located(value=name, span=entry.value.span)
        rest = Mapping(entries=tuple(others), span=node.span)
        sources = MapOf(key=NAME, shape=self.shape).read(rest, problems)
        return NamedSources(sources=() if sources is UNREADABLE else sources, default=chosen)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of an object with one special key."""
        return self.described(
            {
                "type": "object",
                "properties": {
                    DEFAULT: {
                        **NAME.json_schema(),
                        "description": "The source that is asked where nothing else is said.",
                    }
                },
                "propertyNames": NAME.json_schema(),
                "additionalProperties": self.shape.json_schema(),
            }
        )


_PRODUCTS = {
    "cloudwatch": "Amazon CloudWatch",
    "datadog": "Datadog",
    "newrelic": "New Relic",
    "splunk": "Splunk",
    "sumologic": "Sumo Logic",
    "wavefront": "Wavefront",
    "sentry": "Sentry",
}

SOURCES = Record(
    description="Where the numbers are read.",
    fields={
        "prometheus": Field(
            shape=SourcesByName(shape=PROMETHEUS),
            description="Prometheus, Thanos, Mimir or VictoriaMetrics, by name; default: NAME "
            "says which one is asked where nothing is said.",
        ),
        "alertmanager": Field(
            shape=Record(fields={"url": _URL}), description="The Alertmanager to publish to."
        ),
        "elasticsearch": Field(
            shape=SourcesByName(shape=ELASTICSEARCH),
            description="Elasticsearch or OpenSearch clusters, by name.",
        ),
        **{
            kind: Field(
                shape=SourcesByName(shape=shape),
                description=f"{_PRODUCTS[kind]}, by name; indicators name it themselves.",
            )
            for kind, shape in EXTERNAL.items()
        },
        "store": Field(shape=STORE, description="The store that comes with Headroom."),
        "metrics": Field(
            shape=SOURCE_REFERENCE,
            description="Who is asked for metrics where an app names no source, such as store; "
            "else the default Prometheus, else the store.",
        ),
    },
)
