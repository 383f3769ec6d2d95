"""What is remembered is what would be read, whatever is asked in whichever order."""

import random

import numpy as np
import pytest

from collectors.promql import Matcher, Samples
from collectors.readers.store.memory import MARGIN_MS, Remembered

MINUTE = 60_000


class Counting:
    """A source of two series that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        times = np.arange(0, 600, dtype=np.int64) * MINUTE
        self.held = [
            Samples(
                labels={"__name__": "x", "n": n},
                times=times,
                values=(times * float(n)).astype(np.float64),
            )
            for n in ("1", "2")
        ]

    def select(self, matchers: object, start_ms: int, end_ms: int) -> list[Samples]:
        del matchers
        self.asked += 1
        found = []
        for one in self.held:
            mine = (one.times > start_ms) & (one.times <= end_ms)
            if mine.any():
                found.append(
                    Samples(labels=one.labels, times=one.times[mine], values=one.values[mine])
                )
        return found


MATCHERS = (Matcher(name="__name__", value="x"),)


@pytest.mark.parametrize("seed", range(5))
def test_an_answer_is_the_source_s_own(seed: int) -> None:
    rng = random.Random(seed)
    print(f"seed {seed}")
    remembered, plain = Remembered(Counting()), Counting()
    for _ in range(50):
        start, end = sorted(rng.randint(-100, 700) * MINUTE for _ in range(2))
        expected, found = (each.select(MATCHERS, start, end) for each in (plain, remembered))
        assert [one.labels for one in expected] == [one.labels for one in found]
        for one, other in zip(expected, found, strict=True):
            assert one.times.tolist() == other.times.tolist()
            assert one.values.tolist() == other.values.tolist()


def test_what_was_read_is_not_read_again() -> None:
    source = Counting()
    remembered = Remembered(source)
    remembered.select(MATCHERS, 10 * MARGIN_MS, 11 * MARGIN_MS)
    remembered.select(MATCHERS, 9 * MARGIN_MS, 11 * MARGIN_MS)
    remembered.select(MATCHERS, 10 * MARGIN_MS, 10 * MARGIN_MS + 1)
    assert 1 == source.asked
    remembered.select(MATCHERS, 10 * MARGIN_MS, 12 * MARGIN_MS)
    assert 2 == source.asked
