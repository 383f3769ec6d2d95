"""Canonical JSON and the hash chain.

The form is RFC 8785 for the data that records hold: objects with sorted ASCII keys, texts,
integers, booleans and nulls. Numbers that decide are texts, so no rule for floats is needed.
"""

import hashlib
import json
from collections.abc import Mapping

GENESIS = "sha256:" + "0" * 64
"""What the first record names as the hash before it."""

_LARGEST = 2**53


def canonical(data: object) -> bytes:
    """Return the one way to write JSON data; raises `TypeError` for what has several.

    Lone surrogates, which UTF-8 cannot hold, are written as JSON escapes.
    """
    _check(data)
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


def hash_of(record: Mapping[str, object]) -> str:
    """Return the hash of a record; an `audit.hash` that it holds already does not count."""
    audit = record.get("audit")
    if isinstance(audit, Mapping):
        unsealed = {key: value for key, value in audit.items() if key != "hash"}
        record = {**record, "audit": unsealed}
    return f"sha256:{hashlib.sha256(canonical(record)).hexdigest()}"


def _check(data: object) -> None:
    if isinstance(data, Mapping):
        for key, value in data.items():
            if not (isinstance(key, str) and key.isascii()):
                raise TypeError(f"the key {key!r} is not ASCII text")
            _check(value)
    elif isinstance(data, list | tuple):
        for item in data:
            _check(item)
    elif isinstance(data, bool | str) or data is None:
        return
    elif not isinstance(data, int) or not -_LARGEST < data < _LARGEST:
        raise TypeError(f"{data!r} has no single form in JSON; write it as text")
