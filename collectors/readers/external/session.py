"""Connections to one product: its certificates, no netrc, and no answer without bound."""

from __future__ import annotations

from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from collectors.readers.prometheus.failures import MAX_BODY, too_large
from slo.workspace import ExternalSource, Tls

_CHUNK = 64 * 1024


def open_session(source: ExternalSource, url: str) -> requests.Session:
    """Return a session for a source at an address; nothing is connected yet."""
    session = requests.Session()
    session.headers["User-Agent"] = "headroom"
    # Without any, requests would look into the user's netrc.
    session.auth = lambda prepared: prepared
    tls = source.tls
    if tls.cert_file:
        session.cert = (tls.cert_file, tls.key_file) if tls.key_file else tls.cert_file
    session.mount(url, _Adapter(tls))
    return session


def read_bounded(response: requests.Response, source: str) -> bytes:
    """Return the whole body of an answer; raises ``SourceUnavailable`` if it is too large."""
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            raise too_large(source)
    return bytes(body)


class _Adapter(HTTPAdapter):
    """Opens connections for one source, and expects the name that its certificate carries."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        super().__init__(max_retries=Retry(0, redirect=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Ask for the name that the certificate should carry."""
        if self._tls.server_name:
            kwargs["server_hostname"] = self._tls.server_name
            kwargs["assert_hostname"] = self._tls.server_name
        super().init_poolmanager(*args, **kwargs)
