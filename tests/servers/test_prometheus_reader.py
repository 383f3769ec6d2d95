"""The reader on real servers: recorded series, raw series, and what each says of gaps."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.prometheus import PrometheusReader
from slo import naming
from slo.model import Cluster, ServiceLevel
from slo.ports import Counts, EvidenceStatus, NoData, NoDataReason, Reading, Share
from slo.units import Duration
from tests.contract.levels import level, source, windows
from tests.servers.processes import Prometheus, create_blocks
from tests.servers.recorded import Recording, Traffic, record

END = 1_790_000_100 // 300 * 300
AT = datetime.fromtimestamp(END + 60, UTC)
WINDOWS = windows("5m", "1h", "6h")
TWO_SOURCES = (Cluster(name="eu"), Cluster(name="us", source="prometheus/us"))

HEALTHY = level("healthy")
IDLE = level("idle")
YOUNG = level("young")
STALE = level("stale")
ORPHAN = level("orphan")
LATE = level("late")
BATCH = level("batch", absent_for=None)
HALF = level("half")
BOTH = level("both", clusters=TWO_SOURCES)
GAPPY = level("gappy", clusters=TWO_SOURCES)
CHANGED = level("changed")
WEEKLY = level("weekly", window="7d")
REPLICAS = level("replicas", app="other")
SHARDS = level("shards", app="sharded", window="1d")
LAME = level("lame", app="sharded", window="1d")
DOUBLED = level("doubled")
UNKNOWN = level("unknown")


def _recorded() -> Recording:
    recording = Recording()
    record(recording, HEALTHY, end=END, days=30)
    record(recording, IDLE, end=END, days=2, traffic=Traffic.steady(0))
    record(recording, YOUNG, end=END, days=3)
    record(recording, STALE, end=END, days=1, until=END - 3 * 3600)
    indicator = (naming.TOTAL_INCREASE, naming.BAD_INCREASE, naming.TOTAL_RATE, naming.BAD_RATE)
    record(recording, ORPHAN, end=END, days=1, without=(*indicator, naming.TOTAL_PERIOD))
    record(recording, LATE, end=END, days=1, without=indicator)
    record(recording, BATCH, end=END, days=1, without=indicator)
    for late in (LATE, BATCH):
        labels = naming.identity(late.key)
        recording.add(naming.TOTAL_INCREASE, labels, [(END - 7200, 5.0)])
    record(recording, HALF, end=END, days=1, without=(naming.BAD_PERIOD, naming.BAD_RATE))
    record(recording, BOTH, end=END, days=1)
    record(recording, GAPPY, end=END, days=1, without=(naming.BAD_INCREASE,))
    some = [(END - k * 300, 30.0) for k in range(288) if k not in range(10, 20)]
    recording.add(naming.BAD_INCREASE, naming.identity(GAPPY.key), some)
    record(recording, CHANGED, end=END, days=1)
    old = {**naming.identity(CHANGED.key), "window": "30d", "revision": "0ld"}
    recording.add(naming.INFO, old, [(END - k * 300, 1.0) for k in range(400, 800)])
    recording.add(
        naming.REVISION_START,
        naming.identity(CHANGED.key),
        [(END - k * 300, END - 86400.0) for k in range(6)],
    )
    month = level("weekly", window="30d")
    record(recording, month, end=END, days=1, revision="f0e1d2c3")
    full, thin = Traffic(), Traffic.steady(4, 0.5)
    record(recording, REPLICAS, end=END, days=1, extra={"replica": "a"}, traffic=thin)
    record(recording, REPLICAS, end=END, days=1, extra={"replica": "b"}, traffic=full)
    record(recording, SHARDS, end=END, days=1, extra={"shard": "0"}, traffic=thin)
    record(recording, SHARDS, end=END, days=1, extra={"shard": "1"}, traffic=full)
    record(recording, LAME, end=END, days=1, extra={"shard": "0"}, until=END - 7200)
    record(recording, LAME, end=END, days=1, extra={"shard": "1"})
    record(recording, DOUBLED, end=END, days=1, extra={"region": "a"})
    record(recording, DOUBLED, end=END, days=1, extra={"region": "b"})
    return recording


@pytest.fixture(scope="module")
def server(prometheus_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A server that holds a month of what rules recorded."""
    folder = tmp_path_factory.mktemp("recorded")
    _recorded().write(folder / "recorded.txt")
    create_blocks(prometheus_bin, folder / "recorded.txt", folder / "data")
    with Prometheus(prometheus_bin, data=folder / "data") as running:
        yield running


Read = Callable[..., Reading]


@pytest.fixture
def read(server: Prometheus) -> Read:
    """Read one level from the server."""

    def one(
        wanted: ServiceLevel, mode: str = "recorded", at: datetime = AT, **more: Any
    ) -> Reading:
        reader = PrometheusReader(source(server.url, **more), mode=mode)
        return reader.read([wanted], WINDOWS, at)[wanted.key]

    return one


def _reason(reading: Reading) -> NoDataReason:
    assert isinstance(reading.period, NoData), reading.period
    return reading.period.reason


def _near(expected: float, actual: Fraction) -> bool:
    return abs(float(actual) - expected) <= 1e-9 * max(1, expected)


def _counts(outcome: object) -> Counts:
    assert isinstance(outcome, Counts), outcome
    return outcome


def test_one_query_reads_a_healthy_level(read: Read) -> None:
    """Counts of the period, shares of the windows, full coverage, fresh."""
    reading = read(HEALTHY)
    period = _counts(reading.period)
    assert _near(10 * 30 * 86400, period.total)
    assert _near(0.1 * 30 * 86400, period.bad)
    for window in WINDOWS:
        outcome = reading.windows[window]
        assert isinstance(outcome, Share)
        assert _near(0.01, outcome.ratio)
    assert "recorded" == reading.mode
    assert Fraction(1) == reading.coverage
    assert datetime.fromtimestamp(END, UTC) == reading.observed_at
    assert () == reading.notes
    assert () == reading.partial
    assert 1 == len(reading.evidence)


def test_an_idle_level_is_fresh_and_has_no_events(read: Read) -> None:
    """The heartbeat does not depend on traffic."""
    for mode in ("recorded", "auto"):
        reading = read(IDLE, mode)
        assert "recorded" == reading.mode
        assert Counts(total=Fraction(0), bad=Fraction(0)) == reading.period
        assert {Fraction(0)} == {_counts(each).total for each in reading.windows.values()}


def test_a_young_ledger_is_whole_but_short(read: Read) -> None:
    """Coverage counts gaps; how much history there is is said beside it."""
    reading = read(YOUNG)
    assert Fraction(99, 100) < (reading.coverage or 0) <= 1
    assert "history covers 10 % of the 30d window" in reading.notes


def test_recorded_series_that_ended_are_lost_with_their_age(read: Read) -> None:
    """Rules that stopped three hours ago say nothing of now."""
    reading = read(STALE)
    assert NoDataReason.LOST is _reason(reading)
    assert isinstance(reading.period, NoData)
    assert "ended 3 h" in reading.period.detail or "ended 2 h" in reading.period.detail
    assert {EvidenceStatus.STALE} == {each.status for each in reading.evidence}
    assert {NoDataReason.LOST} == {
        each.reason for each in reading.windows.values() if isinstance(each, NoData)
    }


@pytest.mark.parametrize(("minutes", "fresh"), [(10, True), (12, False)])
def test_eleven_minutes_divide_fresh_from_stale(read: Read, minutes: int, fresh: bool) -> None:  # noqa: FBT001
    """Two slots and a minute after the last one."""
    at = datetime.fromtimestamp(END, UTC) + timedelta(minutes=minutes)
    assert fresh is isinstance(read(HEALTHY, at=at).period, Counts)


def test_a_total_that_was_never_recorded_is_never(read: Read) -> None:
    """The rules run and their indicator does not exist."""
    assert NoDataReason.NEVER is _reason(read(ORPHAN))


def test_an_indicator_that_ended_while_rules_run_is_lost(read: Read) -> None:
    """Its period sum lives on for thirty days and must not pass for an answer."""
    reading = read(LATE)
    assert NoDataReason.LOST is _reason(reading)
    assert isinstance(reading.period, NoData)
    assert "the indicator's series ended" in reading.period.detail


def test_an_absence_that_is_to_be_ignored_is_only_a_note(read: Read) -> None:
    """A batch job may be gone between two runs."""
    reading = read(BATCH)
    assert isinstance(reading.period, Counts)
    assert any("the indicator's series ended" in note for note in reading.notes)


def test_a_total_without_its_bad_events_is_incomplete(read: Read) -> None:
    """A failed bad rule is never a lower error ratio."""
    assert NoDataReason.INCOMPLETE is _reason(read(HALF))


def test_levels_of_several_sources_are_read_as_counts(read: Read) -> None:
    """Shares could not be added up."""
    reading = read(BOTH)
    hour = _counts(reading.windows[Duration.parse("1h")])
    assert abs(float(hour.total) - 36_000) <= 900
    assert _near(0.01, hour.bad / hour.total)
    six = _counts(reading.windows[Duration.parse("6h")])
    assert abs(float(six.total) - 216_000) <= 3000


def test_a_window_whose_bad_slots_are_missing_is_incomplete(read: Read) -> None:
    """Its total alone would look like a perfect hour."""
    half = level("half", clusters=TWO_SOURCES)
    reading = read(half)
    hour = reading.windows[Duration.parse("1h")]
    assert isinstance(hour, NoData)
    assert NoDataReason.INCOMPLETE is hour.reason


def test_a_window_with_fewer_bad_slots_than_slots_is_incomplete(read: Read) -> None:
    """The bad rule failed for fifty minutes; the fast pair did not."""
    reading = read(GAPPY)
    six = reading.windows[Duration.parse("6h")]
    assert isinstance(six, NoData)
    assert NoDataReason.INCOMPLETE is six.reason
    assert isinstance(reading.windows[Duration.parse("1h")], Counts)


def test_a_change_inside_the_window_is_told(read: Read) -> None:
    """Which revision holds, since when, and which one came before."""
    change = read(CHANGED).revision
    assert change is not None
    assert naming.revision(CHANGED) == change.revision
    assert datetime.fromtimestamp(END - 86400, UTC) == change.since
    assert ("0ld",) == change.previous


def test_rules_for_another_period_are_not_believed(read: Read) -> None:
    """A sum over thirty days is no answer for seven."""
    reading = read(WEEKLY)
    assert NoDataReason.INCOMPLETE is _reason(reading)
    assert any("f0e1d2c3" in note for note in reading.notes)


def test_of_replicas_the_fullest_counts_for_everything(read: Read) -> None:
    """Neither their sum nor their mixture."""
    reading = read(REPLICAS, replica_labels=("replica",))
    assert _near(864_000, _counts(reading.period).total)
    assert _near(8640, _counts(reading.period).bad)
    share = reading.windows[WINDOWS[0]]
    assert isinstance(share, Share)
    assert _near(0.01, share.ratio)


def test_shards_are_added_and_their_ratios_are_not(read: Read) -> None:
    """4 per second at 50 % and 10 per second at 1 %."""
    reading = read(SHARDS, shard_labels=("shard",))
    assert _near(14 * 86400, _counts(reading.period).total)
    assert _near(2.1 * 86400, _counts(reading.period).bad)
    ratio = _counts(reading.windows[WINDOWS[1]]).error_ratio
    assert ratio is not None
    assert _near(0.15, ratio)


def test_a_shard_that_fell_silent_is_missing_by_name(read: Read) -> None:
    """The sum over the others is theirs and says so."""
    reading = read(LAME, shard_labels=("shard",))
    assert _near(10 * 86400, _counts(reading.period).total)
    assert ("shard 0 (prometheus/eu)",) == reading.partial


def test_series_that_only_an_unknown_label_tells_apart_are_not_guessed(read: Read) -> None:
    """The label is named, with what to do about it."""
    reading = read(DOUBLED)
    assert NoDataReason.INCOMPLETE is _reason(reading)
    assert isinstance(reading.period, NoData)
    assert "region" in reading.period.detail
    assert "replicaLabels" in reading.period.detail


def test_what_nobody_ever_recorded_is_never(read: Read) -> None:
    """In each mode."""
    for mode in ("recorded", "raw", "auto"):
        assert NoDataReason.NEVER is _reason(read(UNKNOWN, mode))


@pytest.mark.parametrize("wanted", [STALE, DOUBLED], ids=["stale", "doubled"])
@pytest.mark.parametrize("mode", ["auto", "raw"])
def test_what_was_recorded_once_is_not_never(read: Read, wanted: ServiceLevel, mode: str) -> None:
    """A server of rules alone has no raw series: that says nothing of what there was."""
    reading = read(wanted, mode)
    assert NoDataReason.LOST == _reason(reading)
    assert {NoDataReason.LOST} == {each.reason for each in reading.windows.values()}  # type: ignore[union-attr]  # all of them are missing
    assert isinstance(reading.period, NoData)
    assert "recorded" in reading.period.detail
    assert NoDataReason.NEVER == _reason(read(UNKNOWN, mode))


def test_auto_says_why_it_reads_raw(read: Read) -> None:
    """Stale recorded series are no reason to give up."""
    reading = read(STALE, "auto")
    assert "raw" == reading.mode
    assert "read from raw series: no recorded series of the last 20 minutes" == reading.notes[0]


def test_a_thousand_levels_take_a_few_queries(server: Prometheus) -> None:
    """Those that are there are found among those that are not."""
    levels = [level(app=f"application-{n:04}") for n in range(1000)]
    reader = PrometheusReader(source(server.url, timeout="60s"), mode="recorded")
    readings = reader.read([*levels, HEALTHY], WINDOWS, AT)
    assert 1001 == len(readings)
    assert isinstance(readings[HEALTHY.key].period, Counts)
    queries = {each.query for one in readings.values() for each in one.evidence}
    assert len(queries) <= 8
