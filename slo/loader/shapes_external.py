"""The shapes of sources that count by queries of their own: other products, and how to reach them.

Secrets are only ever files; where a file is not named, the product's usual environment variable
is read when the source is asked.
"""

from slo._shape import NotRead
from slo.fields import Fields
from slo.loader.leaves import FILE_PATH, VALUE
from slo.loader.shapes_tls import TLS
from slo.nodes import Entry, Mapping, Node
from slo.printable import quote
from slo.problems import Problem, error
from slo.records import dataclass
from slo.shape import DurationText, Field, Integer, Record, Shape, Text, Url
from slo.units import Duration

COMMON = ("url", "timeout", "lag", "retries", "tls")
"""The keys that all these sources share; the others are settings of their kind."""

_WORD = Text(max_length=256)
_ACCOUNT = Text(literal=True, pattern="[0-9]+", form="an account's number", max_length=20)
# What AWS's own files and variables call them; no key of ours would hold them.
_AWS_SECRETS = frozenset({"accessKeyId", "secretAccessKey", "sessionToken"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached(Shape[Fields]):
    """How one product is reached; a secret in the place of its file is refused as such."""

    record: Record
    foreign: frozenset[str] = frozenset()

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return self.record.wanted

    def read(self, node: Node, problems: list[Problem]) -> Fields | NotRead:
        """Return what the record reads, without the secrets."""
        if not isinstance(node, Mapping):
            return self.record.read(node, problems)
        kept: list[Entry] = []
        for entry in node.entries:
            hint = self._instead_of(entry.key.text)
            if hint is None:
                kept.append(entry)
                continue
            message = f"the key {quote(entry.key.text)} holds a secret"
            problems.append(error("spec/inline-secret", message, entry.key.span, hint=hint))
        return self.record.read(Mapping(entries=tuple(kept), span=node.span), problems)

    def json_schema(self) -> dict[str, object]:
        """Return the record's schema."""
        return self.record.json_schema()

    def _instead_of(self, key: str) -> str | None:
        """Return what to write in place of a secret, None for a key that is none."""
        if f"{key}File" in self.record.fields:
            return f"name the file that holds it: {key}File"
        if key in self.foreign:
            return "leave it out; credentials come from the AWS environment or from profile"
        return None


def _product(
    about: str,
    *,
    lag: str,
    url: Field,
    own: dict[str, Field],
    needs: dict[str, tuple[str, ...]] | None = None,
    foreign: frozenset[str] = frozenset(),
) -> Reached:
    late = DurationText(allow_zero=True, maximum=Duration.of(days=1))
    patience = DurationText(minimum=Duration(milliseconds=100), maximum=Duration.of(minutes=5))
    return Reached(
        record=Record(
            description=about,
            fields={
                "url": url,
                **own,
                "timeout": Field(
                    shape=patience, default="30s", description="How long an answer may take."
                ),
                "lag": Field(
                    shape=late,
                    default=lag,
                    description="How late its numbers may still grow; younger ones are not read.",
                ),
                "retries": Field(
                    shape=Integer(minimum=0, maximum=10),
                    default="2",
                    description="How often a failed request is tried again.",
                ),
                "tls": Field(shape=TLS, description="Certificates."),
            },
            needs=needs or {},
        ),
        foreign=foreign,
    )


def _file(what: str, variable: str) -> Field:
    about = f"The file that holds {what}; without it, the variable {variable}."
    return Field(shape=FILE_PATH, description=about)


def _url(usual: str) -> Field:
    return Field(shape=Url(), description=f"Its address; {usual} without it.")


_OWN_URL = Field(shape=Url(), required=True, description="Its address.")

EXTERNAL = {
    "cloudwatch": _product(
        "Amazon CloudWatch. Credentials come from the AWS environment.",
        lag="5m",
        url=_url("the region's own"),
        own={
            "region": Field(
                shape=Text(max_length=64), required=True, description="Such as eu-west-1."
            ),
            "profile": Field(
                shape=Text(max_length=128), description="The profile of the AWS files."
            ),
            "roleArn": Field(shape=Text(max_length=2048), description="The role to assume."),
            "externalId": Field(
                shape=Text(literal=True, max_length=1224),
                description="What the role's owner wants to be told when it is assumed.",
            ),
        },
        needs={"externalId": ("roleArn",)},
        foreign=_AWS_SECRETS,
    ),
    "datadog": _product(
        "Datadog.",
        lag="2m",
        url=_url("https://api.datadoghq.com"),
        own={
            "apiKeyFile": _file("the API key", "DD_API_KEY"),
            "applicationKeyFile": _file("the application key", "DD_APP_KEY"),
        },
    ),
    "newrelic": _product(
        "New Relic, asked in NRQL.",
        lag="2m",
        url=_url("https://api.newrelic.com/graphql"),
        own={
            "account": Field(shape=_ACCOUNT, required=True, description="The account's number."),
            "apiKeyFile": _file("a user key", "NEW_RELIC_API_KEY"),
        },
    ),
    "splunk": _product(
        "Splunk Enterprise or Splunk Cloud, asked in SPL at its management port.",
        lag="5m",
        url=_OWN_URL,
        own={
            "tokenFile": _file("a token", "SPLUNK_TOKEN"),
            "app": Field(shape=_WORD, description="The Splunk app whose namespace is searched."),
        },
    ),
    "sumologic": _product(
        "Sumo Logic; the address is that of the deployment.",
        lag="5m",
        url=_OWN_URL,
        own={
            "accessIdFile": _file("the access id", "SUMOLOGIC_ACCESSID"),
            "accessKeyFile": _file("the access key", "SUMOLOGIC_ACCESSKEY"),
        },
    ),
    "wavefront": _product(
        "Wavefront, also called VMware Aria Operations for Applications.",
        lag="2m",
        url=_OWN_URL,
        own={"tokenFile": _file("a token", "WAVEFRONT_TOKEN")},
    ),
    "sentry": _product(
        "Sentry.",
        lag="5m",
        url=_url("https://sentry.io"),
        own={
            "organization": Field(shape=_WORD, required=True, description="The organisation."),
            "project": Field(
                shape=VALUE, description="Its projects, with commas between; all without it."
            ),
            "tokenFile": _file("an auth token", "SENTRY_AUTH_TOKEN"),
        },
    ),
}
"""The shape of one source of each kind."""
