"""Generated files of collectors, checked by the validators that are installed."""

from app.doctor.collectors.checks import collector_checks
from app.doctor.collectors.tools import TOOLS

__all__ = ["TOOLS", "collector_checks"]
