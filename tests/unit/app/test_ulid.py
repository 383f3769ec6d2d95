"""ULIDs: the example of their specification, their order, their limits."""

import pytest

from app.ulid import ulid


def test_the_time_is_written_as_in_the_specification() -> None:
    """The specification's own example begins its milliseconds with 01ARYZ6S41."""
    assert "01ARYZ6S41" == ulid(1_469_918_176_385, bytes(10))[:10]


def test_time_and_entropy_fill_all_digits() -> None:
    """The largest ULID is the one that the specification names, the smallest is all zeros."""
    assert "7ZZZZZZZZZZZZZZZZZZZZZZZZZ" == ulid(2**48 - 1, b"\xff" * 10)
    assert "0" * 26 == ulid(0, bytes(10))


def test_later_ones_sort_after_earlier_ones() -> None:
    """Time comes first, whatever the random part."""
    assert ulid(1_700_000_000_000, b"\xff" * 10) < ulid(1_700_000_000_001, bytes(10))


@pytest.mark.parametrize(
    ("milliseconds", "entropy"), [(2**48, bytes(10)), (-1, bytes(10)), (0, bytes(9))]
)
def test_what_does_not_fit_is_refused(milliseconds: int, entropy: bytes) -> None:
    """A time past 48 bits or before 1970, or too little entropy, would give other digits."""
    with pytest.raises(ValueError, match="48 bits"):
        ulid(milliseconds, entropy)
