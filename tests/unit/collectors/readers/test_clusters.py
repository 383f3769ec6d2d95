"""Several sources make one reading: added, never averaged, and never silently smaller."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from collectors.readers.clusters import MultiSourceReader
from collectors.readers.places import place, sources_of
from slo.errors import SourceUnavailable
from slo.model import Cluster, ServiceLevel, SloKey
from slo.ports import Counts, NoData, NoDataReason, Reading, RevisionChange, Share
from slo.units import Duration
from tests.contract.levels import level, windows

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR, DAY = windows("1h", "1d")
TWO = (Cluster(name="eu"), Cluster(name="us", source="prometheus/us"))
BOTH = level("both", clusters=TWO)
ONLY_EU = level("only-eu")


def counts(total: int, bad: int) -> Counts:
    """Make counts of whole events."""
    return Counts(total=Fraction(total), bad=Fraction(bad))


def missing(reason: NoDataReason, detail: str = "") -> NoData:
    """Make an absence."""
    return NoData(reason=reason, detail=detail)


@dataclass
class Canned:
    """A source that gives the same outcomes for every level."""

    period: Counts | NoData
    hour: Counts | Share | NoData | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    asked: list[SloKey] = field(default_factory=list)

    def read(
        self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
    ) -> Mapping[SloKey, Reading]:
        self.asked += [each.key for each in levels]
        outcome = self.period if self.hour is None else self.hour
        return {
            each.key: Reading(
                key=each.key,
                at=at,
                period=self.period,
                windows={w: outcome if w == HOUR else self.period for w in windows},
                **{"mode": "recorded", **self.more},
            )
            for each in levels
        }


class Broken:
    """A source that raises what a reader should have kept to itself."""

    def read(self, *_: object) -> Mapping[SloKey, Reading]:
        raise SourceUnavailable("prometheus/us: gone", source="prometheus/us")


def read(eu: object, us: object, *levels: ServiceLevel) -> Mapping[SloKey, Reading]:
    """Read from two sources, of which eu is the default."""
    readers = {"prometheus/eu": eu, "prometheus/us": us}
    reader = MultiSourceReader(readers, default="prometheus/eu")  # type: ignore[arg-type]  # broken ones on purpose
    return reader.read(levels, (HOUR, DAY), AT)


def test_events_are_added_before_anything_is_divided() -> None:
    """1 of 10 and 0 of 990 are 1 of 1000, not 5 %."""
    found = read(Canned(counts(10, 1)), Canned(counts(990, 0)), BOTH)[BOTH.key]
    assert counts(1000, 1) == found.period
    assert {HOUR: counts(1000, 1), DAY: counts(1000, 1)} == found.windows
    assert () == found.partial


@pytest.mark.parametrize("us", [Broken(), Canned(missing(NoDataReason.SOURCE_FAILED, "gone"))])
def test_a_source_that_fails_is_missing_by_name(us: object) -> None:
    """The others count, and everybody can see that it is not all."""
    found = read(Canned(counts(10, 1)), us, BOTH)[BOTH.key]
    assert counts(10, 1) == found.period
    assert ("us (prometheus/us)",) == found.partial
    assert any("the sum is without us (prometheus/us)" in note for note in found.notes)


def test_a_window_that_one_source_lacks_is_partial_too() -> None:
    """Even when that source knows the whole period."""
    us = Canned(counts(990, 0), hour=missing(NoDataReason.LOST))
    found = read(Canned(counts(10, 1)), us, BOTH)[BOTH.key]
    assert counts(1000, 1) == found.period
    assert counts(10, 1) == found.windows[HOUR]
    assert ("us (prometheus/us)",) == found.partial
    assert any("1h" in note for note in found.notes)


def test_levels_of_other_sources_are_untouched_by_a_failure() -> None:
    """Errors of one source never lose the others."""
    found = read(Canned(counts(10, 1)), Broken(), BOTH, ONLY_EU)
    assert counts(10, 1) == found[ONLY_EU.key].period
    assert () == found[ONLY_EU.key].partial


@pytest.mark.parametrize(
    ("eu", "us", "expected"),
    [
        (NoDataReason.NEVER, NoDataReason.NEVER, NoDataReason.NEVER),
        (NoDataReason.NEVER, NoDataReason.LOST, NoDataReason.LOST),
        (NoDataReason.NEVER, NoDataReason.SOURCE_FAILED, NoDataReason.SOURCE_FAILED),
        (NoDataReason.LOST, NoDataReason.INCOMPLETE, NoDataReason.LOST),
    ],
)
def test_the_least_certain_reason_is_that_of_all(
    eu: NoDataReason, us: NoDataReason, expected: NoDataReason
) -> None:
    """A source that failed may have had anything: that is never "never"."""
    found = read(Canned(missing(eu, "one")), Canned(missing(us, "two")), BOTH)[BOTH.key]
    assert isinstance(found.period, NoData)
    assert expected is found.period.reason
    assert "eu (prometheus/eu): one; us (prometheus/us): two" == found.period.detail


def test_shares_are_not_put_together() -> None:
    """Without counts there is no weight."""
    us = Canned(counts(990, 0), hour=Share(ratio=Fraction(0)))
    window = read(Canned(counts(10, 1)), us, BOTH)[BOTH.key].windows[HOUR]
    assert isinstance(window, NoData)
    assert NoDataReason.INCOMPLETE is window.reason


def test_a_single_source_speaks_for_itself() -> None:
    """Its reading is passed on as it is, shares and all."""
    eu = Canned(counts(10, 1), hour=Share(ratio=Fraction(1, 10)))
    us = Canned(counts(1, 1))
    found = read(eu, us, ONLY_EU)[ONLY_EU.key]
    assert Share(ratio=Fraction(1, 10)) == found.windows[HOUR]
    assert [] == us.asked


def test_what_is_said_beside_the_numbers_is_put_together() -> None:
    """The oldest observation, the least coverage, the latest change, all that is missing."""
    early, late = AT - timedelta(minutes=9), AT - timedelta(minutes=1)
    change = RevisionChange(revision="b", since=late, previous=("a",))
    eu = Canned(
        counts(1, 0),
        more={
            "coverage": Fraction(1, 2),
            "observed_at": late,
            "unproven": True,
            "revision": RevisionChange(revision="a", since=early),
            "warnings": ("slow",),
        },
    )
    us = Canned(
        counts(1, 0),
        more={
            "mode": "raw",
            "coverage": Fraction(1),
            "observed_at": early,
            "revision": change,
            "partial": ("prometheus/us",),
            "notes": ("young",),
        },
    )
    found = read(eu, us, BOTH)[BOTH.key]
    assert Fraction(1, 2) == found.coverage
    assert early == found.observed_at
    assert "mixed" == found.mode
    assert not found.unproven
    assert change == found.revision
    assert ("prometheus/us",) == found.partial
    assert ("eu (prometheus/eu): slow",) == found.warnings
    assert ("us (prometheus/us): young",) == found.notes


def test_a_source_that_nobody_reads_is_unsupported() -> None:
    """Its levels say so, and no other is affected."""
    stray = level("stray", clusters=(Cluster(name="x", source="elasticsearch/logs"),))
    found = read(Canned(counts(1, 0)), Broken(), stray, ONLY_EU)
    period = found[stray.key].period
    assert isinstance(period, NoData)
    assert NoDataReason.UNSUPPORTED is period.reason
    assert "elasticsearch/logs" in period.detail
    assert counts(1, 0) == found[ONLY_EU.key].period


@pytest.mark.parametrize("number", [2, 40])
def test_sources_are_read_at_the_same_time(number: int) -> None:
    """Each waits until all others have begun: a deadline of one is the deadline of all."""
    meeting = threading.Barrier(number, timeout=5)

    class Waiting(Canned):
        def read(
            self, levels: Sequence[ServiceLevel], windows: Sequence[Duration], at: datetime
        ) -> Mapping[SloKey, Reading]:
            meeting.wait()
            return super().read(levels, windows, at)

    names = [f"c{place}" for place in range(number)]
    wide = level("wide", clusters=tuple(Cluster(name=n, source=f"prometheus/{n}") for n in names))
    readers = {f"prometheus/{name}": Waiting(counts(1, 0)) for name in names}
    found = MultiSourceReader(readers, default=None).read((wide,), (HOUR, DAY), AT)
    assert counts(number, 0) == found[wide.key].period


def test_an_indicator_with_its_own_source_has_no_other() -> None:
    """The environment's sources are for those that name none."""
    own = level("own", clusters=TWO, source="prometheus/us")
    assert ("prometheus/us",) == sources_of(own, "prometheus/eu")
    assert ("prometheus/eu", "prometheus/us") == sources_of(BOTH, "prometheus/eu")
    assert () == sources_of(ONLY_EU, None)


def test_a_place_is_its_clusters_and_their_source() -> None:
    """As people call it."""
    three = level("three", clusters=(*TWO, Cluster(name="de")))
    assert "eu, de (prometheus/eu)" == place(three, "prometheus/eu", "prometheus/eu")
    assert "us (prometheus/us)" == place(three, "prometheus/us", "prometheus/eu")
