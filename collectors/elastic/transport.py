"""How the client of Elasticsearch reaches OpenSearch: a transport node that speaks plain JSON.

OpenSearch answers 406 to Elasticsearch's versioned media types and does not name Elasticsearch as
its product, which the client asks for after the first success. A node class is the client's own
extension point for both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from elastic_transport import HttpHeaders, Urllib3HttpNode
from elastic_transport.client_utils import DEFAULT, DefaultType

if TYPE_CHECKING:
    # Named in no public module, although it is what a node must return.
    from elastic_transport._node import NodeApiResponse

_VERSIONED = re.compile(r"application/vnd\.elasticsearch\+(json|x-ndjson); *compatible-with=\d+")
_MEDIA_TYPES = ("accept", "content-type")
_PRODUCT = "x-elastic-product"


class OpenSearchNode(Urllib3HttpNode):
    """One address of an OpenSearch cluster, over HTTP or HTTPS."""

    def perform_request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: HttpHeaders | None = None,
        request_timeout: DefaultType | float | None = DEFAULT,
    ) -> NodeApiResponse:
        """Send a request with plain media types; a success is marked as the client expects it."""
        plain = HttpHeaders({} if headers is None else dict(headers.items()))
        for name in _MEDIA_TYPES:
            value = plain.get(name)
            if value is not None:
                plain[name] = _VERSIONED.sub(r"application/\1", value)
        answer = super().perform_request(method, target, body, plain, request_timeout)
        if not answer.meta.headers.frozen:
            answer.meta.headers[_PRODUCT] = "Elasticsearch"
        return answer
