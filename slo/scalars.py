"""Shapes of single values: text, numbers, flags, durations, objectives, choices, URLs, dates.

A plain scalar that stands for text is taken as written, whatever YAML 1.1 would make of it:
`no`, `12:30:00` and `1.10` stay what they are. The schemas want strings there, because other
tools hand validators a boolean or a number for them and the text is lost; quote such values, or
set `literal` on a `Text` where numbers and booleans are usual.
"""

import operator
import re
from abc import abstractmethod
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import ClassVar, TypeVar

from slo._shape import UNREADABLE, NotRead, Shape
from slo.nodes import Mapping, Node, Plain, Scalar, Style, to_plain
from slo.printable import quote
from slo.problems import Problem, error
from slo.records import dataclass
from slo.suggest import did_you_mean
from slo.units import DURATION_PATTERN, PERCENT_PATTERN, Duration, UnitError, parse_percent

T = TypeVar("T")
N = TypeVar("N", int, Decimal)

_BIDI = r"\u2028-\u202e\u2066-\u2069"
_LINE = rf"^[^\u0000-\u001f\u007f-\u009f{_BIDI}]*$"
_LINES = rf"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f{_BIDI}]*$"
_ONE_LINE = re.compile(_LINE)
_MANY_LINES = re.compile(_LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScalarShape(Shape[T]):
    """A shape that only a single value can have."""

    def read(self, node: Node, problems: list[Problem]) -> T | NotRead:
        """Return the value of a scalar node."""
        if not isinstance(node, Scalar) or node.is_null:
            return self.refuse(node, problems, hint=_brace_hint(node))
        return self.parse(node, problems)

    @abstractmethod
    def parse(self, node: Scalar, problems: list[Problem]) -> T | NotRead:
        """Return the value of a scalar that is not null."""

    def literal_default(self, text: str) -> object:
        """Return a default, given as in a file, as the JSON Schema states it."""
        return text

    def unfit(
        self, id_: str, node: Scalar, problems: list[Problem], hint: str | None = None
    ) -> NotRead:
        """Report a text that is not what is wanted."""
        message = f"expected {self.wanted}, found {quote(node.text)}"
        return _reject(problems, id_, message, node, hint)


def _reject(
    problems: list[Problem], id_: str, message: str, node: Node, hint: str | None = None
) -> NotRead:
    problems.append(error(id_, message, node.span, hint=hint))
    return UNREADABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(ScalarShape[str]):
    """A text; `pattern` must match all of it, and `form` says so in words.

    With `literal` the schema takes numbers and booleans too, for values such as `tier: 1`.
    Only a `multiline` text may hold line breaks; those at its end are dropped.
    """

    pattern: str | None = None
    form: str = "text of the right form"
    min_length: int = 1
    max_length: int = 4096
    multiline: bool = False
    literal: bool = False

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "text"

    def parse(self, node: Scalar, problems: list[Problem]) -> str | NotRead:
        """Return the text of the scalar."""
        text = node.text.rstrip("\r\n") if self.multiline else node.text
        if len(text) > self.max_length:
            return _reject(
                problems,
                "spec/too-long",
                f"this text has {len(text)} characters; at most {self.max_length} are allowed",
                node,
            )
        if len(text) < self.min_length:
            return _reject(problems, "spec/missing-value", "expected text, found none", node)
        if not (_MANY_LINES if self.multiline else _ONE_LINE).fullmatch(text):
            return self._reject_control(text, node, problems)
        if self.pattern is not None and not re.fullmatch(self.pattern, text):
            return _reject(problems, "spec/bad-text", f"{quote(text)} is not {self.form}", node)
        return text

    def json_schema(self) -> dict[str, object]:
        """Return the schema of a string."""
        free = _LINES if self.multiline else _LINE
        schema: dict[str, object] = {
            "type": ["string", "number", "boolean"] if self.literal else "string",
            "maxLength": self.max_length,
            "pattern": free if self.pattern is None else f"^(?:{self.pattern})$",
        }
        if self.min_length:
            schema["minLength"] = self.min_length
        return self.described(schema)

    @staticmethod
    def _reject_control(text: str, node: Scalar, problems: list[Problem]) -> NotRead:
        if _MANY_LINES.fullmatch(text):
            message, hint = "this text must stand on one line", "fold a block with >-, not |"
        else:
            message, hint = f"{quote(text)} holds control characters", None
        return _reject(problems, "spec/control-character", message, node, hint)


_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(
    r"[-+]?(?:\.[0-9]{1,40}|(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{0,40})?)(?:[eE][-+]?[0-9]{1,2})?"
)


_LIMITS: dict[str, tuple[Callable[[int | Decimal, int | Decimal], object], str]] = {
    "minimum": (operator.ge, "at least"),
    "maximum": (operator.le, "at most"),
    "exclusiveMinimum": (operator.gt, "above"),
    "exclusiveMaximum": (operator.lt, "below"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounded(ScalarShape[N]):
    """A number in plain digits between two bounds that belong."""

    digits: ClassVar[re.Pattern[str]]
    json_type: ClassVar[str]

    minimum: N | None = None
    maximum: N | None = None

    @abstractmethod
    def number(self, text: str) -> N:
        """Return the number that digits of the right form stand for."""

    def parse(self, node: Scalar, problems: list[Problem]) -> N | NotRead:
        """Return the exact number."""
        if node.style is not Style.PLAIN or not self.digits.fullmatch(node.text):
            return self.unfit("spec/bad-number", node, problems, _number_hint(node))
        value = self.number(node.text)
        for key, limit in self.limits().items():
            met, words = _LIMITS[key]
            if not met(value, limit):
                message = f"{node.text} is not {words} {limit}"
                return _reject(problems, "spec/out-of-range", message, node)
        return value

    def limits(self) -> dict[str, N]:
        """Return the limits that there are by their keys in JSON Schema."""
        return _given(minimum=self.minimum, maximum=self.maximum)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of a number."""
        limits = {key: _json_number(limit) for key, limit in self.limits().items()}
        return self.described({"type": self.json_type, **limits})

    def literal_default(self, text: str) -> object:
        """Return a default as a JSON number."""
        return _json_number(self.number(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(_Bounded[Decimal]):
    """A decimal number, its digits kept; `above` and `below` are bounds that do not belong."""

    digits = _NUMBER
    json_type = "number"

    above: Decimal | None = None
    below: Decimal | None = None

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a number"

    def number(self, text: str) -> Decimal:
        """Return the exact number."""
        return Decimal(text)

    def limits(self) -> dict[str, Decimal]:
        """Return the limits that there are by their keys in JSON Schema."""
        exclusive = _given(exclusiveMinimum=self.above, exclusiveMaximum=self.below)
        return {**_Bounded.limits(self), **exclusive}


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer(_Bounded[int]):
    """A whole number of at most 18 digits, in decimal notation."""

    digits = _INTEGER
    json_type = "integer"

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a whole number"

    def number(self, text: str) -> int:
        """Return the whole number."""
        return int(text)


_YES = frozenset({"true", "yes", "on", "y"})
_NO = frozenset({"false", "no", "off", "n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(ScalarShape[bool]):
    """A boolean, written `true` or `false` and in no other way."""

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "true or false"

    def parse(self, node: Scalar, problems: list[Problem]) -> bool | NotRead:
        """Return the boolean."""
        if node.style is Style.PLAIN and node.text in {"true", "false"}:
            return node.text == "true"
        text = node.text.lower()
        hint = "write true" if text in _YES else "write false" if text in _NO else None
        return self.refuse(node, problems, hint=hint)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of a boolean."""
        return self.described({"type": "boolean"})

    def literal_default(self, text: str) -> object:
        """Return a default as a JSON boolean."""
        return text == "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationText(ScalarShape[Duration]):
    """A duration in Prometheus' notation, between two bounds that belong."""

    minimum: Duration | None = None
    maximum: Duration | None = None
    allow_zero: bool = False

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a duration such as 5m or 30d"

    def parse(self, node: Scalar, problems: list[Problem]) -> Duration | NotRead:
        """Return the duration."""
        try:
            value = Duration.parse(node.text, allow_zero=self.allow_zero)
        except UnitError as cause:
            return _not_a_quantity("spec/bad-duration", cause, node, problems)
        if self.minimum is not None and value < self.minimum:
            message = f"{node.text} is shorter than {self.minimum}"
        elif self.maximum is not None and value > self.maximum:
            message = f"{node.text} is longer than {self.maximum}"
        else:
            return value
        return _reject(problems, "spec/out-of-range", message, node)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of a string; the bounds are beyond it."""
        return self.described({"type": "string", "pattern": DURATION_PATTERN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Percent(ScalarShape[Decimal]):
    """An objective in percent, from 1 to below 100, plain or quoted, its digits kept."""

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "an objective in percent such as 99.9"

    def parse(self, node: Scalar, problems: list[Problem]) -> Decimal | NotRead:
        """Return the exact percentage."""
        try:
            return parse_percent(node.text)
        except UnitError as cause:
            return _not_a_quantity("spec/bad-objective", cause, node, problems)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of a number or its text."""
        number = {"type": "number", "minimum": 1, "exclusiveMaximum": 100}
        return self.described({"anyOf": [number, {"type": "string", "pattern": PERCENT_PATTERN}]})

    def literal_default(self, text: str) -> object:
        """Return a default as a JSON number."""
        return _json_number(Decimal(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(ScalarShape[str]):
    """One of several words."""

    choices: tuple[str, ...]

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return one_of(self.choices)

    def parse(self, node: Scalar, problems: list[Problem]) -> str | NotRead:
        """Return the word."""
        if node.text in self.choices:
            return node.text
        meant = did_you_mean(node.text, self.choices)
        message = f"expected {self.wanted}, found {quote(node.text)}{meant}"
        return _reject(problems, "spec/bad-choice", message, node)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of an enumeration."""
        return self.described({"type": "string", "enum": list(self.choices)})


_URL_PATTERN = (
    r"https?://(?:[A-Za-z0-9._~-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:[/?][!-~]*)?"
)
_LAST_PORT = 65_535
_LONGEST_URL = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Url(ScalarShape[str]):
    """An http or https URL without credentials and without a fragment's surprises."""

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a URL such as https://example.com"

    def parse(self, node: Scalar, problems: list[Problem]) -> str | NotRead:
        """Return the URL as written."""
        match = re.fullmatch(_URL_PATTERN, node.text)
        port = re.match(r"https?://[^/?]*?:([0-9]+)(?:[/?]|$)", node.text)
        if match and not (port and int(port[1]) > _LAST_PORT) and len(node.text) <= _LONGEST_URL:
            return node.text
        hint = None
        if re.match(r"https?://[^/?#]*@", node.text):
            hint = "leave the credentials out of the URL; files hold them"
        elif "://" not in node.text:
            hint = "begin with https:// or http://"
        return self.unfit("spec/bad-url", node, problems, hint)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of a string."""
        return self.described(
            {"type": "string", "maxLength": _LONGEST_URL, "pattern": f"^(?:{_URL_PATTERN})$"}
        )


_DATE_PATTERN = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Date(ScalarShape[date]):
    """A day of the calendar such as 2026-12-20."""

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "a date such as 2026-12-20"

    def parse(self, node: Scalar, problems: list[Problem]) -> date | NotRead:
        """Return the day."""
        try:
            if re.fullmatch(_DATE_PATTERN, node.text):
                return date.fromisoformat(node.text)
        except ValueError:
            pass
        return self.unfit("spec/bad-date", node, problems)

    def json_schema(self) -> dict[str, object]:
        """Return the schema of a string."""
        return self.described({"type": "string", "format": "date", "pattern": f"^{_DATE_PATTERN}$"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Anything(Shape[Plain]):
    """Data of any form, passed on as it is."""

    @property
    def wanted(self) -> str:
        """Return what is wanted."""
        return "anything"

    def read(self, node: Node, problems: list[Problem]) -> Plain:
        """Return the node as JSON data."""
        del problems
        return to_plain(node)

    def json_schema(self) -> dict[str, object]:
        """Return the schema that takes everything."""
        return self.described({})


def one_of(words: tuple[str, ...]) -> str:
    """Return the words as a choice in a sentence: `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _brace_hint(node: Node) -> str | None:
    """Return what helps when an unquoted selector such as `{job="x"}` became a mapping."""
    if not isinstance(node, Mapping):
        return None
    values = [entry.value for entry in node.entries]
    braces = any(isinstance(value, Scalar) and value.is_null for value in values)
    return 'quote text that begins with "{"' if braces else None


def _not_a_quantity(id_: str, cause: UnitError, node: Scalar, problems: list[Problem]) -> NotRead:
    return _reject(problems, id_, f"{quote(node.text)}: {cause}", node, cause.hint)


def _number_hint(node: Scalar) -> str | None:
    text = node.text
    if node.style is not Style.PLAIN and _NUMBER.fullmatch(text):
        return "leave out the quotes"
    if re.fullmatch(r"[-+]?[0-9_]{1,30}", text):
        plain = text.replace("_", "").lstrip("+0") or "0"
        return f"write it in decimal digits: {plain}"
    if re.fullmatch(r"[0-9]{1,20},[0-9]{1,20}", text):
        return f"use a point: {text.replace(',', '.')}"
    return None


def _given(**limits: N | None) -> dict[str, N]:
    return {key: limit for key, limit in limits.items() if limit is not None}


def _json_number(value: int | Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)
