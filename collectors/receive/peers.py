"""What a span talks to, and the facts of its HTTP request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from collectors.joining import facts as names

ROUTE = ("http.route", "url.template")
METHOD = ("http.request.method", "http.method", "rpc.method")
HTTP_STATUS = ("http.response.status_code", "http.status_code")
PEER_SERVICE = ("service.peer.name", "peer.service")
DATABASE_NAME = ("db.namespace", "db.name")
ADDRESS = ("server.address", "net.peer.name", "network.peer.address", "http.host", "url.domain")

_LOWEST, _HIGHEST = 100, 599

Peer = tuple[str | None, str | None]


def text_of(keys: Iterable[str], attributes: Mapping[str, object]) -> str | None:
    """The first of some attributes that is a text."""
    for key in keys:
        value = attributes.get(key)
        if isinstance(value, str) and value:
            return value
    return None


def http_status(attributes: Mapping[str, object]) -> int | None:
    """The status of the HTTP answer, 100 to 599."""
    for key in HTTP_STATUS:
        value = attributes.get(key)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:  # noqa: PLR2004 - digits of a status
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and _LOWEST <= value <= _HIGHEST:
            return value
    return None


def peer_of(attributes: Mapping[str, object]) -> Peer:
    """What a client, producer or consumer span talks to, and which kind of thing that is.

    A database is ``system/address``, since it is the server that is slow or down whoever asks it,
    or ``system/name`` without one; a queue is ``system/destination``; a service is what the sender
    named so, and any other address is external.
    """
    system = text_of(names.DATABASE_SYSTEM, attributes)
    if system:
        part = text_of(ADDRESS, attributes) or text_of(DATABASE_NAME, attributes)
        return f"{system}/{part}" if part else system, "database"
    system = text_of(names.MESSAGING_SYSTEM, attributes)
    if system:
        part = text_of(names.DESTINATION, attributes) or text_of(ADDRESS, attributes)
        return f"{system}/{part}" if part else system, "messaging"
    service = text_of(PEER_SERVICE, attributes)
    if service:
        return service, "service"
    address = text_of(ADDRESS, attributes)
    return address, "external" if address else None
