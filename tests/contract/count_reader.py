"""What every implementation of `slo.ports.CountReader` holds; subclasses say what to read."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from slo.model import ServiceLevel
from slo.ports import CountReader, Counts, NoData, NoDataReason, Reading, Share
from slo.units import Duration


class CountReaderContract:
    """Subclasses give fixtures: ``reader``, ``at``, and levels ``busy``, ``idle`` and ``unknown``.

    ``busy`` had events in its period, ``idle`` has series and no events, ``unknown`` never had
    anything.
    """

    WINDOWS = tuple(map(Duration.parse, ("5m", "1h", "6h")))

    def _read(
        self, reader: CountReader, level: ServiceLevel, windows: Sequence[Duration], at: datetime
    ) -> Reading:
        return reader.read([level], windows, at)[level.key]

    def test_the_same_instant_gives_the_same_answer(
        self, reader: CountReader, busy: ServiceLevel, at: datetime
    ) -> None:
        """Nothing that is read depends on when it is read."""
        first = reader.read([busy], self.WINDOWS, at)
        assert first == reader.read([busy], self.WINDOWS, at)

    def test_every_level_and_window_that_is_asked_for_is_answered(
        self,
        reader: CountReader,
        busy: ServiceLevel,
        idle: ServiceLevel,
        unknown: ServiceLevel,
        at: datetime,
    ) -> None:
        """No level and no window is left out or added."""
        levels = [busy, idle, unknown]
        found = reader.read(levels, self.WINDOWS, at)
        assert {level.key for level in levels} == set(found)
        for key, reading in found.items():
            assert key == reading.key
            assert at == reading.at
            assert list(self.WINDOWS) == list(reading.windows)

    def test_no_levels_are_no_readings(self, reader: CountReader, at: datetime) -> None:
        """Asking for nothing is answered with nothing."""
        assert {} == dict(reader.read([], self.WINDOWS, at))

    def test_events_are_counted_and_never_negative(
        self, reader: CountReader, busy: ServiceLevel, at: datetime
    ) -> None:
        """A busy level has counts or a share in every window."""
        reading = self._read(reader, busy, self.WINDOWS, at)
        assert isinstance(reading.period, Counts)
        assert reading.period.total > 0
        assert reading.period.bad >= 0
        for outcome in reading.windows.values():
            assert isinstance(outcome, Counts | Share)
            ratio = outcome.error_ratio
            assert ratio is not None
            assert 0 <= ratio <= 1

    def test_an_idle_level_has_zero_events_and_not_no_data(
        self, reader: CountReader, idle: ServiceLevel, at: datetime
    ) -> None:
        """Series without traffic are known to hold nothing."""
        reading = self._read(reader, idle, self.WINDOWS, at)
        assert Counts(total=Fraction(0), bad=Fraction(0)) == reading.period

    def test_what_never_was_is_a_reason_and_no_number(
        self, reader: CountReader, unknown: ServiceLevel, at: datetime
    ) -> None:
        """Neither zero nor a hundred percent stands for missing data."""
        reading = self._read(reader, unknown, self.WINDOWS, at)
        assert isinstance(reading.period, NoData)
        assert NoDataReason.NEVER is reading.period.reason
        assert all(isinstance(each, NoData) for each in reading.windows.values())

    def test_coverage_is_a_share(
        self, reader: CountReader, busy: ServiceLevel, at: datetime
    ) -> None:
        """Coverage lies between nothing and everything."""
        coverage = self._read(reader, busy, (), at).coverage
        assert coverage is not None
        assert 0 <= coverage <= 1

    def test_every_query_leaves_evidence(
        self, reader: CountReader, busy: ServiceLevel, at: datetime
    ) -> None:
        """An answer can be asked for again and compared by its digest."""
        evidence = self._read(reader, busy, self.WINDOWS, at).evidence
        assert evidence
        for each in evidence:
            assert each.source
            assert each.query
            assert each.start <= each.end <= at
            assert each.sha256 is not None

    def test_levels_read_together_and_alone_are_the_same(
        self, reader: CountReader, busy: ServiceLevel, idle: ServiceLevel, at: datetime
    ) -> None:
        """Who else is asked for changes no number."""
        together = reader.read([busy, idle], self.WINDOWS, at)[busy.key]
        alone = self._read(reader, busy, self.WINDOWS, at)
        assert (alone.period, alone.windows) == (together.period, together.windows)
