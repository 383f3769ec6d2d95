"""What arrives, decoded into tables of `collectors.signals` with an owner on every row.

::

    inflate(body, encoding, limit) -> bytes            413, 400 or 415 as `Refused`
    OtlpDecoder(joiner).decode(signal, body, at=…, content=…) -> Decoded
    RemoteWriteDecoder(joiner).decode(body) -> Decoded
    LineDecoder(joiner, fields=…).decode(lines, at=…) -> Iterator[Decoded]
    BulkDecoder(joiner, fields=…).decode(body, at=…, index=…) -> Bulk    of Elasticsearch's _bulk
    success(decoded, content), refusal(message, content) -> bytes    answers of OTLP/HTTP
    bulk_answer(bulk, took), bulk_refusal(status, kind, reason) -> bytes    and of Elasticsearch
    digest(body) -> bytes                               the same batch has the same digest

Nothing here asks for the time or touches a disk: ``at`` is when a batch arrived, in Unix
nanoseconds, and stands in for the time of a log record that has none. A decoder keeps bounded
caches between batches; give each thread its own (the `Joiner` may be shared).
"""

from collectors.receive.answers import Content, refusal, success
from collectors.receive.bulk import Bulk, BulkDecoder
from collectors.receive.bulk_answers import bulk_answer, bulk_refusal
from collectors.receive.decoded import Decoded, Refused
from collectors.receive.inflate import digest, inflate
from collectors.receive.limits import Limits
from collectors.receive.lines import LineDecoder
from collectors.receive.otlp import OtlpDecoder
from collectors.receive.plain import FieldMap
from collectors.receive.remote_write import RemoteWriteDecoder

__all__ = [
    "Bulk",
    "BulkDecoder",
    "Content",
    "Decoded",
    "FieldMap",
    "Limits",
    "LineDecoder",
    "OtlpDecoder",
    "Refused",
    "RemoteWriteDecoder",
    "bulk_answer",
    "bulk_refusal",
    "digest",
    "inflate",
    "refusal",
    "success",
]
