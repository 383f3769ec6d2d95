"""Requests to other products over HTTP: bounded, patient, and careful with what is secret."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from json import loads
from pathlib import Path
from urllib.parse import urlsplit

import requests

from collectors.readers.external.refusals import checked, quoted
from collectors.readers.external.session import open_session, read_bounded
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.clock import within as bounded
from collectors.readers.prometheus.failures import from_exception
from collectors.readers.prometheus.transient import TransientError, timed_out
from slo.errors import AuthenticationFailed, SourceUnavailable
from slo.printable import printable
from slo.records import dataclass
from slo.workspace import ExternalSource

Headers = Callable[[], Mapping[str, str]]
"""Makes the headers that prove the sender, anew for each request."""

Pause = Callable[[Mapping[str, str], datetime], float | None]
"""Reads from an answer's headers how many seconds the product asks to be left alone."""

_FIRST_PAUSE = 0.5
_LONGEST_SECRET = 64 * 1024
_SHORTEST_MASKED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A product's success: ``body`` is its JSON with exact numbers, ``None`` if it is empty.

    Fractions are ``Decimal`` and so are NaN and the infinities, which some products write. Names
    of ``headers`` are found in any case.
    """

    status: int
    headers: Mapping[str, str]
    body: object


def seconds_in(header: str) -> Pause:
    """Return what reads a pause from a header that holds seconds, such as X-RateLimit-Reset."""

    def pause(headers: Mapping[str, str], _: datetime) -> float | None:
        return _plain_number(headers.get(header, ""))

    return pause


def moment_in(header: str) -> Pause:
    """Return what reads a pause from a header that holds a moment in Unix seconds."""

    def pause(headers: Mapping[str, str], now: datetime) -> float | None:
        moment = _plain_number(headers.get(header, ""))
        return None if moment is None else max(0.0, moment - now.timestamp())

    return pause


class Web:
    """Asks one product; safe to share between threads.

    ``pause`` reads the product's own headers where it does not send Retry-After. Raises
    ``SourceUnavailable`` where the source has no usable address.
    """

    def __init__(
        self,
        source: ExternalSource,
        *,
        headers: Headers,
        clock: Clock,
        default_url: str | None = None,
        pause: Pause | None = None,
    ) -> None:
        url = (source.url or default_url or "").rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SourceUnavailable(
                f"{source.reference}: its url is not an http or https address",
                source=source.reference,
                hint="write it as in https://api.example.com",
            )
        self.source = source
        self.clock = clock
        self._url = url
        self._headers = headers
        self._pause = pause
        self._masked: frozenset[str] = frozenset()
        self._session = open_session(source, url)

    def ask(
        self,
        method: str,
        path: str,
        *,
        within: float,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        accept: str = "application/json",
        lines: bool = False,
        check: Callable[[object], None] | None = None,
    ) -> Answer:
        """Return a product's answer to one request, after as many tries as it takes.

        ``path`` begins with a slash or is empty. With ``lines`` the body is a list of the JSON
        values that stand one on each line. ``check`` gets the body of a success and raises
        ``TransientError`` for a failure in it that may pass, or ``SourceError``. Raises
        ``SourceError``, within ``within`` seconds.
        """
        request = requests.Request(
            method,
            self._url + path,
            params=dict(params or {}),
            json=json,
            data=None if form is None else dict(form),
            headers={"Accept": accept},
        )
        end = self.clock.monotonic() + within
        pause, attempt = _FIRST_PAUSE, 0
        while True:
            left = end - self.clock.monotonic()
            try:
                return self._attempt(request, left, lines=lines, check=check)
            except TransientError as failure:
                wait = pause * (0.5 + self.clock.jitter())
                if failure.after is not None:
                    wait = max(wait, failure.after)
                attempt += 1
                left = end - self.clock.monotonic()
                if attempt > self.source.retries or wait >= left:
                    raise failure.error from failure.__cause__
                self.clock.sleep(wait)
                pause *= 2

    def quote(self, words: str) -> str:
        """Return a product's words fit for a message: short, printable, without our secrets."""
        for each in sorted(self._masked, key=len, reverse=True):
            words = words.replace(each, "***")
        return quoted(words)

    def _attempt(
        self,
        request: requests.Request,
        left: float,
        *,
        lines: bool,
        check: Callable[[object], None] | None,
    ) -> Answer:
        name = self.source.reference
        seconds = min(left, float(self.source.timeout.seconds))
        if seconds <= 0:
            raise timed_out(name, max(0.0, seconds))
        try:
            # A socket's timeout does not bound a body that trickles, nor the lookup of a name.
            answer = bounded(seconds, lambda: self._exchange(request, seconds, lines=lines))
        except TimeoutError:
            raise timed_out(name, seconds) from None
        if check is not None:
            check(answer.body)
        return answer

    def _exchange(self, request: requests.Request, seconds: float, *, lines: bool) -> Answer:
        name = self.source.reference
        proof = self._headers()
        self._masked = frozenset(_secrets(proof))
        prepared = self._session.prepare_request(request)
        prepared.headers.update(proof)
        tls = self.source.tls
        # What is not given here, the environment may override.
        settings = self._session.merge_environment_settings(
            prepared.url or "",
            {},
            True,  # noqa: FBT003 - the name of a third of five: stream
            False if tls.insecure_skip_verify else tls.ca_file,
            None,
        )
        try:
            with self._session.send(
                prepared, timeout=seconds, allow_redirects=False, **settings
            ) as response:
                body = read_bounded(response, name)
        except requests.RequestException as error:
            raise from_exception(error, name) from error
        except OSError as error:
            raise SourceUnavailable(
                f"{name}: a file of its tls settings cannot be used: {printable(str(error))}",
                source=name,
            ) from error
        checked(response, body, name, quote=self.quote, after=self._after(response))
        return Answer(
            status=response.status_code,
            headers=response.headers,
            body=self._json(body, response, lines=lines),
        )

    def _json(self, body: bytes, response: requests.Response, *, lines: bool) -> object:
        try:
            texts = [each for each in body.split(b"\n") if each.strip()] if lines else [body]
            if not lines and not body.strip():
                return None
            found = [loads(each, parse_float=Decimal, parse_constant=Decimal) for each in texts]
        except (ValueError, RecursionError):
            raise self._no_json(body, response) from None
        return found if lines else found[0]

    def _no_json(self, body: bytes, response: requests.Response) -> SourceUnavailable:
        name = self.source.reference
        page = body.lstrip().startswith(b"<") or "html" in response.headers.get("Content-Type", "")
        if page:
            return SourceUnavailable(
                f"{name}: the server answered with a web page instead of JSON",
                source=name,
                hint="is the url that of the product's API, or is there a login in front of it?",
            )
        return SourceUnavailable(
            f"{name}: the answer is not complete JSON ({len(body)} bytes)",
            source=name,
            hint="check the source's url, including its path",
        )

    def _after(self, response: requests.Response) -> float | None:
        return self._pause(response.headers, self.clock.now()) if self._pause else None


def secret(source: ExternalSource, key: str, variable: str, environ: Mapping[str, str]) -> str:
    """Return a secret: what the file of ``settings[key]`` holds, else ``environ[variable]``.

    It is read anew each time, so that rotated secrets work. Raises ``AuthenticationFailed``.
    """
    name = source.reference
    file = source.settings.get(key)
    if file is None:
        found, origin = environ.get(variable, "").strip(), f"the variable {variable}"
        if not found:
            raise AuthenticationFailed(
                f"{name}: there is neither {key} nor the variable {variable}",
                source=name,
                hint=f"put the secret into a file and name it in the source's {key}",
            )
    else:
        found, origin = _content(file, name), f"the secret in {file}"
    problem = None
    if not found:
        problem = "is empty"
    elif len(found) > _LONGEST_SECRET:
        problem = f"is longer than {_LONGEST_SECRET} bytes"
    elif not (found.isascii() and found.isprintable()):
        problem = "holds characters that no header can carry"
    if problem:
        raise AuthenticationFailed(f"{name}: {origin} {problem}", source=name)
    return found


def _content(file: str, source: str) -> str:
    try:
        with Path(file).open("rb") as handle:
            return handle.read(_LONGEST_SECRET + 2).decode().strip("\r\n\t ")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise AuthenticationFailed(
            f"{source}: cannot read {file}: {reason}", source=source
        ) from None


def _secrets(headers: Mapping[str, str]) -> Iterator[str]:
    """Everything in headers that a product might repeat in its words."""
    for value in headers.values():
        scheme, _, token = value.partition(" ")
        found = [value, token]
        if scheme == "Basic":
            with suppress(binascii.Error, UnicodeDecodeError):
                found += base64.b64decode(token).decode().split(":", 1)
        yield from (each for each in found if len(each) >= _SHORTEST_MASKED)


def _plain_number(text: str) -> float | None:
    text = text.strip()
    whole, _, rest = text.partition(".")
    return float(text[:20]) if (whole + rest).isascii() and (whole + rest).isdigit() else None
