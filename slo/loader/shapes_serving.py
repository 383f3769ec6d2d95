"""The shapes of the store, of the server and of the price table in a Workspace."""

from decimal import Decimal

from slo.loader.leaves import FILE_PATH, NAME, VALUE
from slo.loader.shapes_tls import TLS
from slo.serving import FORWARDED, SIGNALS
from slo.shape import Choice, DurationText, Field, ListOf, MapOf, Number, Record, Text, Url
from slo.units import Duration

SIZE = Text(
    pattern="[1-9][0-9]{0,8} ?(?:MiB|GiB|TiB)",
    form="a size such as 500MiB or 20GiB",
    max_length=16,
)

_HEADER = Text(
    pattern="[A-Za-z0-9-]+", form="the name of a header, such as X-Forwarded-User", max_length=128
)

RETENTION = Record(
    description="How long one signal is kept.",
    fields={
        "age": Field(
            shape=DurationText(minimum=Duration.of(hours=1)),
            description="What is older goes, such as 30d.",
        ),
        "size": Field(shape=SIZE, description="The oldest goes while there is more than this."),
    },
)

STORE = Record(
    description="The store that comes with Headroom.",
    fields={
        "path": Field(shape=FILE_PATH, required=True, description="Its folder."),
        "retention": Field(
            shape=MapOf(key=Choice(choices=SIGNALS), shape=RETENTION),
            description="What is thrown away, by signal; nothing where it says nothing.",
        ),
    },
)

_PACE = DurationText(minimum=Duration.of(seconds=1), maximum=Duration.of(minutes=5))

COUNTERS = Record(
    description="How events that Prometheus cannot read become counters.",
    fields={
        "interval": Field(shape=_PACE, default="15s", description="How often they are counted."),
        "lag": Field(
            shape=DurationText(minimum=Duration.of(seconds=1), maximum=Duration.of(days=1)),
            description="How late events may arrive and still count; 5m for log records and "
            "spans, and what the source says for others.",
        ),
    },
)

REMOTE_WRITE = Record(
    description="A server that takes Prometheus remote write 1.0.",
    fields={
        "url": Field(shape=Url(), required=True, description="Where requests are sent."),
        "interval": Field(shape=_PACE, default="30s", description="How often a sample is made."),
        "timeout": Field(
            shape=DurationText(minimum=Duration(milliseconds=100), maximum=Duration.of(minutes=5)),
            default="30s",
            description="How long an answer may take.",
        ),
        "headers": Field(
            shape=MapOf(key=_HEADER, shape=VALUE), description="Headers of every request."
        ),
        "bearerTokenFile": Field(shape=FILE_PATH, description="The file that holds a token."),
        "basicAuth": Field(
            shape=Record(
                description="A user and the file that holds the password.",
                fields={
                    "username": Field(shape=VALUE, required=True, description="The user."),
                    "passwordFile": Field(
                        shape=FILE_PATH, required=True, description="The file with the password."
                    ),
                },
            ),
            description="A user with a password.",
        ),
        "tls": Field(shape=TLS, description="Certificates."),
    },
    forbid_together=(("bearerTokenFile", "basicAuth"),),
)

SERVE = Record(
    description="Who may send telemetry to `headroom serve`, and who may look.",
    fields={
        "ingestTokens": Field(
            shape=ListOf(
                shape=Record(
                    fields={
                        "file": Field(
                            shape=FILE_PATH, required=True, description="The file with the token."
                        ),
                        "app": Field(
                            shape=NAME, description="Store as this app whatever is sent, or refuse."
                        ),
                    }
                ),
                max_items=1000,
            ),
            description="Who may send; without any, everybody who reaches the server.",
        ),
        "trustedProxy": Field(
            shape=Record(
                fields={
                    "userHeader": Field(
                        shape=_HEADER, required=True, description="Who is signed in."
                    ),
                    "groupsHeader": Field(
                        shape=_HEADER, description="Their groups, separated by commas."
                    ),
                    "addresses": Field(
                        shape=ListOf(shape=Text(max_length=64), min_items=1, unique=True),
                        description="Where the proxy speaks from; loopback without.",
                    ),
                }
            ),
            description="The proxy that signs people in.",
        ),
        "roles": Field(
            shape=FILE_PATH, description="A file that gives people and groups their roles."
        ),
        "forward": Field(
            shape=Record(
                fields={
                    "elasticsearch": Field(
                        shape=NAME,
                        required=True,
                        description="The Elasticsearch or OpenSearch source to send to.",
                    ),
                    "signals": Field(
                        shape=ListOf(shape=Choice(choices=FORWARDED), min_items=1, unique=True),
                        description="What is sent; logs and spans without.",
                    ),
                }
            ),
            description="Send on what arrives; see [receiving](receiving.md#forwarding).",
        ),
        "counters": Field(
            shape=COUNTERS, description="How events are counted; see [counters](counters.md)."
        ),
        "remoteWrite": Field(
            shape=REMOTE_WRITE,
            description="Send the counters too; see [counters](counters.md#remote-write).",
        ),
    },
    needs={"roles": ("trustedProxy",)},
)

_AMOUNT = Number(minimum=Decimal(0))

COSTS = Record(
    description="What a month of telemetry costs, to show it per app.",
    fields={
        "currency": Field(
            shape=Text(pattern="[A-Z]{3}", form="a currency such as EUR", max_length=16),
            required=True,
            description="The currency of all prices.",
        ),
        "prices": Field(
            shape=MapOf(
                key=Choice(choices=SIGNALS),
                shape=Record(
                    fields={
                        "perGibibyte": Field(shape=_AMOUNT, description="For each GiB stored."),
                        "perMillionRecords": Field(
                            shape=_AMOUNT, description="For each million records."
                        ),
                        "perThousandSeries": Field(
                            shape=_AMOUNT, description="For each thousand active series."
                        ),
                    }
                ),
            ),
            required=True,
            description="Prices by signal.",
        ),
    },
)
