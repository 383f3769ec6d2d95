"""What newly generated files would change, told by application and SLO rather than by line."""

from app.differences.compare import differences
from app.differences.model import (
    Change,
    DashboardDifference,
    Fate,
    FileDifference,
    FileKind,
    Report,
    SloDifference,
    What,
)
from app.differences.render import to_json, to_markdown, to_text

__all__ = [
    "Change",
    "DashboardDifference",
    "Fate",
    "FileDifference",
    "FileKind",
    "Report",
    "SloDifference",
    "What",
    "differences",
    "to_json",
    "to_markdown",
    "to_text",
]
