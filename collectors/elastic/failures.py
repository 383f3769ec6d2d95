"""From what went wrong in the client to an error that names the source and says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from elastic_transport import ConnectionError as Unreached
from elastic_transport import ConnectionTimeout, SerializationError, TlsError
from elasticsearch import ApiError, UnsupportedProductError

from collectors.elastic.refusal import Refusal
from collectors.elastic.transient import PassingError
from slo.errors import (
    AuthenticationFailed,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.printable import printable

_PASSING = (429, 502, 503)
_REDIRECTS = range(300, 400)
_LONGEST_QUOTE = 300

_LOGIN = "is there a login in front of it? else put the final address into the source"
_SLOW = "is the cluster overloaded? raise the source's timeout if it needs longer"

_HINTS: Mapping[int, str] = {
    401: "check the source's apiKeyFile, bearerTokenFile or basicAuth",
    403: "give the source's user or API key this privilege",
    404: "check the source's url, including its path, and the name asked for",
    406: "is it OpenSearch? then say flavor: opensearch in the source",
    408: _SLOW,
    413: "the server takes no request of this size: send less at once",
    429: "the cluster is busy or limits requests: ask less often, or later",
    503: "the cluster is starting, has no master, or lost shards: see _cluster/health",
    504: _SLOW,
}

_REDIRECTED = (SourceUnavailable, "the server redirects ({status}), which is not followed")
_DENIED = (AuthenticationFailed, "the server refused the credentials ({status})")
_GAVE_UP = (SourceTimeout, "the server gave the request up ({status})")
_STATUSES: Mapping[int, tuple[type[SourceError], str]] = {
    401: _DENIED,
    403: _DENIED,
    406: (SourceUnavailable, "the server does not take Elasticsearch's media types ({status})"),
    408: _GAVE_UP,
    504: _GAVE_UP,
}

_BROKEN: Mapping[type[Exception], tuple[type[SourceError], str, str]] = {
    ConnectionTimeout: (SourceTimeout, "no answer in time", _SLOW),
    # A kind of ConnectionError to the client, and so before it.
    TlsError: (
        SourceUnavailable,
        "TLS failed: {reason}",
        "check the certificate's validity and name, and the source's tls settings",
    ),
    Unreached: (
        SourceUnavailable,
        "cannot be reached: {reason}",
        "is the address right, and does the server run?",
    ),
    SerializationError: (
        SourceUnavailable,
        "the answer is not complete JSON",
        "does the url lead to Elasticsearch or OpenSearch itself?",
    ),
    UnsupportedProductError: (
        SourceUnavailable,
        "the server does not say that it is Elasticsearch",
        "say flavor: opensearch if it is, or let a proxy pass the header X-Elastic-Product",
    ),
}


def from_exception(error: Exception, source: str) -> Exception:
    """The error, passing or not, for what the client raised; others come back as they are."""
    if isinstance(error, ApiError) and not isinstance(error, UnsupportedProductError):
        return from_answer(error.meta.status, error.body, source)
    for kind, (failure, said, hint) in _BROKEN.items():
        if isinstance(error, kind):
            message = f"{source}: {said.format(reason=_innermost(error))}"
            known = failure(message, source=source, hint=hint)
            return PassingError(known) if kind is Unreached else known
    return error


def from_answer(status: int, body: object, source: str) -> Exception:
    """The error, passing or not, for an answer that is no success."""
    kind, reason = cause(body)
    quoted = f": {reason or kind}" if reason or kind else ""
    hint = _HINTS.get(status)
    if status in _STATUSES or status in _REDIRECTS:
        failure, said = _STATUSES.get(status, _REDIRECTED)
        message = f"{source}: {said.format(status=status)}{quoted}"
        return failure(message, source=source, hint=hint or _LOGIN)
    if status in _PASSING or status >= 500:  # noqa: PLR2004 - the server's own failures
        error = SourceUnavailable(
            f"{source}: the server answered {status}{quoted}", source=source, hint=hint
        )
        return PassingError(error) if status in _PASSING else error
    return Refusal(
        f"{source}: the server refused the request ({status}){quoted}",
        source=source,
        status=status,
        kind=kind,
        reason=reason,
        hint=hint,
    )


def cause(body: object) -> tuple[str, str]:
    """The kind and the reason of an error in the cluster's words, the root cause if it is told."""
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return "", _short(error) if isinstance(error, str) else ""
    found: Mapping[str, Any] = error
    for holder in ("failed_shards", "root_cause"):
        inner = error.get(holder)
        if isinstance(inner, list) and inner and isinstance(inner[0], Mapping):
            each = inner[0].get("reason", inner[0]) if holder == "failed_shards" else inner[0]
            found = each if isinstance(each, Mapping) else found
            break
    reasons = [str(found.get("reason") or "")]
    # "failed to parse field" says nothing without what the parser met.
    deeper = found.get("caused_by") or error.get("caused_by")
    while isinstance(deeper, Mapping) and len(reasons) < 4:  # noqa: PLR2004 - a bound on nesting
        reason = str(deeper.get("reason") or "")
        if reason and reason not in reasons[-1]:
            reasons.append(reason)
        deeper = deeper.get("caused_by")
    return str(found.get("type") or ""), _short(": ".join(filter(None, reasons)))


def _short(text: str) -> str:
    return printable(" ".join(text.split())[:_LONGEST_QUOTE])


def _innermost(error: BaseException) -> str:
    """The operating system's or the TLS library's own words, without addresses and headers."""
    words = type(error).__name__
    seen: BaseException | None = error
    for _ in range(8):
        if seen is None:
            break
        if isinstance(seen, OSError):
            words = getattr(seen, "verify_message", None) or seen.strerror or words
        inner = next((each for each in seen.args if isinstance(each, BaseException)), None)
        errors = getattr(seen, "errors", ())
        seen = errors[0] if errors else inner or seen.__cause__ or seen.__context__
    return _short(str(words))
