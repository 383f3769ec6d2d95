"""Numbers, times and states in words: each with its unit, none standing for missing data.

Times are Unix nanoseconds, shares are of 1. A state always has a sign besides its colour.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from app.reports import figures
from app.services.results import Estimate, Forecast, Outlook
from slo.evaluate import State
from slo.gate.findings import Effect
from slo.printable import printable

Number = Fraction | float | int

NO_DATA = "no data"
ABSENT = "-"
"""What stands in a table where something does not apply."""

SECOND = 1_000_000_000

STATES: Mapping[str, str] = {
    State.OK: "✓ ok",
    State.BURNING: "▲ burning",
    State.EXHAUSTED: "✕ exhausted",
    State.NO_DATA: "∅ no data",
}
"""The states of an SLO."""

DECISIONS: Mapping[str, str] = {
    Effect.ALLOW: "✓ allow",
    Effect.WARN: "▲ warn",
    Effect.DENY: "✕ deny",
    Effect.INDETERMINATE: "? indeterminate",
}
"""What the gate says."""

HEADLINES: Mapping[str, str] = {
    Effect.ALLOW: "Yes, you may ship",
    Effect.WARN: "Yes, with a warning",
    Effect.DENY: "No, do not ship",
    Effect.INDETERMINATE: "Nobody can tell yet",
}
"""The answer to *may I ship?*"""

LEVELS: Mapping[str, str] = {
    "fatal": "✕ fatal",
    "error": "✕ error",
    "warn": "▲ warn",
    "info": "• info",
    "debug": "· debug",
    "trace": "· trace",
    "unknown": "? unknown",
}
"""Levels of log records."""

KINDS: Mapping[str, str] = {
    "alert": "▲ alert",
    "deploy": "◆ deploy",
    "pattern": "≡ pattern",
    "decision": "⚖ decision",
}
"""What happens on a timeline."""

COLOURS: Mapping[str, str] = {
    State.OK: "green",
    State.BURNING: "orange",
    State.EXHAUSTED: "red",
    State.NO_DATA: "gray",
    Effect.ALLOW: "green",
    Effect.WARN: "orange",
    Effect.DENY: "red",
    Effect.INDETERMINATE: "gray",
}
"""Colours by their names in Streamlit, for states and decisions."""

_SEVERITIES = (
    (21, "fatal"),
    (17, "error"),
    (13, "warn"),
    (9, "info"),
    (5, "debug"),
    (1, "trace"),
)
_SOON = 60
"""Clocks and rounded ranges differ by seconds; what is that near ahead is now."""

_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_LIVELY = ((1, "ns", 1_000), (1_000, "µs", 1_000_000), (1_000_000, "ms", SECOND))


def known(number: Number | None) -> bool:
    """Whether there is a number at all; NaN, infinity and pandas' NA are none."""
    try:
        return number is not None and math.isfinite(number)
    except TypeError:
        return False


def percent(share: Number | None, digits: int = 1) -> str:
    """A share of 1 as a percentage; what rounds to nothing or to all is marked as such."""
    if share is None or not known(share):
        return NO_DATA
    return figures.percent(Fraction(share), digits)


def points(share: Number | None) -> str:
    """A difference of shares in percentage points, with its sign."""
    if share is None or not known(share):
        return NO_DATA
    return f"{float(share) * 100:+.2f} pp"


def times(rate: Number | None) -> str:
    """A burn rate; 1 spends a whole budget in one period."""
    if rate is None or not known(rate):
        return NO_DATA
    return figures.times(Fraction(rate))


def amount(number: Number | None) -> str:
    """A number of events, with separators."""
    if number is None or not known(number):
        return NO_DATA
    return figures.amount(Fraction(number))


def per_second(rate: Number | None) -> str:
    """Events per second, with about three digits."""
    if rate is None or not known(rate):
        return NO_DATA
    value = float(rate)
    digits = 0 if abs(value) >= 100 or value == 0 else 1 if abs(value) >= 1 else 3  # noqa: PLR2004 - about three digits
    return f"{value:,.{digits}f}/s"


def lasting(seconds: Number | None) -> str:
    """A length of time in its two largest units."""
    if seconds is None or not known(seconds):
        return NO_DATA
    return figures.span(Fraction(seconds))


def duration(nanoseconds: Number | None) -> str:
    """How long a span took, in the unit that suits it."""
    if nanoseconds is None or not known(nanoseconds):
        return NO_DATA
    value = float(nanoseconds)
    for unit, name, bound in _LIVELY:
        if value < bound:
            return f"{value / unit:.3g} {name}"
    seconds = value / SECOND
    return f"{seconds:.3g} s" if seconds < 100 else lasting(seconds)  # noqa: PLR2004 - three digits


def size(number: Number | None) -> str:
    """Bytes in the unit that suits them."""
    if number is None or not known(number):
        return NO_DATA
    value = float(number)
    for unit in _BINARY:
        if value < 1024 or unit == _BINARY[-1]:  # noqa: PLR2004 - a step of binary units
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    raise AssertionError("the last unit takes any number")


def money(price: Number | None, currency: str | None) -> str:
    """A price; without a currency there is no price table."""
    if currency is None or price is None or not known(price):
        return "no price table" if currency is None else NO_DATA
    return f"{float(price):,.2f} {currency}"


def moment(time: Number | datetime | None) -> datetime | None:
    """An instant in UTC, from nanoseconds or as it is."""
    if isinstance(time, datetime):
        return time.astimezone(UTC)
    if time is None or not known(time):
        return None
    return datetime.fromtimestamp(int(time) // 1000 / 1_000_000, tz=UTC)


def instant(time: Number | datetime | None) -> str:
    """An instant, to the second, in UTC."""
    found = moment(time)
    return NO_DATA if found is None else f"{found:%Y-%m-%d %H:%M:%S} UTC"


def age(time: Number | datetime | None, now: datetime) -> str:
    """How long ago something was."""
    found = moment(time)
    if found is None:
        return NO_DATA
    seconds = (now - found).total_seconds()
    if seconds < -_SOON:
        return f"in {lasting(Fraction(int(-seconds)))}"
    return "just now" if seconds < 1 else f"{lasting(Fraction(int(seconds)))} ago"


def level(severity: Number | None) -> str:
    """The level of a severity number of OpenTelemetry."""
    if severity is None or not known(severity):
        return "unknown"
    return next((name for least, name in _SEVERITIES if severity >= least), "unknown")


def sentence(forecast: Forecast, now: datetime) -> str:
    """What becomes of a budget, as one sentence."""
    horizon = "" if forecast.horizon is None else f" before {instant(forecast.horizon)}"
    match forecast.outlook:
        case Outlook.EXHAUSTED:
            return "The budget is gone."
        case Outlook.UNKNOWN:
            return f"No forecast: {forecast.note or 'too little is known'}."
        case Outlook.STABLE:
            risk = "" if forecast.earliest is None else f", {_at_the_earliest(forecast, now)}"
            return f"The budget is not expected to run out{horizon}{risk}."
        case Outlook.EXHAUSTING:
            return f"As things go, the budget is gone {_when(forecast, now)}."


def _when(forecast: Forecast, now: datetime) -> str:
    middle = age(forecast.at, now)
    if forecast.earliest is None:
        return middle
    late = "never" if forecast.latest is None else age(forecast.latest, now)
    early = age(forecast.earliest, now)
    return f"{middle} ({percent(forecast.confidence, 0)} likely: {early} to {late})"


def _at_the_earliest(forecast: Forecast, now: datetime) -> str:
    return f"though it could be {age(forecast.earliest, now)}"


def compared(estimate: Estimate, *, durations: bool) -> str:
    """Before and after with sample sizes and the interval of the difference.

    The estimate is of nanoseconds, or of shares.
    """
    say: Callable[[Number | None], str] = duration if durations else percent_exact
    change: Callable[[Number | None], str] = difference if durations else points
    sizes = f"(n = {amount(estimate.before_count)} and {amount(estimate.after_count)})"
    if estimate.before is None or estimate.after is None:
        return f"{NO_DATA} {sizes}"
    text = f"{say(estimate.before)} → {say(estimate.after)} {sizes}"
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text}\nchange {change(estimate.low)} to {change(estimate.high)}"


def percent_exact(share: Number | None) -> str:
    """A share with two decimals, for small ratios."""
    return percent(share, 2)


def difference(nanoseconds: Number | None) -> str:
    """A difference of durations with its sign."""
    if nanoseconds is None or not known(nanoseconds):
        return NO_DATA
    value = float(nanoseconds)
    return ("-" if value < 0 else "+") + duration(abs(value))


def verdict(text: str) -> str:
    """What a deploy did, with a sign."""
    signs = {"worse": "✕", "better": "✓", "no clear change": "="}
    return f"{signs.get(text, '?')} {text}"


def plain(text: object) -> str:
    """Untrusted text without anything invisible or steering; line feeds stay."""
    return "\n".join(printable(line) for line in str(text).split("\n"))


def bullets(lines: Iterable[object]) -> str:
    """Untrusted lines as a list, each once."""
    return "\n".join(f"• {plain(line)}" for line in dict.fromkeys(map(str, lines)))


def unmarked(text: object) -> str:
    """Untrusted text for the few places that read Markdown: nothing in it means anything."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])", r"\\\1", plain(text))


def described(row: Mapping[Any, Any]) -> str:
    """Everything that a record says, a line for each field, JSON unfolded; absent ones left out."""
    lines = []
    for name, value in row.items():
        if value is None or value is False or (isinstance(value, float) and not known(value)):
            continue
        shown = _unfolded(value) if name in _JSON else _valued(str(name), value)
        if shown:
            lines.append(f"{name}  {shown}")
    return plain("\n".join(lines))


_JSON = ("attributes", "resource", "events", "links")


def _valued(name: str, value: Any) -> str:
    if name in {"time", "end"}:
        return instant(value)
    if name in {"duration", "self_time"}:
        return duration(value)
    return str(value)


def _unfolded(value: Any) -> str:
    try:
        data = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return str(value)
    if not data:
        return ""
    return "\n" + json.dumps(data, indent=2, ensure_ascii=False, default=str)
