"""Stored metrics as PromQL sees them."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.store import StoreMetrics
from slo.errors import QueryRejected, SourceTimeout
from slo.units import Duration
from tests.stored_rows import CARGO, NOON, SECOND, Row, opened, sample

AT = datetime.fromtimestamp(NOON // SECOND, UTC)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(NOON / SECOND + seconds, UTC)


class Asked:
    """A source of PromQL over some samples."""

    def __init__(self, folder: Path, *rows: Row) -> None:
        self.source = StoreMetrics(opened(folder, metrics=rows))
        self.until = self.source.deadline(None)

    def values(self, query: str, at: float) -> dict[tuple[tuple[str, str], ...], float]:
        """The values of an instant query by labels."""
        answer = self.source.query(query, _at(at), self.until)
        return {
            tuple(sorted(each.labels.items())): float(each.points[0][1]) for each in answer.series
        }

    def value(self, query: str, at: float) -> float | None:
        """The only value of an instant query."""
        found = self.values(query, at)
        assert len(found) <= 1, found
        return next(iter(found.values()), None)


def _counter(values: Mapping[float, float | None], **more: Any) -> list[Row]:
    return [sample("hits_total", value, at, **more) for at, value in values.items()]


def _histogram(at: float, buckets: list[int], total: float = 0, **more: Any) -> Row:
    """A classic histogram with the bounds 0.1, 0.5 and 1."""
    fields: dict[str, Any] = {
        "kind": "histogram",
        "count": sum(buckets),
        "sum": total,
        "bounds": [0.1, 0.5, 1.0],
        "buckets": buckets,
        **more,
    }
    return sample("took_seconds", None, at, **fields)


def test_a_counter_answers_by_its_name_and_labels(tmp_path: Path) -> None:
    """Selectors, rates and sums work as on any Prometheus."""
    asked = Asked(
        tmp_path,
        *_counter({n * 15: n * 30 for n in range(21)}, labels={"pod": "a", "code": "200"}),
        *_counter({n * 15: n * 3 for n in range(21)}, labels={"pod": "b", "code": "500"}),
        sample("other_total", 7, 300),
    )
    assert asked.value("sum(rate(hits_total[5m]))", 300) == pytest.approx(2.2)
    assert {(("__name__", "hits_total"), ("code", "500"), ("pod", "b")): 60} == asked.values(
        'hits_total{code=~"5.."}', 300
    )
    assert 2 == len(asked.values('{__name__=~"hits.*"}', 300))
    assert 1 == len(asked.values('{__name__!~"hits.*",__name__!=""}', 300))
    assert {} == asked.values("hits_total", 300 + 301)


def test_a_classic_histogram_is_its_buckets_count_and_sum(tmp_path: Path) -> None:
    """Buckets are cumulative, the last one is +Inf, and bounds are found however spelled."""
    asked = Asked(tmp_path, _histogram(0, [5, 3, 1, 1], 4.5, labels={"route": "/pay"}))
    labels = (("__name__", "took_seconds_bucket"), ("route", "/pay"))
    assert {
        (labels[0], ("le", bound), labels[1]): below
        for bound, below in (("0.1", 5), ("0.5", 8), ("1.0", 9), ("+Inf", 10))
    } == asked.values("took_seconds_bucket", 0)
    assert 9 == asked.value('took_seconds_bucket{le="1"}', 0)
    assert 9 == asked.value('took_seconds_bucket{le=~"1|1\\\\.0"}', 0)
    assert 10 == asked.value("took_seconds_count", 0)
    assert 4.5 == asked.value("took_seconds_sum", 0)
    assert {} == asked.values("took_seconds", 0)
    assert {} == asked.values('took_seconds_count{le="0.5"}', 0)
    assert 4 == len(asked.values('{__name__="took_seconds_bucket",le!=""}', 0))


def test_buckets_that_were_scraped_as_counters_are_found_by_their_bound(tmp_path: Path) -> None:
    """A remote write sends one series for each bucket, with its label."""
    asked = Asked(
        tmp_path,
        *(
            sample("took_seconds_bucket", value, 0, {"le": bound})
            for bound, value in (("0.5", 8), ("1.0", 9), ("+Inf", 10))
        ),
        sample("took_seconds_count", 10, 0),
    )
    assert 8 == asked.value('took_seconds_bucket{le="0.5"}', 0)
    assert 9 == asked.value('took_seconds_bucket{le=~"1|1\\\\.0"}', 0)
    assert {} == asked.values('took_seconds_bucket{le=""}', 0)
    assert 10 == asked.value("took_seconds_count", 0)


def test_a_quantile_of_a_stored_histogram(tmp_path: Path) -> None:
    """What people ask of histograms."""
    rows = [_histogram(n * 15, [n * 10, n * 10, 0, 0]) for n in range(21)]
    asked = Asked(tmp_path, *rows)
    found = asked.value("histogram_quantile(0.5, sum by (le) (rate(took_seconds_bucket[5m])))", 300)
    assert found == pytest.approx(0.1)


def test_the_beginning_of_a_counter_counts_from_zero(tmp_path: Path) -> None:
    """What a new process counted before its first export is not lost, nor is it after a reset."""
    born = _counter({60: 40, 120: 40}, start=10)
    again = _counter({180: 25, 240: 25}, start=130)
    asked = Asked(tmp_path, *born, *again)
    grown = asked.value("increase(hits_total[10m])", 240)
    plain = Asked(_made(tmp_path / "plain"), *_counter({60: 40, 120: 40, 180: 25, 240: 25}))
    assert grown is not None
    assert grown > 60
    assert 25 < (plain.value("increase(hits_total[10m])", 240) or 0) < 40
    assert 1 == asked.value("resets(hits_total[10m])", 240)


def test_a_start_is_a_zero_once(tmp_path: Path) -> None:
    """Every export repeats when its process began; the zero stands there and nowhere else."""
    asked = Asked(tmp_path, *_counter({n * 60: n for n in range(1, 6)}, start=30))
    assert 6 == asked.value("count_over_time(hits_total[10m])", 300)
    assert 0 == asked.value("min_over_time(hits_total[10m])", 300)
    assert 0 == asked.value("resets(hits_total[10m])", 300)
    assert 4 == asked.value("count_over_time(hits_total[4m])", 300)


def test_deltas_add_up_whatever_range_is_asked_for(tmp_path: Path) -> None:
    """Two selectors of one query see the same running sum."""
    rows = _counter({n * 60: 10 for n in range(1, 31)}, delta=True, start=0)
    asked = Asked(tmp_path, *rows)
    difference = "last_over_time(hits_total[5m]) - last_over_time(hits_total[15m] offset 5m)"
    assert 50 == asked.value(difference, 1800)
    assert 300 == asked.value("hits_total", 1800)
    assert 0 == asked.value("resets(hits_total[20m])", 1800)
    grown = asked.value("increase(hits_total[10m])", 1800)
    assert grown == pytest.approx(100)
    assert 0 == asked.value("min_over_time(hits_total[1h])", 1800), "it began with nothing"


def test_deltas_of_classic_histograms_add_up_by_bucket(tmp_path: Path) -> None:
    """Count, sum and every bucket."""
    rows = [_histogram(n * 60, [2, 1, 0, 1], 1.5, delta=True) for n in range(1, 11)]
    asked = Asked(tmp_path, *rows)
    assert 40 == asked.value("took_seconds_count", 600)
    assert 15 == asked.value("took_seconds_sum", 600)
    assert 30 == asked.value('took_seconds_bucket{le="0.5"}', 600)
    assert asked.value("increase(took_seconds_count[5m])", 600) == pytest.approx(20)


def _exponential(at: float, positive: list[int], **more: Any) -> Row:
    fields: dict[str, Any] = {
        "kind": "exponential",
        "count": sum(positive),
        "sum": float(sum(positive)),
        "scale": 0,
        "zero_count": 0,
        "zero_threshold": 0.0,
        "positive_offset": 0,
        "positive": positive,
        "negative_offset": 0,
        "negative": [],
        **more,
    }
    return sample("took_seconds", None, at, **fields)


def test_an_exponential_histogram_is_a_native_one(tmp_path: Path) -> None:
    """Bucket 0 of OpenTelemetry ends at 2, as bucket 1 of Prometheus does."""
    rows = [_exponential(n * 15, [n * 6, n * 2]) for n in range(21)]
    asked = Asked(tmp_path, *rows)
    assert 160 == asked.value("histogram_count(took_seconds)", 300)
    found = asked.value("histogram_fraction(0, 2, increase(took_seconds[5m]))", 300)
    assert found == pytest.approx(0.75)


def test_deltas_of_exponential_histograms_add_up(tmp_path: Path) -> None:
    """Also where the scale changed on the way."""
    rows = [_exponential(n * 60, [3, 1], delta=True) for n in range(1, 6)]
    rows += [_exponential(n * 60, [3, 0, 1], delta=True, scale=1) for n in range(6, 11)]
    asked = Asked(tmp_path, *rows)
    assert 40 == asked.value("histogram_count(took_seconds)", 600)
    grown = asked.value("histogram_count(increase(took_seconds[5m]))", 600)
    assert grown == pytest.approx(20)


def test_a_series_ends_where_its_sender_says_so(tmp_path: Path) -> None:
    """A value that is null ends it at once, and five minutes of silence do otherwise."""
    asked = Asked(tmp_path, *_counter({0: 1, 15: 2, 30: None}))
    assert 2 == asked.value("hits_total", 29)
    assert asked.value("hits_total", 30) is None


def test_series_and_values_of_labels_are_listed(tmp_path: Path) -> None:
    """By selectors, in a range, at most so many."""
    asked = Asked(
        tmp_path,
        *_counter({0: 1}, labels={"pod": "a"}),
        *_counter({0: 1}, labels={"pod": "b"}),
        _histogram(0, [1, 0, 0, 0], labels={"pod": "c"}),
    )
    source, until = asked.source, asked.until
    listed = source.series("hits_total", _at(-60), _at(60), until, limit=10)
    assert [{"__name__": "hits_total", "pod": pod} for pod in "ab"] == listed
    assert 1 == len(source.series("hits_total", _at(-60), _at(60), until, limit=1))
    assert [] == source.series("hits_total", _at(60), _at(120), until, limit=10)
    assert ["a", "b"] == source.label_values("pod", ("hits_total",), _at(-60), _at(60), until)
    assert ["c"] == source.label_values("pod", ("took_seconds_count",), _at(-60), _at(60), until)
    assert {"hits_total", "took_seconds_count"} <= set(
        source.label_values("__name__", (), _at(-60), _at(60), until)
    )


def test_a_source_of_one_app_has_no_series_of_others(tmp_path: Path) -> None:
    """Whatever the selector says."""
    asked = Asked(
        tmp_path,
        *_counter({0: 1}, labels={"pod": "a"}),
        *_counter({0: 1}, labels={"pod": "b"}, **CARGO),
    )
    mine = asked.source.of("ticketing")
    listed = mine.series('{__name__=~".+"}', _at(-60), _at(60), asked.until, limit=10)
    assert [{"__name__": "hits_total", "pod": "a"}] == listed
    assert 1 == len(mine.query("hits_total", AT, asked.until).series)


def test_nonsense_is_refused_and_time_is_kept(tmp_path: Path) -> None:
    """A query with a mistake is the asker's; a deadline that is over is no answer."""
    asked = Asked(tmp_path, *_counter({0: 1}))
    with pytest.raises(QueryRejected):
        asked.source.query("sum(", AT, asked.until)
    with pytest.raises(QueryRejected):
        asked.source.series("sum(hits_total)", AT, AT, asked.until, limit=1)
    over = asked.source.deadline(Duration(milliseconds=0))
    with pytest.raises(SourceTimeout):
        asked.source.query("hits_total", AT, over)


def test_exemplars_name_their_traces(tmp_path: Path) -> None:
    """Of the series that are selected, also by a part of a histogram, oldest first, each once."""
    told = json.dumps(
        [
            {"time": NOON + 2 * SECOND, "value": 0.7, "traceId": "aa", "spanId": "b"},
            {"time": NOON + SECOND, "value": 0.2, "traceId": "cc"},
            {"time": NOON, "value": 1},
        ]
    )
    rows = [
        _histogram(at, [1, 0, 0, 0], labels={"route": "/pay"}, exemplars=told) for at in (5, 10)
    ]
    rows.append(_histogram(6, [1, 0, 0, 0], labels={"route": "/x"}, exemplars=told))
    asked = Asked(tmp_path, *rows)
    found = asked.source.exemplars(
        'took_seconds_bucket{route="/pay",le="1"}', AT, _at(60), asked.until
    )
    assert [(NOON + SECOND, 0.2, "cc"), (NOON + 2 * SECOND, 0.7, "aa")] == [
        (each.time, each.value, each.trace_id) for each in found
    ]
    assert {"__name__": "took_seconds", "route": "/pay"} == dict(found[0].labels)
    assert () == asked.source.exemplars("hits_total", AT, _at(60), asked.until)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
