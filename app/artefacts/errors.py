"""What stops generated files from being written."""

from slo.errors import HeadroomError


class ArtefactError(HeadroomError):
    """Generated files could not be planned, written or read; nothing was changed."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)
