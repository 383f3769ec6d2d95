"""A failure that may pass by itself."""

from slo.errors import SourceError


class PassingError(Exception):
    """A failure that may pass; ``error`` is what to raise when it does not."""

    def __init__(self, error: SourceError) -> None:
        self.error = error
        super().__init__(str(error))
