"""Queries over a few samples, with answers worked out by hand."""

from collections.abc import Mapping

import numpy as np
import pytest

from collectors.promql import PromqlError, Samples, evaluate_instant, evaluate_range
from slo.errors import QueryRejected
from tests.promql_source import Stored, every, series

NAN = float("nan")


def at(query: str, seconds: float, *held: Samples) -> dict[str, float]:
    """The values of an instant query by their labels, written shortly."""
    answer = evaluate_instant(Stored(held), query, round(seconds * 1000))
    return {_short(one.labels): float(one.values[-1]) for one in answer}


def _short(labels: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(labels.items()))


UP = series({"__name__": "up", "job": "api"}, every(60, 1, 0, 1))


def test_a_sample_is_seen_until_it_is_five_minutes_old() -> None:
    """At exactly five minutes it is gone."""
    held = series({"__name__": "up"}, [(100, 1)])
    assert {} == at("up", 99.999, held)
    assert {"__name__=up": 1} == at("up", 100, held)
    assert {"__name__=up": 1} == at("up", 399.999, held)
    assert {} == at("up", 400, held)


def test_the_lookback_can_be_shorter() -> None:
    """It is given with the query."""
    source = Stored([series({"__name__": "up"}, [(100, 1)])])
    assert 1 == len(evaluate_instant(source, "up", 159_000, lookback_ms=60_000))
    assert [] == evaluate_instant(source, "up", 160_000, lookback_ms=60_000)


def test_a_stale_marker_ends_a_series_and_an_ordinary_nan_is_a_value() -> None:
    """They differ in their bits alone."""
    ended = series({"__name__": "a"}, [(100, 1), (115, "stale")])
    odd = series({"__name__": "b"}, [(100, 1), (115, NAN)])
    assert {} == at("a", 116, ended)
    assert np.isnan(at("b", 116, odd)["__name__=b"])


def test_ranges_pass_over_stale_markers() -> None:
    """The samples before them stay in the range."""
    ended = series({"__name__": "a"}, [(100, 1), (115, "stale"), (130, 3)])
    assert {"": 2} == at("count_over_time(a[1m])", 131, ended)


def test_a_range_is_open_on_the_left() -> None:
    """The sample at its start belongs to the range before."""
    held = series({"__name__": "a"}, every(60, 1, 2, 4, 8))
    assert {"": 12} == at("sum_over_time(a[2m])", 180, held)
    assert {"": 14} == at("sum_over_time(a[121s])", 180, held)


def test_a_subquery_is_open_on_the_left_and_on_multiples_of_its_step() -> None:
    """Wherever the query itself is evaluated."""
    held = series({"__name__": "a"}, every(60, 1, 2, 4, 8))
    assert {"": 12} == at("sum_over_time(a[2m:1m])", 180, held)
    assert {"": 6} == at("sum_over_time(a[2m:1m])", 179.999, held)
    assert {"": 2} == at("count_over_time(a[2m:1m])", 199, held)


def test_rate_extrapolates_to_the_borders_when_samples_are_near_them() -> None:
    """From 105 to 165 in samples, 60 s: both ends lie within 1.1 distances of the borders."""
    held = series({"__name__": "a"}, [(105, 1000), (125, 1020), (145, 1040), (165, 1060)])
    assert {"": pytest.approx(80)} == at("increase(a[80s])", 175, held)
    assert {"": pytest.approx(1)} == at("rate(a[80s])", 175, held)


def test_rate_extrapolates_half_a_distance_when_samples_are_far_from_the_borders() -> None:
    """A series that begins or ends inside the range."""
    held = series({"__name__": "a"}, [(105, 1000), (125, 1020), (145, 1040), (165, 1060)])
    assert {"": pytest.approx(60 + 10 + 10)} == at("increase(a[5m])", 300, held)


def test_a_counter_is_not_taken_back_to_below_zero() -> None:
    """It began 2 s before its first sample at this pace."""
    held = series({"__name__": "a"}, [(105, 2), (125, 22), (145, 42), (165, 62)])
    assert {"": pytest.approx(60 + 2 + 10)} == at("increase(a[5m])", 300, held)
    assert {"": pytest.approx(60 + 10 + 10)} == at("delta(a[5m])", 300, held)


def test_a_reset_adds_what_the_counter_had_reached() -> None:
    """2 more, then 4 from zero, in 30 s of a minute."""
    held = series({"__name__": "a"}, every(15, 107, 109, 4, start=15))
    assert {"": pytest.approx(12)} == at("increase(a[1m])", 60, held)
    assert {"": 1} == at("resets(a[1m])", 60, held)


def test_offset_and_at_move_what_a_selector_sees() -> None:
    """``start()`` and ``end()`` are those of the query, inside subqueries too."""
    held = series({"__name__": "a"}, every(60, 1, 2, 4, 8))
    assert {"__name__=a": 2} == at("a offset 1m", 120, held)
    assert {"__name__=a": 8} == at("a offset -1m", 120, held)
    assert {"__name__=a": 1} == at("a @ 59.9", 120, held)
    (answer,) = evaluate_range(
        Stored([held]), "sum(a @ start()) + sum(a @ end())", 0, 120_000, 60_000
    )
    assert [5, 5, 5] == answer.values.tolist()


def test_an_answer_has_only_the_steps_that_have_a_value() -> None:
    """Times are the steps', not the samples'."""
    (answer,) = evaluate_range(Stored([UP]), "up == 1", 1000, 121_000, 60_000)
    assert [1000, 121_000] == answer.times.tolist()
    assert {"__name__": "up", "job": "api"} == answer.labels


def test_a_number_is_one_series_without_labels() -> None:
    """At every step."""
    (answer,) = evaluate_range(Stored([]), "time() * 2", 1000, 3000, 1000)
    assert ({}, [2, 4, 6]) == (answer.labels, answer.values.tolist())


def test_a_range_selector_at_an_instant_gives_its_samples() -> None:
    """Over a range it has no meaning."""
    (answer,) = evaluate_instant(Stored([UP]), "up[2m]", 120_000)
    assert ([60_000, 120_000], [0, 1]) == (answer.times.tolist(), answer.values.tolist())
    with pytest.raises(PromqlError, match="vector or a number"):
        evaluate_range(Stored([UP]), "up[2m]", 0, 120_000, 60_000)


def test_operations_drop_the_name_and_filters_keep_it() -> None:
    """So do functions that hand on a sample."""
    assert {"job=api": 2} == at("up + 1", 0, UP)
    assert {"__name__=up,job=api": 1} == at("up > 0", 0, UP)
    assert {"job=api": 1} == at("up > bool 0", 0, UP)
    assert {"__name__=up,job=api": 1} == at("last_over_time(up[1m])", 0, UP)
    assert {"job=api": 1} == at("max_over_time(up[1m])", 0, UP)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("a * on () b", "many-to-many matching not allowed"),
        ("b * on () a", "multiple matches for labels"),
        ("b * on () group_left (x) b", "many-to-many matching not allowed"),
        ("-{__name__=~'a|c'}", "same labelset"),
        ("rate({__name__=~'a|c'}[5m])", "same labelset"),
        ("label_replace(b, 'x', '1', '', '')", "same labelset"),
    ],
)
def test_an_ambiguous_operation_is_an_error(query: str, message: str) -> None:
    """Never one of the possible numbers."""
    held = [
        series({"__name__": "a"}, every(60, 1, 2)),
        series({"__name__": "c"}, every(60, 1, 2)),
        series({"__name__": "b", "x": "1"}, every(60, 1, 2)),
        series({"__name__": "b", "x": "2"}, every(60, 1, 2)),
    ]
    with pytest.raises(PromqlError, match=message):
        at(query, 60, *held)


def test_series_of_one_match_group_may_follow_each_other() -> None:
    """Only at one and the same step are two of them too many."""
    held = [
        series({"__name__": "a", "pod": "1"}, [(0, 1), (30, "stale")]),
        series({"__name__": "a", "pod": "2"}, [(60, 5)]),
        series({"__name__": "b"}, every(60, 10, 20)),
    ]
    (answer,) = evaluate_range(Stored(held), "b + on () a", 0, 60_000, 60_000)
    assert [11, 25] == answer.values.tolist()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("up{", "cannot be read"),
        ("up[$window]", r"\$window has no meaning"),
        ("limitk(1, up)", "limitk is not supported"),
        ("mad_over_time(up[5m])", "mad_over_time is not supported"),
        ("up + fill_left (0) up", "fill_left and fill_right are not supported"),
        ("info(up)", "info is not supported"),
        ("'text'", "is a text"),
        ("topk(NaN, up)", "is NaN"),
        ("1 == 2", "BOOL"),
    ],
)
def test_what_is_wrong_or_unsupported_is_said(query: str, message: str) -> None:
    """As a rejected query, which callers of other sources know."""
    with pytest.raises(QueryRejected, match=message) as caught:
        at(query, 0, UP)
    assert isinstance(caught.value, PromqlError)


@pytest.mark.parametrize("query", ["up", "vector(1)", "max_over_time(vector(1)[30d:1ms])"])
def test_a_query_that_would_need_too_much_memory_is_refused(query: str) -> None:
    """Before any of it is taken."""
    with pytest.raises(PromqlError, match="values at once"):
        evaluate_range(Stored([UP]), query, 0, 60 * 86_400_000, 60_000 if "30d" in query else 1)


def test_too_many_series_or_samples_are_refused() -> None:
    """The limit is on cells and on what is read."""
    held = [series({"__name__": "a", "x": str(x)}, every(1, *range(10))) for x in range(10)]
    with pytest.raises(PromqlError, match="100 values"):
        evaluate_instant(Stored(held), "a[10m]", 9000, most_cells=99)
    for query in ("count_values('v', sum(a))", "sum(a) or vector(1)"):
        with pytest.raises(PromqlError, match="values at once"):
            evaluate_range(Stored(held[:1]), query, 0, 9000, 1000, most_cells=19)
    with pytest.raises(PromqlError, match="values at once"):
        evaluate_range(Stored(held[:3]), "a", 0, 9000, 100, most_cells=200)


def test_selectors_of_one_kind_are_read_once_over_all_the_time_they_need() -> None:
    """Spans that touch are one; what lies far apart is not bridged."""
    source = Stored([UP])
    evaluate_range(source, "up - up offset 5m + rate(up[2m])", 600_000, 660_000, 60_000)
    assert [(0, 660_000)] == [(start, end) for _, start, end in source.asked]
    source = Stored([UP])
    evaluate_instant(source, "up - up offset 1d", 86_400_000)
    assert [(-300_000, 0), (86_100_000, 86_400_000)] == [asked[1:] for asked in source.asked]


def test_a_part_that_stands_twice_means_the_same_both_times() -> None:
    """It is evaluated once; what is made of it does not change it."""
    held = series({"__name__": "a"}, every(60, 1, 2, 4, 8))
    once = at("increase(a[2m])", 200, held)[""]
    query = (
        "increase(a[2m]) + 0 * (-increase(a[2m])) + (increase(a[2m]) unless increase(a[2m]) > 99)"
    )
    assert {"": 2 * once} == at(query, 200, held)


def test_parts_of_one_text_differ_where_their_steps_do() -> None:
    """Inside a subquery a selector is asked at the subquery's own steps."""
    held = series({"__name__": "a"}, every(60, 1, 2, 4, 8))
    inside, outside = "max_over_time(rate(a[2m])[3m:30s] offset 1m)", "rate(a[2m])"
    apart = at(inside, 200, held)[""] - at(outside, 200, held)[""]
    assert 0 != apart
    assert {"": apart} == at(f"{inside} - {outside}", 200, held)


def test_a_selector_beside_its_own_timestamps_keeps_its_values() -> None:
    """Both are read from the same samples."""
    held = series({"__name__": "a"}, [(100, 7)])
    assert {"": 107} == at("a + timestamp(a) + 0 * timestamp(a)", 110, held)


def test_selectors_that_differ_in_a_regex_alone_are_told_apart() -> None:
    """Regexes are not part of the text that the parser sees."""
    held = [series({"__name__": "a", "job": job}, [(100, 1)]) for job in ("x", "y")]
    query = 'count(a{job=~"x|z"}) + 10 * count(a{job=~"x|y"}) + 100 * count(a{job=~"x|z"})'
    assert {"": 121} == at(query, 110, *held)


def test_a_source_that_gives_a_series_twice_is_refused() -> None:
    """Counting it twice would be a wrong number."""
    with pytest.raises(PromqlError, match="twice"):
        at("sum(up)", 0, UP, UP)


def test_empty_labels_are_absent() -> None:
    """As in Prometheus's storage."""
    held = series({"__name__": "a", "x": ""}, [(0, 1)])
    assert {"__name__=a": 1} == at("a", 0, held)


def test_the_quantile_of_a_classic_histogram_is_interpolated() -> None:
    """Ten at or below 0.1, thirty at or below 0.2, forty in all."""
    held = [
        series({"__name__": "h_bucket", "le": le}, [(0, count)])
        for le, count in (("0.1", 10), ("0.2", 30), ("+Inf", 40), ("odd", 5))
    ]
    assert {"": pytest.approx(0.15)} == at("histogram_quantile(0.5, h_bucket)", 0, *held)
    assert {"": pytest.approx(0.05)} == at("histogram_quantile(0.125, h_bucket)", 0, *held)
    assert {"": 0.2} == at("histogram_quantile(0.9, h_bucket)", 0, *held)
    assert {"": pytest.approx(0.5)} == at("histogram_fraction(0, 0.15, h_bucket)", 0, *held)


def test_sums_do_not_lose_small_numbers_beside_large_ones() -> None:
    """A window's sum is not a difference of sums since the beginning."""
    held = series({"__name__": "a"}, every(60, 1e18, 1, 2, 3))
    assert {"": 6} == at("sum_over_time(a[3m])", 180, held)
    assert {"": pytest.approx(2 / 3)} == at("stdvar_over_time(a[3m])", 180, held)
    odd = series({"__name__": "a"}, every(60, NAN, 1, 2, 3))
    assert {"": 6} == at("sum_over_time(a[3m])", 180, odd)


def test_means_of_very_large_numbers_do_not_overflow() -> None:
    """As in Prometheus."""
    held = [series({"__name__": "a", "x": x}, every(60, 1.5e308, 1.5e308)) for x in "12"]
    assert {"": 1.5e308} == at("avg(a)", 60, *held)
    assert {"x=1": 1.5e308} == at("avg_over_time(a[2m])", 60, held[0])


def test_label_replace_fills_groups_by_number_and_name() -> None:
    """A group that is not there is empty, and a dollar can be written."""
    held = series({"__name__": "a", "x": "one-two"}, [(0, 1)])
    query = r"label_replace(a, 'y', '$2+${first}$9$$\\', 'x', '(?P<first>[^(]*)-(.*)')"
    assert {"__name__=a,x=one-two,y=two+one$\\": 1} == at(query, 0, held)
