"""The text of PromQL's small parts: names, strings, durations, matchers and selectors."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Literal, get_args

from slo.records import dataclass

MatchOp = Literal["=", "!=", "=~", "!~"]
_MATCH_OPS = frozenset(get_args(MatchOp))

# Prometheus keeps durations in signed 64-bit nanoseconds.
MAX_DURATION_MS = (2**63 - 1) // 1_000_000
_MAX_DIGITS = 60

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
# Words that the grammar does not take as a bare metric name.
_RESERVED = frozenset(
    {"bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf", "nan"}
)
_UNITS_MS = {
    "y": 31_536_000_000,
    "w": 604_800_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>[0-9]+){unit})?" for unit in _UNITS_MS))
_SECONDS = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Control, zero-width and direction characters would let a value look like something else in a diff.
_TO_ESCAPE = re.compile(
    r'[\x00-\x1f\x7f-\x9f\\"\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]'
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def is_metric_name(name: str) -> bool:
    """Tell whether a metric name may stand unquoted (the classic character set)."""
    return _METRIC.fullmatch(name) is not None


def is_label_name(name: str) -> bool:
    """Tell whether a label name may stand unquoted (the classic character set)."""
    return _LABEL.fullmatch(name) is not None


def quote(value: str) -> str:
    """Write a string literal that every Prometheus reads back as exactly `value`.

    Raises `ValueError` for a lone surrogate, which no UTF-8 text can hold.
    """
    if _SURROGATE.search(value):
        raise ValueError("a lone surrogate cannot stand in PromQL")
    return f'"{_TO_ESCAPE.sub(_escape, value)}"'


def duration_ms(text: str) -> int | None:
    """Read a duration (`1h30m`, or plain seconds) in milliseconds; None when it is none.

    Prometheus's own limits hold: descending units, whole milliseconds, less than 292 years.
    """
    if not text or len(text) > _MAX_DIGITS:
        return None
    if match := _DURATION.fullmatch(text):
        total = sum(int(count) * _UNITS_MS[unit] for unit, count in match.groupdict("0").items())
        return total if total <= MAX_DURATION_MS else None
    if not _SECONDS.fullmatch(text):
        return None
    exact = Fraction(text) * 1000
    return int(exact) if exact.denominator == 1 and exact <= MAX_DURATION_MS else None


def format_duration(milliseconds: int) -> str:
    """Write a duration of at least zero with the units d, h, m, s and ms, as `1h30m`."""
    if milliseconds < 0:
        raise ValueError("a duration is not negative")
    parts = []
    rest = milliseconds
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNITS_MS[unit])
        parts.append(f"{count}{unit}" if count else "")
    return "".join(parts) or "0s"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Matcher:
    """One condition on a label; `str()` gives its PromQL.

    Raises `ValueError` for an unknown operator, an empty name or a lone surrogate.
    """

    name: str
    op: MatchOp = "="
    value: str

    def __post_init__(self) -> None:
        if self.op not in _MATCH_OPS:
            raise ValueError(f"unknown match operator {self.op!r}")
        if not self.name:
            raise ValueError("a matcher needs a label name")
        quote(self.name + self.value)

    def __str__(self) -> str:
        return f"{label_text(self.name)}{self.op}{quote(self.value)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """An instant vector selector: a metric name, matchers, or both; `str()` gives its PromQL.

    A name written as `{"http.requests"}` or `{__name__="x"}` is in `metric`, not in `matchers`.
    """

    metric: str | None
    matchers: tuple[Matcher, ...] = ()

    def __str__(self) -> str:
        return selector_text(self.metric, self.matchers)

    def with_matchers(self, extra: Iterable[Matcher]) -> "Selector":
        """Return this selector with further matchers behind its own, none of them twice."""
        merged = merge_matchers(self.matchers, extra)
        return self if merged == self.matchers else replace(self, matchers=merged)

    def with_metric(self, metric: str) -> "Selector":
        """Return this selector for another metric, such as a histogram's `x_bucket`."""
        return replace(self, metric=metric)


def selector_text(metric: str | None, matchers: Sequence[Matcher] = ()) -> str:
    """Write a selector; a name outside the classic set becomes a `__name__` matcher.

    That form is understood by servers older than 3.0 as well. Raises `ValueError` when both
    parts are missing.
    """
    inside = [str(matcher) for matcher in matchers]
    if metric is not None and (not is_metric_name(metric) or metric.lower() in _RESERVED):
        inside.insert(0, f"__name__={quote(metric)}")
        metric = None
    if metric is None and not inside:
        raise ValueError("a selector needs a metric name or a matcher")
    return f"{metric or ''}{{{','.join(inside)}}}" if inside else str(metric)


def merge_matchers(own: Iterable[Matcher], extra: Iterable[Matcher]) -> tuple[Matcher, ...]:
    """Append the matchers that are not there; another value for the same label is another one."""
    present = list(own)
    for matcher in extra:
        if matcher not in present:
            present.append(matcher)
    return tuple(present)


def label_text(name: str) -> str:
    """Write a label name, quoted when it is outside the classic set."""
    return name if is_label_name(name) else quote(name)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _ESCAPES.get(char) or f"\\u{ord(char):04x}"
