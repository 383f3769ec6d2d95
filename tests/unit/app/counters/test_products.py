"""Counters over other products: whole slots, each once, read when their numbers stand still."""

from fractions import Fraction

import pytest

from app.counters.counter import Counter, Watched
from collectors.readers.external.counts import ExternalCounts
from collectors.readers.external.port import Counted, Steps
from slo.model import External
from slo.units import Duration
from tests.builders import level, slo

SLOT = 300_000
BEGAN = 1_800_000_000_000
LAG = Duration.parse("7m")


class Product:
    """Counts events of given times, in milliseconds; ``bad`` of them are every tenth."""

    reference = "datadog/eu"

    def __init__(self, times: list[int]) -> None:
        self.times = times
        self.asked: list[Steps] = []

    def count(self, query: str, steps: Steps, *, within: float) -> Counted:
        del within
        self.asked.append(steps)
        places = [steps.place(each) for each in self.times]
        part = 10 if query == "bad" else 1
        numbers = (places.count(place) // part for place in range(steps.count))
        return Counted(numbers=tuple(map(Fraction, numbers)))


@pytest.mark.parametrize("offset", [None, "10m"])
def test_every_slot_of_a_product_is_counted_once(offset: str | None) -> None:
    """A round every fifteen seconds for an hour, and a gap in between."""
    shift = 0 if offset is None else Duration.parse(offset).milliseconds
    times = [BEGAN - shift + at * 1000 for at in range(3600)]
    product = Product(times)
    one = level(slo(External(total="all", bad="bad"), offset=offset))
    watched = Watched(
        level=one,
        source=ExternalCounts(product, lag=LAG, timeout=Duration.parse("5s")),
        reference="datadog/eu",
        step=Duration.parse("5m"),
        lag=LAG,
        settling=Duration.parse("1m"),
        delay=LAG,
    )
    counter = Counter(watched, None, BEGAN + 1000)
    rounds = [at for at in range(0, 4200, 15) if not 1200 < at < 1900]
    for at in rounds:
        now = BEGAN + at * 1000
        if counter.due(now):
            assert 0 == counter.read(now)
    # The hour and its lag are over.
    assert (3600, 3240) == tuple(map(float, counter.tally.value))
    assert {()} == {counter.tally.open}
    assert len(product.asked) < 30
