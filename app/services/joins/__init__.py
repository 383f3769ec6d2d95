"""How well telemetry is joined to its applications: shares by rung, gaps, and their remedies."""

from app.services.joins.health import health
from app.services.joins.model import Gap, JoinHealth, Remedy, Share

__all__ = ["Gap", "JoinHealth", "Remedy", "Share", "health"]
