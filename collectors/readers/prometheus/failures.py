"""From what went wrong on the wire to an error that names the source and says what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ReadTimeoutError

from collectors.readers.prometheus.transient import TransientError
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.printable import printable

MAX_BODY = 64 * 2**20
"""The largest answer that is read, in bytes after decompression."""

_OK = 200
_PASSING = frozenset({429, 502, 503, 504})
_REJECTED = frozenset({400, 413, 414, 422})
_LONGEST_QUOTE = 300


def too_large(source: str) -> SourceError:
    """Return the error for an answer beyond the bound."""
    return SourceUnavailable(
        f"{source}: the answer is larger than {MAX_BODY // 2**20} MiB",
        source=source,
        hint="ask for fewer applications or a shorter window at once",
    )


def from_exception(error: requests.RequestException, source: str) -> Exception:
    """Return the error, transient or not, for a request that came to no answer."""
    # A body that stops coming is a ConnectionError to requests, with the timeout inside.
    stalled = any(isinstance(each, ReadTimeoutError) for each in error.args)
    if isinstance(error, requests.Timeout) or stalled:
        return SourceTimeout(f"{source}: no answer in time", source=source)
    if isinstance(error, requests.exceptions.SSLError):
        return SourceUnavailable(
            f"{source}: TLS failed: {_innermost(error)}",
            source=source,
            hint="check the certificate's validity and name, and the source's tls settings",
        )
    if isinstance(error, requests.ConnectionError):
        return TransientError(
            SourceUnavailable(
                f"{source}: cannot be reached: {_innermost(error)}",
                source=source,
                hint="is the address right, and does the server run?",
            )
        )
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return TransientError(
            SourceUnavailable(f"{source}: the answer broke off before its end", source=source)
        )
    return SourceUnavailable(
        f"{source}: the request failed ({type(error).__name__})",
        source=source,
        hint="check the source's url and headers",
    )


def check_status(response: requests.Response, source: str, now: datetime) -> None:
    """Raise for any answer that is no success; its body is read already."""
    status = response.status_code
    if status == _OK:
        return
    if response.is_redirect or 300 <= status < 400:  # noqa: PLR2004 - the redirects
        raise _redirected(response, source)
    if status in (401, 403):
        raise AuthenticationFailed(
            f"{source}: the server refused the credentials ({status})",
            source=source,
            hint="check the source's credentials and tenant",
        )
    kind, said = _server_error(response)
    quoted = f": {said}" if said else ""
    if kind in {"timeout", "canceled"}:
        raise SourceTimeout(f"{source}: the server gave the query up{quoted}", source=source)
    if status in _REJECTED:
        raise QueryRejected(f"{source}: the server refused the query{quoted}", source=source)
    error = SourceUnavailable(
        f"{source}: the server answered {status}{quoted}", source=source, hint=_hint(status)
    )
    if status in _PASSING:
        raise TransientError(error, after=_retry_after(response, now))
    raise error


def check_envelope(response: requests.Response, source: str) -> dict[str, object]:
    """Return the JSON object of a success, or raise for anything else that says 200."""
    try:
        envelope = json.loads(response.content)
    except (ValueError, RecursionError):
        raise _not_json(response, source) from None
    if not isinstance(envelope, dict) or "status" not in envelope:
        raise SourceUnavailable(
            f"{source}: the answer is JSON, but not of the Prometheus API",
            source=source,
            hint="check the source's url, including its path",
        )
    if envelope["status"] != "success":
        kind, said = _server_error(response)
        if kind in {"timeout", "canceled"}:
            raise SourceTimeout(f"{source}: the server gave the query up: {said}", source=source)
        raise QueryRejected(
            f"{source}: the server answered with an error: {said or 'no reason'}", source=source
        )
    return envelope


def _redirected(response: requests.Response, source: str) -> SourceError:
    # Only scheme, host and path: the query of a login page may carry a state worth hiding.
    target = urlsplit(response.headers.get("Location", ""))
    where = printable(f"{target.scheme}://{target.hostname or ''}{target.path}")[:_LONGEST_QUOTE]
    return SourceUnavailable(
        f"{source}: the server redirects to {where if target.netloc else 'another page'}, "
        "which is not followed",
        source=source,
        hint="is there a login in front of it? else put the final address into the source's url",
    )


def _not_json(response: requests.Response, source: str) -> SourceError:
    start = response.content[:200].lstrip().lower()
    if start.startswith(b"<") or "html" in response.headers.get("Content-Type", ""):
        return SourceUnavailable(
            f"{source}: the server answered with a web page instead of JSON",
            source=source,
            hint="is there a login in front of it, or is the url that of a user interface?",
        )
    return SourceUnavailable(
        f"{source}: the answer is not complete JSON ({len(response.content)} bytes)",
        source=source,
        hint="does the url lead to a Prometheus API?",
    )


def _server_error(response: requests.Response) -> tuple[str, str]:
    try:
        envelope = json.loads(response.content)
        kind, said = str(envelope.get("errorType", "")), str(envelope.get("error", ""))
    except (ValueError, RecursionError, AttributeError):
        return "", ""
    return kind, printable(said[:_LONGEST_QUOTE])


def _hint(status: int) -> str | None:
    return {
        404: "check the source's url, including its path",
        429: "the server limits requests: ask less often or raise its limit",
        503: "the server is starting, overloaded or shutting down",
    }.get(status)


def _retry_after(response: requests.Response, now: datetime) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (zoned - now).total_seconds())


def _innermost(error: BaseException) -> str:
    """Return the operating system's or the TLS library's own words, without address and headers."""
    seen: BaseException | None = error
    words = type(error).__name__
    for _ in range(8):
        if seen is None:
            break
        if isinstance(seen, OSError) and not isinstance(seen, requests.RequestException):
            words = getattr(seen, "verify_message", None) or seen.strerror or words
        inner = next((each for each in seen.args if isinstance(each, BaseException)), None)
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else inner or seen.__context__
    return printable(str(words)[:_LONGEST_QUOTE])
