"""Requests that change a server: one at a time, bounded, never redirected, told in its words."""

from __future__ import annotations

import os
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from collectors.readers.prometheus.auth import credentials
from collectors.readers.prometheus.clock import Clock, within
from collectors.readers.prometheus.failures import MAX_BODY, from_exception
from collectors.readers.prometheus.transient import TransientError
from slo.errors import PublishError, SourceError
from slo.printable import printable
from slo.records import dataclass
from slo.workspace import PrometheusSource

_LONGEST_QUOTE = 600
_REDIRECTS = range(300, 400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: its status and the text of its body."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked for."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the successes

    @property
    def said(self) -> str:
        """Return status and body as they may be quoted in a message."""
        text = printable(" ".join(self.text.split())[:_LONGEST_QUOTE])
        return f"{self.status}: {text}" if text else str(self.status)


class Http:
    """The connection to one server, with the credentials that its source names."""

    def __init__(self, source: PrometheusSource, clock: Clock) -> None:
        self.url = source.url.rstrip("/")
        self._name = source.url
        session = requests.Session()
        session.headers.update({"User-Agent": "headroom", **source.headers})
        if source.tenant:
            session.headers["X-Scope-OrgID"] = source.tenant
        session.auth = credentials(source, clock, os.environ)
        tls = source.tls
        session.verify = False if tls.insecure_skip_verify else (tls.ca_file or True)
        if tls.cert_file:
            session.cert = (tls.cert_file, tls.key_file) if tls.key_file else tls.cert_file
        if tls.server_name:
            session.mount("https://", _Named(tls.server_name))
        self._session = session

    def send(
        self,
        method: str,
        path: str,
        *,
        timeout: float,
        body: str | None = None,
        content_type: str = "application/yaml",
    ) -> Answer:
        """Send a request and return the answer, whatever its status.

        Raises ``PublishError`` when there is none within ``timeout`` seconds.
        """
        try:
            return within(timeout, lambda: self._send(method, path, timeout, body, content_type))
        except TimeoutError:
            raise PublishError(
                f"{self._name}: no complete answer within {timeout:.3g} s", hint="raise --timeout"
            ) from None
        except requests.RequestException as cause:
            raise _as_publish_error(from_exception(cause, self._name)) from cause
        except SourceError as cause:
            raise _as_publish_error(cause) from cause

    def _send(
        self, method: str, path: str, timeout: float, body: str | None, content_type: str
    ) -> Answer:
        data = None if body is None else body.encode()
        with self._session.request(
            method,
            f"{self.url}{path}",
            data=data,
            headers={} if data is None else {"Content-Type": content_type},
            timeout=timeout,
            allow_redirects=False,
            stream=True,
        ) as response:
            if response.status_code in _REDIRECTS:
                raise PublishError(
                    f"{self._name}: the server redirects, which is not followed",
                    hint="is there a login in front of it?",
                )
            content = bytearray()
            for chunk in response.iter_content(2**16):
                content += chunk
                if len(content) > MAX_BODY:
                    raise PublishError(
                        f"{self._name}: the answer is larger than {MAX_BODY // 2**20} MiB"
                    )
            return Answer(status=response.status_code, text=content.decode(errors="replace"))


class _Named(HTTPAdapter):
    """Asks for the name that the certificate should carry."""

    def __init__(self, name: str) -> None:
        self._server = name
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        kwargs["server_hostname"] = kwargs["assert_hostname"] = self._server
        super().init_poolmanager(*args, **kwargs)


def _as_publish_error(error: Exception) -> PublishError:
    known = error.error if isinstance(error, TransientError) else error
    return PublishError(str(known), hint=getattr(known, "hint", None))
