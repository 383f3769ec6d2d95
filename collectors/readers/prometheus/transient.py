"""Failures that may pass by themselves, and the one that is a matter of time."""

from __future__ import annotations

from slo.errors import SourceError, SourceTimeout


class TransientError(Exception):
    """A failure that may pass; ``error`` is what to raise when it does not.

    ``after`` is the number of seconds that the server asked to be left alone, if it did.
    """

    def __init__(self, error: SourceError, *, after: float | None = None) -> None:
        self.error = error
        self.after = after
        super().__init__(str(error))


def timed_out(source: str, seconds: float) -> SourceTimeout:
    """Return the error for an answer that did not come in time."""
    return SourceTimeout(
        f"{source}: no complete answer within {seconds:.3g} s",
        source=source,
        hint="is the server overloaded? raise the source's timeout if it needs longer",
    )
