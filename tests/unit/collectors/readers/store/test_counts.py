"""Counts of service levels out of a store in which an evaluator records as well."""

from fractions import Fraction
from pathlib import Path

import pytest

from collectors.readers.store import StoreCounts
from collectors.readers.store.asking import instant
from collectors.store import StoreReader
from slo import naming
from slo.model import Logs
from slo.ports import Counts, NoData, NoDataReason
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


LINES = level("availability", window="1d", measure=Logs(query="event: booking", bad="level: error"))
"""The same service level counted from log records, of which the store below has none."""


@pytest.mark.parametrize(
    ("finished", "mode", "found"),
    [(True, "auto", "recorded"), (True, "raw", "raw"), (False, "auto", "raw")],
)
def test_records_are_not_counted_again_where_a_whole_ledger_has_them(
    tmp_path: Path, *, finished: bool, mode: str, found: str
) -> None:
    """A month of records costs seconds; asked for raw, or half computed, they are counted."""
    with_ledger = _store(tmp_path, finished=finished)
    counts = StoreCounts(with_ledger, default_source="store", mode=mode)
    reading = counts.read([LINES], [DAY], instant(NOON))[LINES.key]
    with_ledger.close()

    assert found == reading.mode
    if found == "recorded":
        assert Counts(total=Fraction(2 * 3600), bad=Fraction(0)) == reading.period
    else:
        assert isinstance(reading.period, NoData)
        assert NoDataReason.NEVER is reading.period.reason


def test_a_stale_ledger_of_records_is_not_read(tmp_path: Path) -> None:
    """A server that ended an hour ago says nothing of now."""
    with_ledger = _store(tmp_path, finished=True)
    later = instant(NOON + 3600 * SECOND)
    reading = StoreCounts(with_ledger, default_source="store").read([LINES], [DAY], later)[
        LINES.key
    ]
    with_ledger.close()

    assert "raw" == reading.mode
    assert isinstance(reading.period, NoData)
