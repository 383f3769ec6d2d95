"""Counts of service levels out of a store in which an evaluator records as well."""

from pathlib import Path

import pytest

from collectors.readers.store import StoreCounts
from collectors.readers.store.asking import instant
from collectors.store import StoreReader
from slo import naming
from slo.ports import Counts
from slo.units import Duration
from tests.contract.levels import events, level
from tests.servers.recorded import SLOT, Recording
from tests.stored_rows import NOON, SECOND
from tests.stored_series import load

END = NOON // SECOND
LEVEL = level("availability", window="1d", measure=events('requests_total{job="api"}'))
DAY = Duration.parse("1d")


def _store(folder: Path, *, finished: bool) -> StoreReader:
    """Two requests a second for two days, of which the ledger has the last hour."""
    recording = Recording()
    times = range(END - 2 * 86_400, END + 1, 60)
    recording.add("requests_total", {"job": "api"}, [(at, n * 120) for n, at in enumerate(times)])
    identity = naming.identity(LEVEL.key)
    slots = range(END - 3600 + SLOT, END + 1, SLOT)
    for name, value in (
        (naming.LEDGER_SLOT, 1),
        (naming.TOTAL_INCREASE, 2 * SLOT),
        (naming.BAD_INCREASE, 0),
    ):
        recording.add(name, identity, [(at, value) for at in slots])
    if finished:
        for name, number in (
            (naming.TOTAL_PERIOD, 2 * 3600),
            (naming.BAD_PERIOD, 0),
            (naming.PERIOD_COVERAGE, 1 / 24),
        ):
            recording.add(name, identity, [(END, number)])
    recording.write(folder / "series.txt")
    load(folder / "series.txt", folder / "store")
    return StoreReader(folder / "store", threads=1)


@pytest.mark.parametrize(("finished", "mode"), [(False, "raw"), (True, "recorded")])
def test_a_ledger_that_is_still_being_filled_is_not_read(
    tmp_path: Path, *, finished: bool, mode: str
) -> None:
    """Half a ledger would pass for the whole period; a young one says how long it covers."""
    with_ledger = _store(tmp_path, finished=finished)
    counts = StoreCounts(with_ledger, default_source="store")
    reading = counts.read([LEVEL], [DAY], instant(NOON))[LEVEL.key]
    with_ledger.close()

    assert mode == reading.mode
    assert isinstance(reading.period, Counts)
    expected = 2 * 3600 if finished else 2 * 86_400
    assert abs(float(reading.period.total) / expected - 1) < 0.01
    assert reading.coverage is not None
