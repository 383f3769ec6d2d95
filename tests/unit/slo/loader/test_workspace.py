"""Workspace files that are right: sources, defaults and receivers."""

from decimal import Decimal

from slo.loader import SourceFile, built_in_defaults, load_workspace
from slo.units import Duration
from slo.workspace import (
    BasicAuth,
    Links,
    OAuth2,
    PrometheusSource,
    Receiver,
    SigV4,
    Tls,
    Workspace,
)
from tests.unit.slo.loader.reading import workspace_text


def workspace(spec: str = "") -> Workspace:
    """Return the workspace of a spec without a mistake."""
    text = workspace_text(spec) if spec else "apiVersion: headroom/v1\nkind: Workspace\nspec: {}\n"
    loaded, problems = load_workspace(SourceFile(name="headroom.yaml", text=text))
    assert () == problems
    assert loaded is not None
    return loaded


def eu(keys: str) -> PrometheusSource:
    """Return a Prometheus source with further keys."""
    space = workspace(f"sources: {{prometheus: {{eu: {{url: 'http://eu:9090', {keys}}}}}}}")
    return space.prometheus["eu"]


def test_empty_workspace_has_defaults() -> None:
    """Nothing is needed in a workspace file but its header."""
    assert Workspace(defaults=built_in_defaults()) == workspace()


def test_paths_are_kept_as_written() -> None:
    """Where things are is for the caller to find."""
    space = workspace(
        "apps: [apps, ../more/x.yaml]\npolicies: [p]\ntemplates: [t]\noutput: out\nstate: /var/x\n"
        "defaults: {windows: w.yaml}\nsources: {store: {path: s}}"
    )
    assert (("apps", "../more/x.yaml"), ("p",), ("t",), "out", "/var/x", "w.yaml", "s") == (
        space.apps,
        space.policies,
        space.templates,
        space.output,
        space.state,
        space.windows,
        space.store,
    )


def test_defaults_are_read() -> None:
    """Window, scrape interval and the boundaries of histograms."""
    defaults = workspace(
        "defaults: {window: 28d, scrapeInterval: 1m, buckets: {x_seconds: [1, 0.1]}}"
    ).defaults
    assert (Duration.of(days=28), Duration.of(minutes=1)) == (
        defaults.window,
        defaults.scrape_interval,
    )
    assert {"x_seconds": (Decimal("0.1"), Decimal(1))} == defaults.buckets
    assert built_in_defaults().catalogue == defaults.catalogue


def test_source_has_defaults() -> None:
    """A URL is enough to reach a server."""
    expected = PrometheusSource(name="eu", url="http://eu:9090", timeout=Duration.of(seconds=10))
    assert expected == eu("")


def test_source_says_how_to_reach_it() -> None:
    """Everything that a request may need can be said, secrets as files."""
    source = eu(
        "timeout: 3s, retries: 0, tenant: a, headers: {X-A: 1}, replicaLabels: [r],"
        " shardLabels: [s], rulerUrl: 'http://r/x', tls: {caFile: c, certFile: d, keyFile: e,"
        " serverName: f, insecureSkipVerify: true}, bearerTokenFile: t"
    )
    assert (Duration.of(seconds=3), 0, "a", {"X-A": "1"}, ("r",), ("s",), "http://r/x", "t") == (
        source.timeout,
        source.retries,
        source.tenant,
        source.headers,
        source.replica_labels,
        source.shard_labels,
        source.ruler_url,
        source.bearer_token_file,
    )
    expected = Tls(
        ca_file="c", cert_file="d", key_file="e", server_name="f", insecure_skip_verify=True
    )
    assert expected == source.tls


def test_ways_to_prove_who_asks() -> None:
    """Basic, OAuth 2, AWS signatures and a command."""
    assert (
        BasicAuth(username="u", password_file="f")
        == eu("basicAuth: {username: u, passwordFile: f}").basic_auth
    )
    assert (
        OAuth2(token_url="http://t", client_id="i", client_secret_file="f", scopes=("a",))
        == eu(
            "oauth2: {tokenUrl: 'http://t', clientId: i, clientSecretFile: f, scopes: [a]}"
        ).oauth2
    )
    assert SigV4(region="eu-west-1") == eu("sigv4: {region: eu-west-1}").sigv4
    assert ("a", "b") == eu("tokenCommand: [a, b]").token_command


def test_default_source_is_the_named_or_the_only_one() -> None:
    """One source needs no default; of several, none is the default unless it is named."""
    two = "eu: {url: 'http://eu'}, us: {url: 'http://us'}"
    assert "eu" == workspace("sources: {prometheus: {eu: {url: 'http://eu'}}}").default_prometheus
    assert workspace(f"sources: {{prometheus: {{{two}}}}}").default_prometheus is None
    chosen = workspace(f"sources: {{prometheus: {{default: us, {two}}}}}")
    assert "us" == chosen.default_prometheus
    assert {"prometheus/eu", "prometheus/us"} == chosen.sources


def test_other_sources_are_known_by_reference() -> None:
    """Elasticsearch clusters and the store are sources too."""
    space = workspace(
        "sources:\n"
        "  elasticsearch: {logs: {url: 'http://es', flavor: opensearch, apiKeyFile: k}}\n"
        "  alertmanager: {url: 'http://am'}\n"
        "  store: {path: s}\n"
    )
    assert {"elasticsearch/logs", "store"} == space.sources
    assert ("logs", "http://am") == (space.default_elasticsearch, space.alertmanager_url)
    assert ("opensearch", "k") == (
        space.elasticsearch["logs"].flavor,
        space.elasticsearch["logs"].api_key_file,
    )


def test_how_a_cluster_s_documents_are_written() -> None:
    """A layout and patterns of indices, which leave indices out as well."""
    space = workspace(
        "sources:\n  elasticsearch:\n    a: {url: 'http://es', layout: otel, "
        "indices: {logs: ['x-*', '-x-old'], traces: ['eu:y-*']}}\n    b: {url: 'http://es'}\n"
    )
    a, b = space.elasticsearch["a"], space.elasticsearch["b"]
    assert ("otel", ("x-*", "-x-old"), ("eu:y-*",)) == (a.layout, a.logs_indices, a.traces_indices)
    assert (None, (), ()) == (b.layout, b.logs_indices, b.traces_indices)


def test_receivers_and_links() -> None:
    """Who is told, and where people look next."""
    space = workspace(
        "receivers: {b: {slack: {apiUrlFile: f, channel: '#x'}}, a: {webhook: {url: 'http://w'}}}\n"
        "links: {grafana: 'http://g'}\n"
        "collectors: {destination: otlp, versions: {otelcol: 0.159}}"
    )
    assert (
        Receiver(name="b", kind="slack", settings={"apiUrlFile": "f", "channel": "#x"}),
        Receiver(name="a", kind="webhook", settings={"url": "http://w"}),
    ) == space.receivers
    assert Links(grafana="http://g") == space.links
