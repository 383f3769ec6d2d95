"""What a server's own series say of a specification: metrics, labels, buckets and owners."""

from app.live_checks.run import live_problems

__all__ = ["live_problems"]
