"""The workspace model: where applications, policies, sources and outputs of an installation are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal

from slo.collecting import Collecting
from slo.records import dataclass
from slo.serving import PriceTable, Retention, Serving
from slo.units import Duration
from slo.windows import Catalogue


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2:
    """OAuth 2 client credentials; the secret is only ever a file."""

    token_url: str
    client_id: str
    client_secret_file: str
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicAuth:
    """A user and the file that holds the password."""

    username: str
    password_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SigV4:
    """AWS request signing for a managed Prometheus; credentials come from the AWS environment."""

    region: str
    service: str = "aps"
    profile: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Files of a private certificate authority and of a client certificate."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = None
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSource:
    """A server that speaks the Prometheus API, and how to reach it.

    ``replica_labels`` tell apart replicas of the same data (the fullest one counts);
    ``shard_labels`` tell apart shards whose counts add up.
    """

    name: str
    url: str
    timeout: Duration
    headers: Mapping[str, str] = field(default_factory=dict)
    tenant: str | None = None
    bearer_token_file: str | None = None
    basic_auth: BasicAuth | None = None
    oauth2: OAuth2 | None = None
    sigv4: SigV4 | None = None
    token_command: tuple[str, ...] = ()
    tls: Tls = field(default_factory=Tls)
    replica_labels: tuple[str, ...] = ()
    shard_labels: tuple[str, ...] = ()
    retries: int = 2
    ruler_url: str | None = None

    @property
    def reference(self) -> str:
        """How specifications name this source."""
        return f"prometheus/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElasticsearchSource:
    """An Elasticsearch or OpenSearch cluster, as ``flavor`` says, and how to reach it.

    ``layout`` is how its documents are written, ``None`` where their indices tell; patterns of
    indices stand in for the layout's usual ones.
    """

    name: str
    url: str
    timeout: Duration
    flavor: str = "elasticsearch"
    headers: Mapping[str, str] = field(default_factory=dict)
    api_key_file: str | None = None
    bearer_token_file: str | None = None
    basic_auth: BasicAuth | None = None
    tls: Tls = field(default_factory=Tls)
    layout: str | None = None
    logs_indices: tuple[str, ...] = ()
    traces_indices: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """How specifications name this source."""
        return f"elasticsearch/{self.name}"


EXTERNAL_KINDS = ("cloudwatch", "datadog", "newrelic", "splunk", "sumologic", "wavefront", "sentry")
"""The products that count events by queries of their own, as references begin with them."""


def external_kind(reference: str | None) -> str | None:
    """The product that a source's reference or its kind alone names, if it is an external one."""
    kind = None if reference is None else reference.partition("/")[0]
    return kind if kind in EXTERNAL_KINDS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSource:
    """A product that counts events by queries of its own, and how to reach it.

    ``kind`` is one of ``EXTERNAL_KINDS``. ``url`` is ``None`` where the product's usual address
    holds. ``lag`` is how late its numbers may still grow. ``settings`` are those of its kind, by
    their names in the workspace; secrets are only ever files.
    """

    kind: str
    name: str
    timeout: Duration
    lag: Duration
    url: str | None = None
    retries: int = 2
    tls: Tls = field(default_factory=Tls)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """How specifications name this source."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """An Alertmanager receiver: its kind and settings; secrets are only ever files."""

    name: str
    kind: str
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Addresses of the other tools, for annotations and dashboards."""

    console: str | None = None
    grafana: str | None = None
    kibana: str | None = None
    jaeger: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What a specification gets where it says nothing.

    ``buckets`` holds the boundaries of classic histograms by base name, in their own unit.
    """

    window: Duration
    scrape_interval: Duration
    catalogue: Catalogue
    buckets: Mapping[str, tuple[Decimal, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesDestination:
    """Where rules are published: a folder that a server reads, or the store of a ruler.

    ``source`` is the server's reference; ``ruler`` is ``mimir`` or ``cortex``.
    """

    folder: str | None = None
    ruler: str | None = None
    source: str | None = None
    prefix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishing:
    """What ``headroom publish`` does without flags."""

    rules: tuple[RulesDestination, ...] = ()
    alertmanager_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """One installation. Paths are absolute or relative to the folder of its file.

    ``windows`` is the file of the catalogue of window pairs; without it the built-in one holds.
    ``metrics`` is the source of clusters that name none, where it is not the default Prometheus.
    ``external`` holds its sources by reference, ``default_external`` for each kind the reference
    that the kind alone stands for.
    """

    defaults: Defaults
    apps: tuple[str, ...] = (".",)
    policies: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    output: str = "generated"
    state: str | None = None
    windows: str | None = None
    prometheus: Mapping[str, PrometheusSource] = field(default_factory=dict)
    default_prometheus: str | None = None
    elasticsearch: Mapping[str, ElasticsearchSource] = field(default_factory=dict)
    default_elasticsearch: str | None = None
    external: Mapping[str, ExternalSource] = field(default_factory=dict)
    default_external: Mapping[str, str] = field(default_factory=dict)
    alertmanager_url: str | None = None
    store: str | None = None
    retention: Mapping[str, Retention] = field(default_factory=dict)
    metrics: str | None = None
    serving: Serving = field(default_factory=Serving)
    costs: PriceTable | None = None
    receivers: tuple[Receiver, ...] = ()
    links: Links = field(default_factory=Links)
    publishing: Publishing = field(default_factory=Publishing)
    collecting: Collecting = field(default_factory=Collecting)

    @property
    def sources(self) -> frozenset[str]:
        """The references by which specifications name this installation's sources."""
        found = {source.reference for source in self.prometheus.values()}
        found |= {source.reference for source in self.elasticsearch.values()}
        found |= set(self.external)
        return frozenset(found if self.store is None else {*found, "store"})
