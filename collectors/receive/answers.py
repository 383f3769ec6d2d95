"""What an OTLP/HTTP server answers, in the format of the request.

Source: the OTLP specification 1.x, "OTLP/HTTP response". Success is status 200 with the signal's
response message, failure a 4xx or 5xx with a ``google.rpc.Status``.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from collectors.receive.decoded import Decoded
from collectors.receive.limits import cut
from collectors.receive.values import dumps
from collectors.receive.views import otlp
from collectors.signals import Signal

_LONGEST = 1000

_REJECTED: Mapping[Signal, str] = {
    Signal.LOGS: "rejectedLogRecords",
    Signal.SPANS: "rejectedSpans",
    Signal.METRICS: "rejectedDataPoints",
}


class Content(StrEnum):
    """The two formats of OTLP/HTTP by their ``Content-Type``."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


def success(decoded: Decoded, content: Content) -> bytes:
    """The body of a 200; a partial success says how many records were rejected, and why."""
    if not decoded.rejected:
        return b"{}" if content is Content.JSON else b""
    reason = cut(decoded.reason, _LONGEST)
    if content is Content.JSON:
        # 64-bit integers are texts in the JSON of protobuf.
        count = {_REJECTED[decoded.signal]: str(decoded.rejected)}
        return dumps({"partialSuccess": {**count, "errorMessage": reason}}).encode()
    classes = otlp()
    partial = classes["PartialSuccess"](rejected=decoded.rejected, error_message=reason.encode())
    return classes["Answer"](partial_success=partial).SerializeToString()


def refusal(message: str, content: Content) -> bytes:
    """The body of a 4xx or 5xx."""
    text = cut(message, _LONGEST)
    if content is Content.JSON:
        return dumps({"message": text}).encode()
    return otlp()["RpcStatus"](message=text.encode()).SerializeToString()
