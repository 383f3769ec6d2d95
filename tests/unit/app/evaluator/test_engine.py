"""Rules evaluated on a real store, at instants that the tests choose."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alerts.prometheus.rules import Recording
from app.evaluator.alerting import Stage
from app.evaluator.backfill import Backfill
from app.evaluator.book import AlertBook
from app.evaluator.catching_up import CatchUp
from app.evaluator.engine import Evaluator
from collectors.promql import STALE
from collectors.readers.store import StoreCounts
from collectors.signals import Signal
from collectors.store import StoreReader, StoreWriter
from slo import naming
from slo.model import Logs, ServiceLevel, Spans
from slo.ports import Counts
from slo.units import Duration
from tests.builders import events, level, slo
from tests.servers.evaluated import NO_WAIT, NS, SETTINGS, START, Counter, append, evaluating
from tests.unit.app.services.installation import logs, requests

MINUTE, HOUR = 60, 3600
END = START + 2 * HOUR
LEVEL = level(slo(events("total", bad="bad"), window="1d"))


def _counter(name: str, per_minute: float, *, first: int = START, last: int = END) -> Counter:
    points = [(float(at), (at - START) / MINUTE * per_minute) for at in range(first, last + 1, 15)]
    return Counter(name=name, labels={"job": "a", "instance": "i"}, points=tuple(points))


def _traffic(last: int = END) -> list[Counter]:
    return [_counter("total", 60, last=last), _counter("bad", 6, last=last)]


def _value(evaluator: Evaluator, name: str, at: float) -> float | None:
    found = evaluator.query(name, round(at * 1000))
    return float(found[0].values[-1]) if found else None


def _caught_up(evaluator: Evaluator, at: float) -> int:
    return sum(CatchUp(evaluator).steps(round(at * 1000)))


def test_what_is_recorded_is_read_as_from_a_prometheus(tmp_path: Path) -> None:
    """Status and gate take the recorded series where they are fresh, and get the same counts."""
    with evaluating(tmp_path, (LEVEL,), _traffic()) as evaluator:
        _caught_up(evaluator, END)
        evaluator.tick(END * 1000)
        assert () == evaluator.failing
        at = datetime.fromtimestamp(END, UTC)
        counts = StoreCounts(StoreReader(tmp_path), default_source=None)
        hour = Duration.parse("1h")
        recorded = counts.read((LEVEL,), (hour,), at)[LEVEL.key]
        raw = StoreCounts(StoreReader(tmp_path), default_source=None, mode="raw")
        other = raw.read((LEVEL,), (hour,), at)[LEVEL.key]
    assert "recorded" == recorded.mode
    assert isinstance(recorded.period, Counts)
    assert isinstance(other.period, Counts)
    assert float(other.period.total) == pytest.approx(float(recorded.period.total), rel=0.05)
    assert 0.1 == pytest.approx(float(recorded.period.error_ratio or 0))


def test_a_page_fires_with_the_labels_and_words_of_the_generated_rule(tmp_path: Path) -> None:
    """Its templates ask the recorded series."""
    with evaluating(tmp_path, (LEVEL,), _traffic()) as evaluator:
        _caught_up(evaluator, END)
        evaluator.tick(END * 1000)
        pages = [
            each
            for each in evaluator.book.alerts(Stage.FIRING)
            if each.labels["severity"] == "page"
        ]
    found = [(each.labels["alertname"], each.labels["long"], each.labels["team"]) for each in pages]
    assert [("ErrorBudgetBurn", "1h", "bookings")] == found[:1]
    assert "10% of events were bad in the last 1h" in pages[0].annotations["description"]
    assert "unknown" not in pages[0].annotations["description"]


def test_a_rule_that_fails_stops_no_other_and_is_remembered(tmp_path: Path) -> None:
    """Its series is absent, and its health says why."""
    with evaluating(tmp_path, (LEVEL,), _traffic()) as evaluator:
        evaluator.ready.add(LEVEL.key)
        evaluator.turns = tuple(
            replace(
                turn,
                group=replace(
                    turn.group,
                    rules=tuple(
                        replace(rule, expr="total + on () group_left () {job=~'.+'}")
                        if isinstance(rule, Recording) and rule.record == naming.BAD_INCREASE
                        else rule
                        for rule in turn.group.rules
                    ),
                ),
            )
            for turn in evaluator.turns
        )
        tick = evaluator.tick(END * 1000)
        (failing,) = evaluator.failing
        assert (naming.BAD_INCREASE, LEVEL.key) == (failing.rule, failing.key)
        assert failing.error
        assert 1 == tick.failures
        assert _value(evaluator, naming.BAD_INCREASE, END) is None
        assert 300 == _value(evaluator, naming.TOTAL_INCREASE, END)
        assert 300 == _value(evaluator, naming.UNPAIRED, END)


def test_an_instant_is_evaluated_once_also_after_a_restart(tmp_path: Path) -> None:
    """Groups go on after the last instant that they recorded."""
    with evaluating(tmp_path, (LEVEL,), _traffic()) as evaluator:
        _caught_up(evaluator, END)
        assert evaluator.tick(END * 1000).groups == 3
        assert evaluator.tick(END * 1000 + 29_000).groups == 0
        total = _value(evaluator, naming.TOTAL_PERIOD, END)
    with evaluating(tmp_path, (LEVEL,), []) as again:
        assert again.load(END * 1000 + 5_000) > 0
        _caught_up(again, END + 5)
        assert 0 == again.tick(END * 1000 + 5_000).groups
        assert total == _value(again, naming.TOTAL_PERIOD, END)
        assert 1 == again.tick(END * 1000 + 30_000).groups


def test_a_series_that_its_rule_no_longer_gives_ends_at_once(tmp_path: Path) -> None:
    """Selectors would see it for five minutes more; the store keeps its end."""
    last = END - HOUR
    with evaluating(tmp_path, (LEVEL,), _traffic(last)) as evaluator:
        evaluator.tick(last * 1000)
        assert _value(evaluator, naming.TOTAL_RATE, last) == pytest.approx(1)
        evaluator.tick((last + 90) * 1000)
        assert _value(evaluator, naming.TOTAL_RATE, last + 90) is None
        rows = StoreReader(tmp_path).query(
            Signal.METRICS,
            f"SELECT value FROM records WHERE name = '{naming.TOTAL_RATE}' ORDER BY time",
        )
    value, end = rows.column("value").to_pylist()
    assert (pytest.approx(1), None) == (value, end)
    assert STALE != STALE  # noqa: PLR0124 - a NaN


def test_slots_of_the_past_are_filled_and_a_gap_in_telemetry_stays_one(tmp_path: Path) -> None:
    """Two hours of traffic with a silent half hour; progress is told."""
    silent = range(START + HOUR, START + HOUR + 30 * MINUTE)
    traffic = [
        replace(one, points=tuple(each for each in one.points if int(each[0]) not in silent))
        for one in _traffic()
    ]
    told: list[tuple[int, int]] = []
    with evaluating(tmp_path, (LEVEL,), traffic) as evaluator:
        work = CatchUp(evaluator, lambda done, total: told.append((done, total)))
        sum(work.steps(END * 1000))
        identity = naming.identity(LEVEL.key)
        beats = evaluator.head.times(naming.LEDGER_SLOT, identity) // 1000 - START
        totals = evaluator.head.times(naming.TOTAL_INCREASE, identity) // 1000 - START
        assert 0 == sum(work.steps(END * 1000))
    assert beats.tolist() == totals.tolist()
    gap = [at for at in range(300, 2 * HOUR, 300) if at not in beats]
    assert gap
    assert HOUR < gap[0]
    assert gap[-1] <= HOUR + 30 * MINUTE
    assert told[-1][0] == told[-1][1]


def test_history_filled_later_is_what_was_recorded_at_its_time(tmp_path: Path) -> None:
    """The same rules give the same slots."""
    with evaluating(tmp_path / "live", (LEVEL,), _traffic()) as live:
        live.ready.add(LEVEL.key)
        for at in range(START, END + 1, 300):
            live.tick(at * 1000)
        ledger = {
            name: _ledger(live, name) for name in (naming.TOTAL_INCREASE, naming.BAD_INCREASE)
        }
    with evaluating(tmp_path / "late", (LEVEL,), _traffic()) as late:
        _caught_up(late, END + 300)
        found = {name: _ledger(late, name) for name in ledger}
    assert ledger == found


def test_a_past_computed_in_pieces_is_stored_as_one_and_is_what_one_piece_gives(
    tmp_path: Path,
) -> None:
    """Half of a ledger would look like a period with few events."""
    names = (naming.TOTAL_INCREASE, naming.BAD_INCREASE, naming.LEDGER_SLOT)
    with evaluating(tmp_path / "whole", (LEVEL,), _traffic()) as whole:
        _caught_up(whole, END)
        expected = {name: _ledger(whole, name) for name in names}
    with evaluating(tmp_path / "pieces", (LEVEL,), _traffic()) as evaluator:
        work, seen, filling = CatchUp(evaluator, piece=40), [], []
        for _ in work.steps(END * 1000):
            seen.append(_stored(tmp_path / "pieces", naming.LEDGER_SLOT))
            filling.append(set(work.filling))
        assert expected == {name: _ledger(evaluator, name) for name in names}
        assert len(expected[naming.LEDGER_SLOT]) == _stored(tmp_path / "pieces", naming.LEDGER_SLOT)
    assert len(seen) > 10
    assert {0, len(expected[naming.LEDGER_SLOT])} == set(seen)
    assert [{LEVEL.key} if rows == 0 else set() for rows in seen] == filling


def _stored(folder: Path, name: str) -> int:
    reader = StoreReader(folder)
    found = reader.query(
        Signal.METRICS, "SELECT count(*) AS rows FROM records WHERE name = $name", {"name": name}
    )
    reader.close()
    return int(found.column("rows")[0].as_py())


def _ledger(evaluator: Evaluator, name: str) -> list[tuple[int, float]]:
    (found,) = evaluator.query(f"{name}[1d]", END * 1000)
    return list(zip(found.times.tolist(), found.values.tolist(), strict=True))


def test_a_level_without_any_event_has_no_ledger_until_its_first(tmp_path: Path) -> None:
    """Or a heartbeat without history would look like a period without events."""
    with evaluating(tmp_path, (LEVEL,), []) as evaluator:
        work = CatchUp(evaluator)
        sum(work.steps(START * 1000))
        evaluator.tick(START * 1000)
        assert _value(evaluator, naming.LEDGER_SLOT, START) is None
        assert not work.is_needed((START + 300) * 1000)
        append(evaluator._writer, _traffic())
        assert work.is_needed(END * 1000)
        work.again()
        sum(work.steps(END * 1000))
        evaluator.tick(END * 1000)
        assert _value(evaluator, naming.TOTAL_PERIOD, END) == pytest.approx(120 * 60, rel=0.1)


def _records_of(measure: Logs | Spans) -> ServiceLevel:
    return level(slo(measure, window="1d", target="99"))


def test_older_telemetry_is_complete_once_no_more_of_it_has_come_for_a_while(
    tmp_path: Path,
) -> None:
    """Three looks; what comes in between begins them anew."""
    with evaluating(tmp_path, (LEVEL,), []) as evaluator:
        watch, now = Backfill(evaluator.reader), END * 1000
        assert not watch.is_complete(now)
        assert not watch.is_arriving
        append(evaluator._writer, _traffic(START + HOUR)[:1])
        assert [False, False] == [watch.is_complete(now) for _ in range(2)]
        append(evaluator._writer, _traffic(START + HOUR)[1:])
        assert [False, False, False] == [watch.is_complete(now) for _ in range(3)]
        assert watch.is_arriving
        assert [True, False, False] == [watch.is_complete(now) for _ in range(3)]
        assert not watch.is_arriving


def test_spans_and_log_records_are_counted_into_the_same_series(tmp_path: Path) -> None:
    """A hundred requests and twelve lines; derived rules and alerts run as for others."""
    spans = _records_of(Spans(service="ticketing-api", bad_error=True))
    lines = replace(
        _records_of(Logs(query="said", bad="nothing")),
        slo=replace(_records_of(Logs(query="said", bad="nothing")).slo, name="lines"),
    )
    with StoreWriter(tmp_path) as writer:
        writer.append(Signal.SPANS, requests(bad={}))
        writer.append(Signal.LOGS, logs())
        reader = StoreReader(tmp_path)
        last = reader.snapshot().bounds(Signal.SPANS)
        assert last is not None
        at_ms = (last[1] // (300 * NS) + 1) * 300_000
        evaluator = Evaluator(
            (spans, lines), SETTINGS, reader=reader, writer=writer, settling=NO_WAIT
        )
        sum(CatchUp(evaluator).steps(at_ms))
        evaluator.tick(at_ms)
        assert () == evaluator.failing
        where = 'slo="availability"'
        assert 100 == _value(evaluator, f"{naming.TOTAL_INCREASE}{{{where}}}", at_ms / 1000)
        bad = _value(evaluator, f"{naming.BAD_INCREASE}{{{where}}}", at_ms / 1000)
        assert 0.1 == pytest.approx(bad or 0, abs=0.05)
        total = _value(evaluator, f"{naming.TOTAL_PERIOD}{{{where}}}", at_ms / 1000)
        assert 100 * 288 == pytest.approx(total or 0, rel=0.01)
        reader.close()


def test_alerts_outlive_a_restart(tmp_path: Path) -> None:
    """What fires goes on firing since when it did."""
    with evaluating(tmp_path, (LEVEL,), _traffic()) as evaluator:
        _caught_up(evaluator, END)
        evaluator.tick(END * 1000)
        before = evaluator.book.alerts()
        book = AlertBook()
        book.restore(evaluator.book.dumped())
    assert before
    assert before == book.alerts()


def test_the_alert_of_a_rule_that_is_gone_ends(tmp_path: Path) -> None:
    """An SLO that was taken out of its file stays nobody's business for ever."""
    with evaluating(tmp_path, (LEVEL,), _traffic()) as evaluator:
        _caught_up(evaluator, END)
        evaluator.tick(END * 1000)
        kept = evaluator.book.dumped()
    other = level(slo(events("total", bad="bad"), name="other"))
    with evaluating(tmp_path, (other,), []) as evaluator:
        evaluator.book.restore(kept)
        evaluator.load(END * 1000)
        gone = [each for each in evaluator.book.alerts() if each.labels["slo"] == "availability"]
        assert {Stage.RESOLVED} == {each.stage for each in gone}
        evaluator.tick((END + HOUR) * 1000)
        assert not any(each.labels["slo"] == "availability" for each in evaluator.book.alerts())
