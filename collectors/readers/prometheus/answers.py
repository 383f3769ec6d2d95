"""A server's answer made exact: numbers as fractions, no number where there is none."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from slo.errors import SourceUnavailable
from slo.ports import Evidence, EvidenceStatus
from slo.records import dataclass

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OWN_ANNOTATIONS = ("PromQL warning", "PromQL info")
_LARGEST_EXPONENT = 400
_LONGEST_NUMBER = 400
"""Digits beyond this are no sample's, and take quadratic time to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series of an answer; ``points`` are times in Unix milliseconds with their values."""

    labels: Mapping[str, str]
    points: tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a query gave. ``partial`` says that the server itself calls it incomplete."""

    series: tuple[Series, ...]
    evidence: Evidence
    warnings: tuple[str, ...] = ()
    partial: bool = False


def milliseconds(at: datetime) -> int:
    """Return an instant as Unix milliseconds, cut."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def instant(unix_milliseconds: int) -> datetime:
    """Return Unix milliseconds as an instant."""
    return _EPOCH + timedelta(milliseconds=unix_milliseconds)


def api_time(at: datetime) -> str:
    """Return an instant as the API takes it: seconds, exact to the millisecond."""
    seconds, rest = divmod(milliseconds(at), 1000)
    return f"{seconds}.{rest:03d}"


def number(text: object) -> Fraction | None:
    """Return a sample's value exactly; ``None`` for NaN, infinity and whatever is no number."""
    if not isinstance(text, str) or len(text) > _LONGEST_NUMBER or not text.isascii():
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    # Beyond any float's exponent: nothing a server stores, and huge as a fraction.
    if not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT:
        return None
    # Two integers spare Fraction the search for the type of number.
    return Fraction(*value.as_integer_ratio())


def parse(result: object, source: str) -> tuple[Series, ...]:
    """Read the result of a query: a vector or a matrix.

    Samples without a number are left out, and so are series that have no other. Raises
    ``SourceUnavailable`` for anything that is not of that shape.
    """
    try:
        series = [_series(each) for each in _rows(result)]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise SourceUnavailable(
            f"{source}: the answer does not have the shape of a query result", source=source
        ) from None
    return tuple(each for each in series if each.points)


def digest(result: object) -> str:
    """Return the SHA-256 of a result as canonical JSON, whatever order its series came in."""
    encoder = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
    texts = sorted(map(encoder.encode, _rows(result)))
    return hashlib.sha256(f"[{','.join(texts)}]".encode()).hexdigest()


def evidence(
    source: str, query: str, *, start: datetime, end: datetime, result: object
) -> Evidence:
    """Return the record of a query that was answered."""
    found = bool(_rows(result))
    return Evidence(
        source=source,
        query=query,
        start=start,
        end=end,
        observed_at=end if found else None,
        status=EvidenceStatus.OK if found else EvidenceStatus.MISSING,
        sha256=digest(result),
    )


def warnings_of(envelope: Mapping[str, object]) -> tuple[tuple[str, ...], bool]:
    """Return warnings and remarks of an answer, and whether they say that data is missing.

    PromQL's own annotations begin with their name. Any other warning is a store, a shard or a
    remote that did not deliver (Thanos, Mimir, remote read); VictoriaMetrics has a field for it.
    """
    warnings = _texts(envelope.get("warnings"))
    missing = [text for text in warnings if not text.startswith(_OWN_ANNOTATIONS)]
    partial = bool(missing) or envelope.get("isPartial") is True
    if partial and not missing:
        warnings = (*warnings, "the server says that its answer is partial")
    return (*warnings, *_texts(envelope.get("infos"))), partial


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each)[:500] for each in value[:20]) if isinstance(value, list) else ()


def _rows(result: object) -> Sequence[Mapping[str, object]]:
    if not isinstance(result, list):
        raise TypeError(result)
    return result


def _series(row: Mapping[str, object]) -> Series:
    labels = row["metric"]
    pairs = row["values"] if "values" in row else [row["value"]] if "value" in row else []
    if not isinstance(labels, dict) or not isinstance(pairs, list):
        raise TypeError(row)
    points = []
    for at, text in pairs:
        value = number(text)
        if value is not None and math.isfinite(at):
            points.append((round(at * 1000), value))
    return Series(labels={str(k): str(v) for k, v in labels.items()}, points=tuple(points))
