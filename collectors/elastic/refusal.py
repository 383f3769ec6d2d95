"""What a cluster refused, for those who do not load its client."""

from __future__ import annotations

from slo.errors import QueryRejected


class Refusal(QueryRejected):
    """The cluster refused one request; ``status`` is HTTP's, ``kind`` and ``reason`` are its own.

    ``kind`` is such as ``index_not_found_exception``.
    """

    def __init__(
        self, message: str, *, source: str, status: int, kind: str, reason: str, hint: str | None
    ) -> None:
        self.status = status
        self.kind = kind
        self.reason = reason
        super().__init__(message, source=source, hint=hint)
