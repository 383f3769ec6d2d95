"""Templates of alerts as Prometheus expands them: exactly the forms that our rules can hold.

Those are what `alerts.prometheus.wording` writes and `slo.loader.annotations` lets through.
Formats are those of Prometheus 3's template functions and of Go's ``fmt``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from slo.records import dataclass

Ask = Callable[[str], Sequence[float]]
"""Gives the values of a query's answer."""

Value = float | str

_ACTION = re.compile(r"(?P<before>\s*)\{\{(?P<trim>-\s)?(?P<inner>.*?)(?P<end>\s-)?\}\}", re.DOTALL)
_QUERY = re.compile(
    r"\{\{ with query `(?P<query>[^`]*)` \}\}\{\{ \. \| first \| value \| (?P<function>\w+) \}\}"
    r"\{\{ else \}\}(?P<other>[^{]*)\{\{ end \}\}"
)
_PRINTF = re.compile(r'printf\s+"(?P<format>[^"]*)"')
_VERB = re.compile(r"%(?P<flags>[-+# 0]*)(?P<width>\d*)(?P<precision>\.\d*)?(?P<verb>.)", re.DOTALL)
_THOUSAND, _KIBI, _MINUTE = 1000.0, 1024.0, 60
_LARGE, _SMALL = 6, -5


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a template may speak of."""

    labels: Mapping[str, str]
    value: float
    external_url: str = ""


class _TemplateError(Exception):
    """A template cannot be expanded."""


def expand(template: str, context: Context, ask: Ask) -> str:
    """Expand a template; one that cannot be says so in its place, as Prometheus does."""
    if "{{" not in template:
        return template
    try:
        parts: list[str] = []
        place = 0
        for match in _QUERY.finditer(template):
            parts.append(_plain(template[place : match.start()], context))
            parts.append(_asked(match, ask))
            place = match.end()
        parts.append(_plain(template[place:], context))
    except (_TemplateError, ValueError) as error:
        return f"<error expanding template: {error}>"
    return "".join(parts)


def _asked(match: re.Match[str], ask: Ask) -> str:
    values = ask(match["query"])
    if not values:
        return match["other"]
    return _text(_apply(match["function"], float(values[0])))


def _plain(template: str, context: Context) -> str:
    parts: list[str] = []
    place, trim = 0, False
    for match in _ACTION.finditer(template):
        text = template[place : match.start()]
        text += "" if match["trim"] else match["before"]
        parts.append(text.lstrip() if trim else text)
        parts.append(_text(_pipeline(match["inner"].strip(), context)))
        place, trim = match.end(), match["end"] is not None
    rest = template[place:]
    return "".join([*parts, rest.lstrip() if trim else rest])


def _pipeline(action: str, context: Context) -> Value:
    if action == '"{{"':
        return "{{"
    first, *functions = re.split(r"\s*\|\s*(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", action)
    value = _variable(first, context)
    for each in functions:
        value = _apply(each, value)
    return value


def _variable(name: str, context: Context) -> Value:
    if name in {"$value", ".Value"}:
        return context.value
    if name == "$externalURL":
        return context.external_url
    _, labels, label = name.partition(".") if name.startswith("$labels.") else ("", "", "")
    if not labels and name.startswith(".Labels."):
        label = name.removeprefix(".Labels.")
    if not label:
        raise _TemplateError(f"{name} is not one that alerts can use")
    return context.labels.get(label, "")


def _apply(function: str, value: Value) -> Value:
    if (match := _PRINTF.fullmatch(function)) is not None:
        return _printf(match["format"], value)
    if function in _OF_TEXT:
        if not isinstance(value, str):
            raise _TemplateError(f"wrong type for {function}: a number")
        return _OF_TEXT[function](value)
    if function not in _OF_NUMBERS:
        raise _TemplateError(f'function "{function}" not defined')
    return _OF_NUMBERS[function](float(value))


def _text(value: Value) -> str:
    return value if isinstance(value, str) else _go_float(value)


def humanize(value: float) -> str:
    """Write a number with a metric prefix."""
    if value == 0 or not math.isfinite(value):
        return _four(value)
    up = abs(value) >= 1
    return _four(*_scaled(value, "kMGTPEZY" if up else "munpfazy", up=up))


def humanize1024(value: float) -> str:
    """Write a number with a binary prefix."""
    if abs(value) <= 1 or not math.isfinite(value):
        return _four(value)
    prefix = ""
    for each in ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"):
        if abs(value) < _KIBI:
            break
        prefix, value = each, value / _KIBI
    return _four(value, prefix)


def humanize_percentage(value: float) -> str:
    """Write a share as a percentage."""
    return _four(value * 100, "%")


def humanize_duration(value: float) -> str:
    """Write seconds in days, hours, minutes and seconds."""
    if not math.isfinite(value):
        return _four(value)
    if value == 0:
        return "0s"
    sign, left = ("-", -value) if value < 0 else ("", value)
    if left < 1:
        return _four(*_scaled(value, "munpfazy", up=False)) + "s"
    whole = int(left)
    days, hours = whole // 86_400, whole // 3_600 % 24
    minutes, seconds = whole // _MINUTE % _MINUTE, whole % _MINUTE
    if whole < _MINUTE:
        return f"{sign}{_four(left)}s"
    parts = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    first = next(place for place, (number, _) in enumerate(parts) if number)
    return sign + " ".join(f"{number}{unit}" for number, unit in parts[first:])


def humanize_timestamp(value: float) -> str:
    """Write Unix seconds as a date."""
    if not math.isfinite(value):
        return _four(value)
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    fraction = f".{at.microsecond:06d}".rstrip("0") if at.microsecond else ""
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


_OF_NUMBERS: Mapping[str, Callable[[float], str]] = {
    "humanize": humanize,
    "humanize1024": humanize1024,
    "humanizePercentage": humanize_percentage,
    "humanizeDuration": humanize_duration,
    "humanizeTimestamp": humanize_timestamp,
}
_OF_TEXT: Mapping[str, Callable[[str], str]] = {
    "title": lambda text: re.sub(r"(?<!\w)\w", lambda match: match[0].upper(), text),
    "toUpper": str.upper,
    "toLower": str.lower,
}


def _scaled(value: float, prefixes: str, *, up: bool) -> tuple[float, str]:
    prefix = ""
    for each in prefixes:
        if abs(value) < _THOUSAND if up else abs(value) >= 1:
            break
        prefix, value = each, value / _THOUSAND if up else value * _THOUSAND
    return value, prefix


def _four(value: float, suffix: str = "") -> str:
    return f"{_special(value) or f'{value:.4g}'}{suffix}"


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("+Inf" if value > 0 else "-Inf") if math.isinf(value) else ""


def _go_float(value: float) -> str:
    """Write a float as Go's ``%v``: the shortest digits, an exponent from a million up."""
    if _special(value):
        return _special(value)
    digits = Decimal(repr(value))
    exponent = digits.adjusted() if value else 0
    if _SMALL < exponent < _LARGE:
        text = f"{digits:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa = f"{digits.scaleb(-exponent).normalize():f}"
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _printf(pattern: str, value: Value) -> str:
    used = False

    def put(match: re.Match[str]) -> str:
        nonlocal used
        verb = match["verb"]
        if verb == "%":
            return "%"
        if used:
            return f"%!{verb}(MISSING)"
        used = True
        return _verb(match, verb, value)

    text = _VERB.sub(put, pattern)
    return text if used else f"{text}%!(EXTRA {_typed(value)})"


def _verb(match: re.Match[str], verb: str, value: Value) -> str:
    head = f"%{match['flags']}{match['width']}"
    precision = match["precision"] or ""
    if isinstance(value, str):
        if verb in "sv":
            return f"{head}{precision}s" % value
        return f'"{value}"' if verb == "q" else f"%!{verb}(string={value})"
    if verb not in "veEfFgG":
        return f"%!{verb}(float64={_go_float(value)})"
    if _special(value) or verb == "v" or (verb in "gG" and not precision):
        return f"{head}s" % _go_float(value)
    return f"{head}{precision}{verb}" % value


def _typed(value: Value) -> str:
    return f"string={value}" if isinstance(value, str) else f"float64={_go_float(value)}"
