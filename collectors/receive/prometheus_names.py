"""Names of OpenTelemetry as Prometheus writes them.

Source: the OpenTelemetry specification, "Prometheus and OpenMetrics compatibility", and what
Prometheus 3 does by default with metrics it receives as OTLP (underscores, units and types as
suffixes). A series has the same name whichever of the two stores it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

_NAME_PARTS = re.compile(r"[A-Za-z0-9:]+")
_NOT_LABEL = re.compile(r"[^A-Za-z0-9]")
_NOT_UNIT = re.compile(r"[^A-Za-z0-9:]+")

UNITS: Mapping[str, str] = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
PER: Mapping[str, str] = {
    "s": "second",
    "m": "minute",
    "h": "hour",
    "d": "day",
    "w": "week",
    "mo": "month",
    "y": "year",
}


@lru_cache(maxsize=8192)
def metric_name(name: str, unit: str, kind: str) -> str:
    """Name a metric; ``kind`` is ``counter`` for sums that only grow, ``gauge``, or another.

    Raises ``ValueError`` when nothing of the name remains.
    """
    parts = _NAME_PARTS.findall(name)
    if not parts:
        raise ValueError("a metric has no name")
    main, per = _unit_parts(unit)
    parts.extend(part for part in (main, per) if part and part not in parts)
    if kind == "counter":
        parts = [*_without(parts, "total"), "total"]
    if kind == "gauge" and unit == "1":
        parts = [*_without(parts, "ratio"), "ratio"]
    written = "_".join(parts)
    return f"_{written}" if written[0].isdigit() else written


@lru_cache(maxsize=8192)
def label_name(key: str) -> str:
    """Name a label after an attribute; runs of underscores stay, as Prometheus keeps them.

    Raises ``ValueError`` when nothing of the name remains.
    """
    written = _NOT_LABEL.sub("_", key)
    if not written.strip("_"):
        raise ValueError("an attribute has no name")
    if written[0].isdigit():
        return f"key_{written}"
    return f"key{written}" if written[0] == "_" and not written.startswith("__") else written


def _unit_parts(unit: str) -> tuple[str, str]:
    main, _, per = unit.partition("/")
    main, per = main.strip(), per.strip()
    main = "" if "{" in main or "}" in main else _clean(UNITS.get(main, main))
    per = "" if "{" in per or "}" in per else _clean(PER.get(per, per))
    return main.rstrip("_") if per else main, f"per_{per}".rstrip("_") if per else ""


def _clean(unit: str) -> str:
    return _NOT_UNIT.sub("_", unit).lstrip("_")


def _without(parts: Iterable[str], part: str) -> list[str]:
    return [each for each in parts if each != part]
