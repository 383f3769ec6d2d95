"""The colours of the charts, chosen to be told apart on both grounds and without red and green."""

from __future__ import annotations

from collections.abc import Mapping

BLUE, ORANGE, GREEN, RED = "#3b82f6", "#f59e0b", "#10b981", "#ef4444"
PURPLE, CYAN, PINK, GREY = "#8b5cf6", "#06b6d4", "#ec4899", "#94a3b8"

SERIES = (BLUE, ORANGE, PURPLE, CYAN, PINK, GREEN, "#a16207", GREY)
"""Series of equal standing, in order."""

LEVELS: Mapping[str, str] = {
    "fatal": "#b91c1c",
    "error": RED,
    "warn": ORANGE,
    "info": BLUE,
    "debug": GREY,
    "trace": "#64748b",
    "unknown": PURPLE,
}
"""Levels of log records, worst first."""

STATES: Mapping[str, str] = {
    "ok": GREEN,
    "burning": ORANGE,
    "exhausted": RED,
    "no_data": GREY,
}
"""States of SLOs."""
