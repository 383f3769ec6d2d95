"""From a product's answer that is no success to an error in that product's own words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from json import loads
from urllib.parse import urlsplit

import requests

from collectors.readers.prometheus.transient import TransientError
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.printable import printable

_SUCCESSES = range(200, 300)
_REDIRECTS = range(300, 400)
_DENIED = (401, 403)
_REJECTED = (400, 404, 413, 414, 422)
_GAVE_UP = (408, 504)
_PASSING = (429, 502, 503, 504)
_LONGEST_QUOTE = 300
_MOST_WORDS = 5
_WORDS = ("message", "detail", "text", "error_message", "title", "error", "errorMessage", "reason")
_HOLDERS = ("errors", "messages", "error", "detail", "status")

_HINTS: Mapping[int, str] = {
    401: "check the source's credentials: are they of this region, and still valid?",
    403: "give these credentials the right to query",
    404: "check the source's url, including its path",
    413: "ask for less at once",
    429: "the product limits requests: ask less often, or have its limit raised",
}


def quoted(words: str) -> str:
    """Return a product's words fit for a message: one printable line of 300 characters at most."""
    return printable(" ".join(words.split()))[:_LONGEST_QUOTE]


def words_of(body: object) -> str:
    """Return what an answer says in words, whichever of the usual fields it says it in."""
    found = dict.fromkeys(each for each in _words(body, 0) if each)
    return "; ".join(list(found)[:_MOST_WORDS])


def checked(
    response: requests.Response,
    body: bytes,
    source: str,
    *,
    quote: Callable[[str], str],
    after: float | None,
) -> None:
    """Raise ``SourceError`` or ``TransientError`` for any answer that is no success.

    ``after`` are seconds to be left alone that the product's own headers ask for.
    """
    status = response.status_code
    if status in _SUCCESSES:
        return
    if status in _REDIRECTS:
        raise _redirected(response, source)
    words = quote(_said(body))
    said = f": {words}" if words else ""
    error = _error(status, said, source)
    if status in _PASSING:
        asked = _retry_after(response)
        raise TransientError(error, after=after if asked is None else asked)
    raise error


def _error(status: int, said: str, source: str) -> SourceError:
    hint = _HINTS.get(status)
    if status in _DENIED:
        return AuthenticationFailed(
            f"{source}: the server refused the credentials ({status}){said}",
            source=source,
            hint=hint,
        )
    if status in _REJECTED:
        return QueryRejected(
            f"{source}: the server refused the query ({status}){said}", source=source, hint=hint
        )
    if status in _GAVE_UP:
        return SourceTimeout(
            f"{source}: the server gave the query up ({status}){said}", source=source, hint=hint
        )
    return SourceUnavailable(
        f"{source}: the server answered {status}{said}", source=source, hint=hint
    )


def _said(body: bytes) -> str:
    try:
        return words_of(loads(body))
    except (ValueError, RecursionError):
        pass
    # A page of a proxy says less than its status does.
    start = body[: 4 * _LONGEST_QUOTE].lstrip()
    return "" if start.startswith(b"<") else start.decode(errors="replace")


def _words(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value[:_MOST_WORDS]:
            yield from _words(each, depth + 1)
    elif isinstance(value, Mapping) and depth < _MOST_WORDS:
        first = next((value[key] for key in _WORDS if isinstance(value.get(key), str)), None)
        if first:
            yield first
        for key in _HOLDERS:
            if isinstance(value.get(key), Mapping | list):
                yield from _words(value[key], depth + 1)


def _redirected(response: requests.Response, source: str) -> SourceError:
    # Only scheme, host and path: the query of a login page may carry a state worth hiding.
    target = urlsplit(response.headers.get("Location", ""))
    where = f"{target.scheme}://{target.hostname or ''}{target.path}"
    return SourceUnavailable(
        f"{source}: the server redirects to {quoted(where) if target.netloc else 'another page'}, "
        "which is not followed",
        source=source,
        hint="put the address of the product's own region or deployment into the source's url",
    )


def _retry_after(response: requests.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        # A clock of ours that goes wrong must not wait for hours: the server's own Date counts.
        sent = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return max(0.0, (_zoned(moment) - _zoned(sent)).total_seconds())


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
