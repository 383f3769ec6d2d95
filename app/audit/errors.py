"""What is raised when the audit log cannot be trusted with a decision."""

from slo.errors import HeadroomError


class AuditError(HeadroomError):
    """A record could not be written or read; without a record nothing is allowed."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)
