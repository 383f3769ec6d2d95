"""The official client for a source: its address, secrets and certificates, and nothing sent yet.

Client major 8 speaks with servers 8 and 9: it asks for answers ``compatible-with=8``, which
server 9 gives; client 9 asks for 9, which server 8 refuses. OpenSearch is reached through a node
class (`collectors.elastic.transport`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from elastic_transport import BaseNode, NodeConfig, Urllib3HttpNode
from elasticsearch import Elasticsearch

from collectors.elastic.credentials import authorization
from collectors.elastic.flavors import Flavor
from collectors.elastic.transport import OpenSearchNode
from slo.errors import SourceUnavailable
from slo.units import Duration
from slo.workspace import ElasticsearchSource

_PORTS = {"http": 80, "https": 443}
_NODES: Mapping[Flavor, type[BaseNode]] = {
    Flavor.ELASTICSEARCH: Urllib3HttpNode,
    Flavor.OPENSEARCH: OpenSearchNode,
}


def connect(
    source: ElasticsearchSource,
    *,
    environ: Mapping[str, str] | None = None,
    timeout: Duration | None = None,
) -> Elasticsearch:
    """The official client for a source; nothing is sent yet, and it never retries by itself.

    ``environ`` may name the authorities to trust in ``SSL_CERT_FILE``; it is the process's own if
    absent. Raises ``AuthenticationFailed`` for a secret and ``SourceUnavailable`` for a
    certificate that cannot be read.
    """
    name = source.reference
    parts = urlsplit(source.url)
    headers = {"user-agent": "headroom", **source.headers}
    proof = authorization(source)
    if proof is not None:
        headers["authorization"] = proof
    length = timeout or source.timeout
    node = NodeConfig(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=parts.port or _PORTS[parts.scheme],
        path_prefix=parts.path.rstrip("/"),
        **(_tls(source, os.environ if environ is None else environ) if _is_tls(source) else {}),
    )
    with _explained(name):
        return Elasticsearch(
            [node],
            node_class=_NODES[Flavor(source.flavor)],
            headers=headers,
            request_timeout=float(length.seconds),
            max_retries=0,
            meta_header=False,
        )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise SourceUnavailable(
            f"{name}: the client cannot be set up: {reason}",
            source=name,
            hint="check the source's url, headers and tls settings",
        ) from None


def _is_tls(source: ElasticsearchSource) -> bool:
    return urlsplit(source.url).scheme == "https"


def _tls(source: ElasticsearchSource, environ: Mapping[str, str]) -> dict[str, Any]:
    tls = source.tls
    authorities = tls.ca_file or environ.get("SSL_CERT_FILE")
    for file in filter(None, (authorities, tls.cert_file, tls.key_file)):
        try:
            Path(file).open("rb").close()
        except OSError as error:
            raise SourceUnavailable(
                f"{source.reference}: cannot read {file}: {error.strerror}",
                source=source.reference,
                hint="check the source's tls settings",
            ) from None
    found: dict[str, Any] = {"verify_certs": not tls.insecure_skip_verify, "ssl_show_warn": False}
    if authorities and not tls.insecure_skip_verify:
        found["ca_certs"] = authorities
    if tls.cert_file and not tls.insecure_skip_verify:
        found |= {"client_cert": tls.cert_file, "client_key": tls.key_file}
    if tls.server_name:
        found["ssl_assert_hostname"] = tls.server_name
    return found
