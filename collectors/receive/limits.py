"""How much of one record is taken."""

from __future__ import annotations

from slo.records import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on the parts of a record; lengths are in characters.

    A longer text is cut and ends with `MARK`. Of more attributes than ``attributes`` the first
    are kept, and ``headroom.attributes_left_out`` says how many were not. The name of a metric
    and of its labels is not cut but refused when longer, since a cut name would merge series.
    ``line`` bounds the bytes of one line of a file, ``depth`` nested JSON, ``buckets`` those of
    one histogram. ``records`` bounds the records of one request, and ``repeated`` the characters
    that their resources and scopes take once every row has its own; both refuse the request,
    since a few bytes on the wire may ask for very many here.
    """

    name: int = 1024
    value: int = 8192
    body: int = 262_144
    attributes: int = 256
    events: int = 256
    line: int = 16_777_216
    depth: int = 100
    buckets: int = 4096
    records: int = 250_000
    repeated: int = 268_435_456


MARK = "… [cut]"
"""How a text that was cut ends."""

LEFT_OUT = "headroom.attributes_left_out"
"""The attribute that says how many attributes a record lost to the limit."""


def cut(text: str, longest: int) -> str:
    """Shorten a text to a number of characters, mark included."""
    return text if len(text) <= longest else text[: max(0, longest - len(MARK))] + MARK
