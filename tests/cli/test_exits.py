"""What exit codes mean where a command has no table of its own."""

import pytest

from app.cli.exits import DEFAULT
from slo.errors import HeadroomError, PublishError, SourceTimeout, SpecError, UsageError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UsageError("no"), 2),
        (SpecError([]), 1),
        (SourceTimeout("no"), 1),
        (PublishError("no"), 1),
        (HeadroomError("no"), 1),
        (PermissionError(13, "no"), 1),
    ],
)
def test_wrong_usage_is_2_and_problems_are_1(error: Exception, expected: int) -> None:
    """As the documentation of every command has it."""
    assert expected == DEFAULT.code(error)
