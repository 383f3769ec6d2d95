"""How requests prove who sends them: files, token commands, OAuth 2, AWS signatures.

Everything secret is read when a request needs it, so that rotated files and tokens work, and
nothing secret is ever part of a message.
"""

from __future__ import annotations

import base64
import string
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import requests

from collectors.readers.prometheus.clock import Clock
from slo.errors import AuthenticationFailed, SourceTimeout, SourceUnavailable
from slo.workspace import BasicAuth, OAuth2, PrometheusSource, SigV4

LONGEST_TOKEN = 64 * 1024
"""The longest token or secret file that is taken, in bytes."""

_COMMAND_LIFETIME = 300.0
_PRINTABLE = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")
_HTTP_OK = 200
_WRONG_CREDENTIALS = (400, 401)


class Credentials(Protocol):
    """Adds to a prepared request what proves its sender."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Return the request with its proof."""
        ...

    def forget(self) -> bool:
        """Drop what is kept of earlier requests; True when a new try may fare better."""
        ...


def credentials(source: PrometheusSource, clock: Clock, environ: Mapping[str, str]) -> Credentials:
    """Choose the credentials that a source asks for."""
    name, timeout = source.reference, float(source.timeout.seconds)
    if source.sigv4:
        return _Signature(source.sigv4, name, clock, environ)
    if source.basic_auth:
        return _Header(_basic(source.basic_auth, name))
    if source.bearer_token_file:
        file = source.bearer_token_file
        return _Header(lambda: f"Bearer {_secret(file, name)}")
    if source.oauth2:
        return _Token(_client_credentials(source.oauth2, name, timeout), clock)
    if source.token_command:
        return _Token(_command(source.token_command, name, timeout), clock)
    return _Header(lambda: None)


class _Header:
    """An Authorization header that is made anew for every request."""

    def __init__(self, value: Callable[[], str | None]) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        value = self._value()
        if value is not None:
            request.headers["Authorization"] = value
        return request

    def forget(self) -> bool:
        return False


class _Token:
    """A bearer token that is kept until it is about to expire; ``fetch`` gives it and its life."""

    def __init__(self, fetch: Callable[[], tuple[str, float]], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: tuple[str, float] | None = None

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        kept = self._kept
        if kept is None or self._clock.monotonic() >= kept[1]:
            token, lifetime = self._fetch()
            # A token that expires on its way would be refused.
            margin = min(60.0, lifetime / 10)
            kept = self._kept = (token, self._clock.monotonic() + lifetime - margin)
        request.headers["Authorization"] = f"Bearer {kept[0]}"
        return request

    def forget(self) -> bool:
        had = self._kept is not None
        self._kept = None
        return had


class _Signature:
    """An AWS signature over the finished request."""

    def __init__(
        self, settings: SigV4, source: str, clock: Clock, environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._source = source
        self._clock = clock
        self._environ = environ

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        # Imported here: few sources sign, and every gate would wait for it.
        from collectors.readers.prometheus.sigv4 import (  # noqa: PLC0415 - as said above
            find_keys,
            signed_headers,
        )

        keys = find_keys(self._environ, self._settings.profile)
        if keys is None:
            raise AuthenticationFailed(
                f"{self._source}: no AWS credentials found",
                source=self._source,
                hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile of the "
                "shared credentials file",
            )
        body = request.body or b""
        request.headers.update(
            signed_headers(
                method=request.method or "GET",
                url=request.url or "",
                body=body if isinstance(body, bytes) else str(body).encode(),
                headers={},
                keys=keys,
                scope=(self._settings.region, self._settings.service),
                now=self._clock.now(),
            )
        )
        return request

    def forget(self) -> bool:
        return False


def _basic(settings: BasicAuth, source: str) -> Callable[[], str]:
    def value() -> str:
        pair = f"{settings.username}:{_secret(settings.password_file, source)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    return value


def _secret(file: str, source: str) -> str:
    try:
        with Path(file).open("rb") as handle:
            text = handle.read(LONGEST_TOKEN + 1).decode().strip("\r\n\t ")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise AuthenticationFailed(
            f"{source}: cannot read {file}: {reason}", source=source
        ) from None
    return _usable(text, f"the secret in {file}", source)


def _usable(text: str, what: str, source: str) -> str:
    problem = None
    if not text:
        problem = "is empty"
    elif len(text) > LONGEST_TOKEN:
        problem = f"is longer than {LONGEST_TOKEN} bytes"
    elif not _PRINTABLE.issuperset(text):
        problem = "holds characters that no header can carry"
    if problem:
        raise AuthenticationFailed(f"{source}: {what} {problem}", source=source)
    return text


def _command(
    command: Sequence[str], source: str, timeout: float
) -> Callable[[], tuple[str, float]]:
    """Run a command that prints a token; its error output may hold secrets and is not shown."""

    def fetch() -> tuple[str, float]:
        what = f"the token command {command[0]}"
        try:
            done = subprocess.run(  # noqa: S603 - the workspace names it, and no shell reads it
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise SourceTimeout(
                f"{source}: {what} did not end within {timeout:g} s", source=source
            ) from None
        except OSError as error:
            raise AuthenticationFailed(
                f"{source}: {what} cannot be run: {error.strerror}", source=source
            ) from None
        if done.returncode:
            raise AuthenticationFailed(
                f"{source}: {what} ended with code {done.returncode}",
                source=source,
                hint="run it by hand to see why",
            )
        text = done.stdout.decode(errors="replace").strip()
        return _usable(text, f"the output of {what}", source), _COMMAND_LIFETIME

    return fetch


def _client_credentials(
    settings: OAuth2, source: str, timeout: float
) -> Callable[[], tuple[str, float]]:
    """Ask for a token (RFC 6749, section 4.4); without an expiry it is kept for five minutes."""

    def fetch() -> tuple[str, float]:
        secret = _secret(settings.client_secret_file, source)
        form = {"grant_type": "client_credentials"}
        if settings.scopes:
            form["scope"] = " ".join(settings.scopes)
        in_form = {**form, "client_id": settings.client_id, "client_secret": secret}
        # The header is the standard's way; some servers only know the form.
        response = _post(settings, source, timeout, form, (settings.client_id, secret))
        if response.status_code in _WRONG_CREDENTIALS:
            response = _post(settings, source, timeout, in_form, None)
        return _token(response, source)

    return fetch


def _post(
    settings: OAuth2,
    source: str,
    timeout: float,
    form: Mapping[str, str],
    auth: tuple[str, str] | None,
) -> requests.Response:
    try:
        return requests.post(
            settings.token_url,
            data=form,
            auth=auth or _Header(lambda: None),
            headers={"Accept": "application/json"},
            timeout=timeout,
            allow_redirects=False,
        )
    except requests.Timeout:
        raise SourceTimeout(
            f"{source}: the token server did not answer within {timeout:g} s", source=source
        ) from None
    except requests.RequestException as error:
        raise SourceUnavailable(
            f"{source}: the token server cannot be reached ({type(error).__name__})",
            source=source,
            hint="check oauth2.tokenUrl",
        ) from None


def _token(response: requests.Response, source: str) -> tuple[str, float]:
    status = response.status_code
    if status != _HTTP_OK:
        raise AuthenticationFailed(
            f"{source}: the token server answered {status}",
            source=source,
            hint="check oauth2: clientId, clientSecretFile, tokenUrl, scopes",
        )
    try:
        answer = response.json()
        token, lifetime = str(answer["access_token"]), float(answer.get("expires_in") or 300)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AuthenticationFailed(
            f"{source}: the token server's answer holds no access_token", source=source
        ) from None
    return _usable(token, "the token server's token", source), max(0.0, lifetime)
