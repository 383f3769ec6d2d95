"""The HTTP session under the client: one host, bounded answers, no redirects, errors by name."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from prometheus_api_client.prometheus_connect import PrometheusConnect
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from collectors.readers.prometheus.auth import credentials
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.failures import (
    MAX_BODY,
    check_envelope,
    check_status,
    from_exception,
    too_large,
)
from slo.errors import SourceError, SourceUnavailable
from slo.printable import printable
from slo.records import dataclass
from slo.workspace import PrometheusSource, Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The whole of one successful answer: its JSON object and its headers."""

    envelope: Mapping[str, object]
    headers: Mapping[str, str]


class Transport:
    """A `PrometheusConnect` whose session keeps our rules.

    The library returns only ``data.result``; a hook on its session keeps the rest, per thread.
    """

    def __init__(self, source: PrometheusSource, clock: Clock, environ: Mapping[str, str]) -> None:
        url = source.url.rstrip("/")
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            raise SourceUnavailable(
                f"{source.reference}: its url is not an http or https address",
                source=source.reference,
            )
        self._source = source
        self._clock = clock
        self._thread = threading.local()
        self.url = url
        self.credentials = credentials(source, clock, environ)
        session = _session(source)
        session.auth = self.credentials
        session.hooks["response"] = [self._receive]
        # The client holds the exact limit; this one ends what it has left behind.
        timeout = math.ceil(source.timeout.seconds)
        self.connect = PrometheusConnect(
            url=url, session=session, timeout=timeout, method="POST", retry=Retry(0)
        )
        session.mount(url, _Adapter(source))
        self._session = session

    def get(self, path: str, params: Mapping[str, str]) -> None:
        """Ask a part of the API that the library has no method for."""
        timeout = float(self._source.timeout.seconds)
        self._session.get(f"{self.url}/api/v1/{path}", params=dict(params), timeout=timeout)

    def exchange(self, work: Callable[[PrometheusConnect], object]) -> tuple[object, Exchange]:
        """Do one request; returns what the library made of it and the whole answer.

        Raises ``SourceError`` or ``TransientError``.
        """
        self._thread.last = None
        name = self._source.reference
        try:
            result = work(self.connect)
        except requests.RequestException as error:
            raise from_exception(error, name) from error
        except OSError as error:
            raise SourceUnavailable(
                f"{name}: a file of its tls settings cannot be used: {printable(str(error))}",
                source=name,
            ) from error
        except (KeyError, TypeError, AttributeError, UnicodeError) as error:
            raise SourceUnavailable(
                f"{name}: the answer does not have the shape of the Prometheus API", source=name
            ) from error
        last: Exchange = self._thread.last
        return result, last

    def _receive(self, response: requests.Response, *_: object, **__: object) -> None:
        # Reading the body here keeps a refusal's reason and frees the connection.
        response.content  # noqa: B018 - a property that reads
        name = self._source.reference
        check_status(response, name, self._clock.now())
        self._thread.last = Exchange(
            envelope=check_envelope(response, name), headers=response.headers
        )


class _Session(requests.Session):
    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        # The library puts a POST's parameters into the address, where long queries do not fit.
        if request.method == "POST":
            request.data, request.params = request.params, {}
        return super().prepare_request(request)


def _session(source: PrometheusSource) -> requests.Session:
    session = _Session()
    session.headers.update({"User-Agent": "headroom", **source.headers})
    if source.tenant:
        session.headers["X-Scope-OrgID"] = source.tenant
    tls = source.tls
    session.verify = False if tls.insecure_skip_verify else (tls.ca_file or True)
    if tls.cert_file:
        session.cert = (tls.cert_file, tls.key_file) if tls.key_file else tls.cert_file
    return session


class _Adapter(HTTPAdapter):
    """Opens connections for one source and bounds what they give."""

    def __init__(self, source: PrometheusSource) -> None:
        self._source = source.reference
        self._tls: Tls = source.tls
        super().__init__(max_retries=Retry(0, redirect=False))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Ask for the name that the certificate should carry."""
        if self._tls.server_name:
            kwargs["server_hostname"] = self._tls.server_name
            kwargs["assert_hostname"] = self._tls.server_name
        super().init_poolmanager(*args, **kwargs)

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Return the response with a bound on its body."""
        response = super().build_response(req, resp)
        response.raw = _Bounded(resp, too_large(self._source))
        return response


class _Bounded:
    """A body that ends in an error where it grows too large, compressed or not."""

    def __init__(self, raw: Any, error: SourceError) -> None:
        self._raw = raw
        self._error = error

    def stream(self, amt: int, *, decode_content: bool | None = None) -> Iterator[bytes]:
        seen = 0
        for chunk in self._raw.stream(amt, decode_content=decode_content):
            seen += len(chunk)
            if seen > MAX_BODY:
                self._raw.close()
                raise self._error
            yield chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)
