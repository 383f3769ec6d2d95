"""Numbers of answers are exact, and stand in the step that they belong to."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.readers.external.filling import Filling, exact, in_parts, shaped
from collectors.readers.external.port import Counted, Steps
from slo.errors import QueryRejected, SourceUnavailable
from tests.servers.products import START_MS, STEP_MS, steps


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, Fraction(3)),
        (Decimal("0.1"), Fraction(1, 10)),
        (0.1, Fraction(1, 10)),
        (" 12.50 ", Fraction(25, 2)),
        ("1e3", Fraction(1000)),
        (2**70, Fraction(2**70)),
        (Decimal("NaN"), None),
        (float("inf"), None),
        ("many", None),
        ("", None),
        (True, None),
        (None, None),
        ([1], None),
        ("1e999999999", None),
        (Decimal("1e-999999999"), None),
        ("1" * 5000, None),
    ],
)
def test_a_number_is_read_exactly_or_not_at_all(value: object, number: Fraction | None) -> None:
    """Whatever a product writes: huge exponents take no time, and text is no zero."""
    assert number == exact(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20))
def test_a_decimal_and_its_text_are_the_same_number(value: Decimal) -> None:
    """Some products write numbers as text."""
    assert exact(value) == exact(str(value))


def test_a_zero_is_a_number() -> None:
    """And what is added to it counts."""
    filling = Filling(steps(2), "datadog/main")
    filling.add(START_MS, 0)
    filling.add(START_MS, 2)
    assert Counted(numbers=(Fraction(2), None)) == filling.counted()


def test_a_moment_between_two_steps_is_refused() -> None:
    """With the product's name, the moment and what to do."""
    filling = Filling(steps(2), "datadog/main")
    with pytest.raises(QueryRejected) as caught:
        filling.add(START_MS + 1, 1)
    assert (
        "datadog/main: the answer has a number at 2026-11-21T06:00:00.001000Z, "
        "where no step of 5m begins" == str(caught.value)
    )


def test_what_is_lacking_is_told_once_and_not_without_end() -> None:
    """Ten sentences are enough to see what is wrong."""
    filling = Filling(steps(20), "datadog/main")
    for place in [*range(20), *range(20)]:
        filling.add(START_MS + place * STEP_MS, "x")
    lacking = filling.counted().lacking
    assert 10 == len(lacking) == len(set(lacking))


@given(count=st.integers(0, 50), most=st.integers(1, 20))
def test_parts_follow_one_another_without_a_gap(count: int, most: int) -> None:
    """Each asks for as many steps as may be asked for; together they are all."""
    asked: list[Steps] = []

    def ask(part: Steps) -> Counted:
        asked.append(part)
        numbers = tuple(Fraction(part.start_ms + place) for place in range(part.count))
        return Counted(numbers=numbers, lacking=("one thing",))

    whole = steps(count)
    counted = in_parts(whole, most, ask)
    assert count == len(counted.numbers)
    assert all(1 <= part.count <= most for part in asked)
    ends = [part.end_ms for part in asked]
    assert [whole.start_ms, *ends][: len(asked)] == [part.start_ms for part in asked]
    assert not asked or whole.end_ms == ends[-1]
    assert (("one thing",) if asked else ()) == counted.lacking


@pytest.mark.parametrize("kind", [KeyError, TypeError, ValueError, AttributeError, IndexError])
def test_an_answer_of_another_shape_is_no_answer(kind: type[Exception]) -> None:
    """However reading it goes wrong."""
    with (
        pytest.raises(SourceUnavailable, match="does not have the shape of a list"),
        shaped("datadog/main", "a list"),
    ):
        raise kind
