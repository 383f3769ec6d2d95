"""The workspace's sources out of its file."""

from slo.fields import Fields
from slo.loader.shapes_sources import NamedSources
from slo.loader.words import listed
from slo.printable import quote
from slo.problems import Problem, error
from slo.suggest import did_you_mean
from slo.units import Duration
from slo.workspace import (
    BasicAuth,
    ElasticsearchSource,
    OAuth2,
    PrometheusSource,
    SigV4,
    Tls,
)

_SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})


def build_prometheus(
    named: NamedSources | None, problems: list[Problem]
) -> dict[str, PrometheusSource]:
    """Return the Prometheus sources by name; those that could not be read are left out."""
    if named is None:
        return {}
    found = (
        (pair.key.value, _prometheus(pair.key.value, pair.value.value, problems))
        for pair in named.sources
    )
    return {name: source for name, source in found if source is not None}


def build_elasticsearch(
    named: NamedSources | None, problems: list[Problem]
) -> dict[str, ElasticsearchSource]:
    """Return the Elasticsearch sources by name; those that could not be read are left out."""
    if named is None:
        return {}
    found = (
        (pair.key.value, _elasticsearch(pair.key.value, pair.value.value, problems))
        for pair in named.sources
    )
    return {name: source for name, source in found if source is not None}


def default_source(named: NamedSources | None, problems: list[Problem]) -> str | None:
    """Return the name of the default source: the one that is named so, or the only one."""
    if named is None:
        return None
    names = [pair.key.value for pair in named.sources]
    if named.default is None:
        return names[0] if len(names) == 1 else None
    chosen = named.default.value
    if chosen not in names:
        message = f"there is no source {quote(chosen)} here{did_you_mean(chosen, names)}"
        hint = f"the sources are {listed(names)}" if names else "define the source beside it"
        problems.append(error("spec/unknown-source", message, named.default.span, hint=hint))
    return chosen


def _prometheus(name: str, fields: Fields, problems: list[Problem]) -> PrometheusSource | None:
    headers = build_headers(fields, problems)
    url, timeout = fields.get("url", str), fields.get("timeout", Duration)
    if url is None or timeout is None or not fields.complete:
        return None
    retries = fields.get("retries", int)
    return PrometheusSource(
        name=name,
        url=url,
        timeout=timeout,
        headers=headers,
        tenant=fields.get("tenant", str),
        bearer_token_file=fields.get("bearerTokenFile", str),
        basic_auth=build_basic_auth(fields),
        oauth2=_oauth2(fields),
        sigv4=_sigv4(fields),
        token_command=fields.each("tokenCommand", str),
        tls=build_tls(fields),
        replica_labels=fields.each("replicaLabels", str),
        shard_labels=fields.each("shardLabels", str),
        retries=2 if retries is None else retries,
        ruler_url=fields.get("rulerUrl", str),
    )


def _elasticsearch(
    name: str, fields: Fields, problems: list[Problem]
) -> ElasticsearchSource | None:
    headers = build_headers(fields, problems)
    url, timeout = fields.get("url", str), fields.get("timeout", Duration)
    if url is None or timeout is None or not fields.complete:
        return None
    indices = fields.get("indices", Fields)
    return ElasticsearchSource(
        name=name,
        url=url,
        timeout=timeout,
        flavor=fields.need("flavor", str),
        headers=headers,
        api_key_file=fields.get("apiKeyFile", str),
        bearer_token_file=fields.get("bearerTokenFile", str),
        basic_auth=build_basic_auth(fields),
        tls=build_tls(fields),
        layout=fields.get("layout", str),
        logs_indices=() if indices is None else indices.each("logs", str),
        traces_indices=() if indices is None else indices.each("traces", str),
    )


def build_headers(fields: Fields, problems: list[Problem]) -> dict[str, str]:
    """Return the headers of every request, and report those that hold a secret."""
    for pair in fields.pairs("headers", str):
        if pair.key.value.lower() in _SECRET_HEADERS:
            message = f"the header {quote(pair.key.value)} holds a secret"
            hint = "name the file that holds it: bearerTokenFile, or passwordFile under basicAuth"
            problems.append(error("spec/inline-secret", message, pair.key.span, hint=hint))
    return fields.mapping("headers", str)


def build_basic_auth(fields: Fields) -> BasicAuth | None:
    """Return the user and the file with the password, if there are any."""
    own = fields.get("basicAuth", Fields)
    if own is None:
        return None
    return BasicAuth(
        username=own.need("username", str), password_file=own.need("passwordFile", str)
    )


def _oauth2(fields: Fields) -> OAuth2 | None:
    own = fields.get("oauth2", Fields)
    if own is None:
        return None
    return OAuth2(
        token_url=own.need("tokenUrl", str),
        client_id=own.need("clientId", str),
        client_secret_file=own.need("clientSecretFile", str),
        scopes=own.each("scopes", str),
    )


def _sigv4(fields: Fields) -> SigV4 | None:
    own = fields.get("sigv4", Fields)
    if own is None:
        return None
    return SigV4(
        region=own.need("region", str),
        service=own.need("service", str),
        profile=own.get("profile", str),
    )


def build_tls(fields: Fields) -> Tls:
    """Return the certificates of a source."""
    own = fields.get("tls", Fields)
    if own is None:
        return Tls()
    return Tls(
        ca_file=own.get("caFile", str),
        cert_file=own.get("certFile", str),
        key_file=own.get("keyFile", str),
        server_name=own.get("serverName", str),
        insecure_skip_verify=own.get("insecureSkipVerify", bool) is True,
    )
