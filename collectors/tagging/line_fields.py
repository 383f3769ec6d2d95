"""What plain lines say of their trace, span, time and severity, as regular expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slo.portable_regex import escaped

DIGITS: Mapping[str, int] = {"trace": 32, "span": 16}
"""How many hexadecimal digits an identifier has."""

LEVEL = (
    "^.{0,80}?(?:^|[^A-Za-z])"
    "(?P<level>TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|FATAL|CRITICAL)(?:[^A-Za-z]|$)"
)
"""Where a plain line names its severity: a word in capitals near its beginning."""

TIME = (
    "^[^0-9]{0,3}(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    "(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2}))"
)
"""Where a plain line begins with a time that has a zone."""

LEVELS: Mapping[str, tuple[str, ...]] = {
    "trace": ("trace", "verbose", "finest", "finer", "10"),
    "debug": ("debug", "fine", "20"),
    "info": ("info", "information", "informational", "notice", "30"),
    "warn": ("warn", "warning", "40"),
    "error": ("err", "error", "severe", "50"),
    "fatal": ("fatal", "crit", "critical", "alert", "emerg", "emergency", "panic", "60"),
}
"""Words and numbers that senders use for each severity, in lower case."""


def identifier(concept: str, fields: Iterable[str], group: str) -> str:
    """The expression that finds ``field=<hexadecimal digits>`` in a line; the digits are a group.

    A field may also be quoted, and its value be told by a colon or a space.
    """
    names = "|".join(escaped(field) for field in fields)
    return (
        f"(?:^|[^A-Za-z0-9_.])(?:{names})[\"']?[=: ]+[\"']?"
        f"(?P<{group}>[0-9a-fA-F]{{{DIGITS[concept]}}})(?:[^0-9a-fA-F]|$)"
    )
