"""Alertmanager's matchers as text, quoted for its classic and its UTF-8 parser alike."""

from collections.abc import Iterable

SEVERITY = "severity"
ALERT_NAME = "alertname"


def equals(label: str, value: str) -> str:
    """Return the matcher for one exact value."""
    return f'{label}="{_escape(value)}"'


def one_of(label: str, values: Iterable[str]) -> str:
    """Return the matcher for several values, which must be plain words."""
    return f'{label}=~"{"|".join(values)}"'


def present(label: str) -> str:
    """Return the matcher for alerts that carry a label at all."""
    return f'{label}!=""'


def _escape(value: str) -> str:
    # Both parsers know these three escapes and no other one in common.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
