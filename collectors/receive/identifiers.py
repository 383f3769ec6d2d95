"""Trace and span identifiers as lower-case hexadecimal text."""

from __future__ import annotations

TRACE, SPAN = 16, 8
"""How many bytes an identifier has."""

_EMPTY = {b"", bytes(TRACE), bytes(SPAN)}


def text_of(identifier: bytes, length: int, what: str) -> str | None:
    """Write an identifier; None for none or zeros; raises ``ValueError`` for a wrong length."""
    if len(identifier) == length:
        return identifier.hex() if identifier not in _EMPTY else None
    if not identifier:
        return None
    raise ValueError(f"the {what} has {len(identifier)} bytes, not {length}")


def required(identifier: bytes, length: int, what: str) -> str:
    """Write an identifier; raises ``ValueError`` when there is none."""
    text = text_of(identifier, length, what)
    if text is None:
        raise ValueError(f"the {what} is missing")
    return text
