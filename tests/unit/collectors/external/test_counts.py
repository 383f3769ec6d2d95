"""Readings of service levels that another product counts: exact numbers, and what is not known."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from collectors.readers.external.counts import ExternalCounts
from collectors.readers.prometheus import Clock
from slo.errors import AuthenticationFailed, QueryRejected, SourceUnavailable
from slo.model import External, ServiceLevel
from slo.ports import Counts, EvidenceStatus, NoData, NoDataReason, Reading
from slo.units import Duration
from tests.contract.levels import level as level_of
from tests.contract.levels import windows
from tests.servers.in_memory_product import (
    Product,
    always,
    except_between,
    never,
    only_between,
    per_second,
)
from tests.servers.loopback import FakeTime

AT = datetime(2026, 11, 21, 12, 37, tzinfo=UTC)
END = datetime(2026, 11, 21, 12, 35, tzinfo=UTC)
"""Where reading ends with two minutes of lag: the last whole slot."""
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
PERIOD = Fraction(30 * 86400 + 35 * 60)
"""The seconds of thirty days that begin at a full hour and end at 12:35."""
WINDOWS = windows("5m", "1h", "6h", "1d")
BOTH = {"hits": per_second("1"), "errors": per_second("1/100")}


def level(measure: External, **more: Any) -> ServiceLevel:
    """A service level that Datadog counts."""
    return level_of(measure=measure, source="datadog/eu", **more)


EVENTS = External(total="hits", bad="errors")
GOOD = External(total="hits", good="fine")


def counts(total: object, bad: object) -> Counts:
    """Counts of whole events."""
    return Counts(total=Fraction(str(total)), bad=Fraction(str(bad)))


def reader(product: Product, lag: str = "2m", **more: Any) -> ExternalCounts:
    """A reader with two minutes of lag."""
    return ExternalCounts(
        product, lag=Duration.parse(lag, allow_zero=True), timeout=Duration.of(seconds=30), **more
    )


def reading(product: Product, one: ServiceLevel, lag: str = "2m") -> Reading:
    """What is read of one service level."""
    return reader(product, lag).read([one], WINDOWS, AT)[one.key]


def at(hour: int, minute: int = 0, *, days: int = 0) -> datetime:
    """A moment of that day, or so many days before."""
    return datetime(2026, 11, 21, hour, minute, tzinfo=UTC) - timedelta(days=days)


def test_events_of_all_windows_are_exact() -> None:
    """Up to six hours to five minutes, longer ones from a full hour on."""
    found = reading(Product(BOTH), level(EVENTS))
    assert counts(PERIOD, PERIOD / 100) == found.period
    assert {
        windows("5m")[0]: counts(300, 3),
        windows("1h")[0]: counts(3600, 36),
        windows("6h")[0]: counts(21600, 216),
        windows("1d")[0]: counts(88500, 885),
    } == found.windows
    assert (Fraction(1), END, None) == (found.coverage, found.observed_at, found.since)
    assert (False, (), (), ()) == (found.unproven, found.partial, found.warnings, found.notes)


def test_two_questions_are_put_for_each_query() -> None:
    """Whole hours of the period, and five minutes from the full hour six hours before the last."""
    product = Product(BOTH)
    reading(product, level(EVENTS))
    asked = sorted(
        (query, str(steps.step), steps.start, steps.count) for query, steps, _ in product.asked
    )
    hours = ("1h", at(12, days=30), 714)
    slots = ("5m", at(6), 79)
    assert [
        ("errors", *hours),
        ("errors", *slots),
        ("hits", *hours),
        ("hits", *slots),
    ] == asked


def test_a_query_of_several_levels_is_asked_once() -> None:
    """All errors, and all hits, whoever counts them."""
    product = Product(BOTH)
    levels = [level(EVENTS), level(External(total="hits", bad="hits"), slo="other")]
    reader(product).read(levels, WINDOWS, AT)
    assert 4 == len(product.asked)


def test_a_short_period_needs_no_hours() -> None:
    """Six hours are seventy-two slots, and begin to five minutes."""
    product = Product(BOTH)
    one = level(EVENTS, window="6h")
    found = reader(product).read([one], windows("1h"), AT)[one.key]
    assert counts(21600, 216) == found.period
    assert [72, 72] == [steps.count for _, steps, _ in product.asked]


@pytest.mark.parametrize(
    ("lag", "offset", "end"),
    [
        ("0s", None, at(12, 35)),
        ("2m", None, at(12, 35)),
        ("2m1s", None, at(12, 30)),
        ("5m", None, at(12, 30)),
        ("5m", "1h", at(11, 30)),
        ("2m", "3m", at(12, 30)),
        ("1h", None, at(11, 35)),
    ],
)
def test_reading_ends_with_the_last_slot_before_lag_and_offset(
    lag: str, offset: str | None, end: datetime
) -> None:
    """What is younger may still grow, or is left out on purpose."""
    burst = only_between(per_second("1"), end - timedelta(minutes=5), end)
    product = Product({"hits": burst, "errors": burst})
    more = {} if offset is None else {"offset": Duration.parse(offset)}
    found = reading(product, level(EVENTS, **more), lag)
    assert (counts(300, 300), end) == (found.windows[windows("5m")[0]], found.observed_at)


def test_good_events_make_the_others_bad() -> None:
    """A slot's good events cannot save another slot."""
    rate = per_second("1")
    found = reading(Product({"hits": rate, "fine": per_second("9/10")}), level(GOOD))
    assert counts(3600, 360) == found.windows[windows("1h")[0]]
    # A little too many, as where two counters are read at two moments: no bad event is negative.
    more = only_between(per_second("1001/1000"), at(12), END)
    found = reading(Product({"hits": rate, "fine": more}), level(GOOD))
    assert counts(300, 0) == found.windows[windows("5m")[0]]
    assert counts(PERIOD, PERIOD - 35 * 60) == found.period


def test_no_good_event_makes_all_bad_and_more_good_than_all_makes_no_sense() -> None:
    """An outage leaves no series of good events; a wrong query too many."""
    found = reading(Product({"hits": per_second("1"), "fine": never}), level(GOOD))
    assert counts(PERIOD, PERIOD) == found.period
    found = reading(Product({"hits": per_second("1"), "fine": per_second("2")}), level(GOOD))
    assert isinstance(found.period, NoData)
    assert NoDataReason.INCOMPLETE is found.period.reason


def test_good_events_without_a_total_are_not_known() -> None:
    """All events cannot be fewer, and may be more."""
    cut = except_between(per_second("1"), at(12, 15), at(12, 25))
    found = reading(Product({"hits": cut, "fine": per_second("1")}), level(GOOD))
    assert counts(3000, 0) == found.windows[windows("1h")[0]]
    assert Fraction(1) - Fraction(600) / PERIOD == found.coverage


def test_bad_events_without_a_total_are_events_all_the_same() -> None:
    """They are not lost because the other query has a gap."""
    cut = except_between(per_second("1"), at(12, 15), at(12, 25))
    found = reading(Product({"hits": cut, "errors": per_second("1/10")}), level(EVENTS))
    assert counts(3060, 360) == found.windows[windows("1h")[0]]


def test_a_product_without_numbers_for_up_to_an_hour_was_idle() -> None:
    """No traffic is no series in most products."""
    quiet = {query: except_between(number, at(10), at(11)) for query, number in BOTH.items()}
    found = reading(Product(quiet), level(EVENTS))
    assert counts(PERIOD - 3600, (PERIOD - 3600) / 100) == found.period
    assert Fraction(1) == found.coverage


def test_idleness_up_to_now_is_known() -> None:
    """A window without traffic holds nothing, and nothing is old."""
    quiet = {query: except_between(number, at(11, 35), END) for query, number in BOTH.items()}
    found = reading(Product(quiet), level(EVENTS))
    assert (counts(0, 0), END) == (found.windows[windows("1h")[0]], found.observed_at)


def test_longer_silence_is_not_known() -> None:
    """It lowers coverage; a window within it has no data."""
    lost = {query: except_between(number, at(11, 30), END) for query, number in BOTH.items()}
    found = reading(Product(lost), level(EVENTS))
    assert counts(PERIOD - 3900, (PERIOD - 3900) / 100) == found.period
    assert 1 - Fraction(3900) / PERIOD == found.coverage
    assert at(11, 30) == found.observed_at
    missing = found.windows[windows("1h")[0]]
    assert isinstance(missing, NoData)
    assert (NoDataReason.LOST, "datadog/eu has no numbers for the last 1h") == (
        missing.reason,
        missing.detail,
    )
    assert counts(21600 - 3900, 216 - 39) == found.windows[windows("6h")[0]]


def test_a_silence_is_measured_across_hours_and_slots() -> None:
    """An hour without numbers and five minutes after it are one silence of more than an hour."""
    lost = {query: except_between(number, at(5), at(6, 5)) for query, number in BOTH.items()}
    found = reading(Product(lost), level(EVENTS))
    assert 1 - Fraction(3900) / PERIOD == found.coverage


def test_history_that_begins_within_the_period_says_since_when() -> None:
    """Coverage is that of the known part."""
    young = {query: only_between(number, at(0, days=3), at(13)) for query, number in BOTH.items()}
    found = reading(Product(young), level(EVENTS))
    seconds = 3 * 86400 + 12 * 3600 + 35 * 60
    assert counts(seconds, Fraction(seconds) / 100) == found.period
    assert (at(0, days=3), Fraction(1)) == (found.since, found.coverage)
    assert ("history covers 12 % of the 30d window",) == found.notes


def test_a_query_without_any_number_is_no_data() -> None:
    """Nothing is not zero."""
    found = reading(Product({"hits": never, "errors": never}), level(EVENTS))
    assert isinstance(found.period, NoData)
    assert NoDataReason.NEVER is found.period.reason
    assert {found.period} == set(found.windows.values())
    assert {EvidenceStatus.MISSING} == {each.status for each in found.evidence}


def test_errors_that_never_had_a_number_are_unproven() -> None:
    """Zero from a product is a number; none may be a wrong query."""
    silent = {"hits": per_second("1"), "errors": never}
    assert reading(Product(silent), level(EVENTS)).unproven
    assert not reading(Product(silent), level(EVENTS, proven=True)).unproven
    assert not reading(Product({**silent, "errors": always("0")}), level(EVENTS)).unproven
    assert counts(PERIOD, 0) == reading(Product(silent), level(EVENTS)).period


def test_a_share_without_weight_counts_seconds() -> None:
    """Every second counts the same."""
    share = External(bad="errors", share=True)
    found = reading(Product({"errors": always("1/4")}), level(share))
    assert (counts(300, 75), counts(PERIOD, PERIOD / 4)) == (
        found.windows[windows("5m")[0]],
        found.period,
    )
    assert not level(share).slo.indicator.counts_events


def test_a_share_of_good_is_turned_around_and_shares_stay_within_bounds() -> None:
    """Products give 1.0000001 and less than nothing."""
    for text, bad in (("9/10", 30), ("11/10", 0), ("-1/10", 300)):
        found = reading(Product({"fine": always(text)}), level(External(good="fine", share=True)))
        assert counts(300, bad) == found.windows[windows("5m")[0]]
    found = reading(Product({"e": always("3/2")}), level(External(bad="e", share=True)))
    assert counts(300, 300) == found.windows[windows("5m")[0]]


def test_a_weight_says_how_much_a_share_counts() -> None:
    """A busy hour counts more than a quiet one."""
    weighted = External(total="hits", bad="errors", share=True)
    busy = only_between(per_second("9"), at(12), END)

    def hits(start: int, end: int) -> Fraction:
        return Fraction(end - start, 1000) + (busy(start, end) or 0)

    share = only_between(always("1/2"), at(12), END)
    found = reading(Product({"hits": hits, "errors": share}), level(weighted))
    minutes = 35 * 60
    assert counts(3600 + 9 * minutes, 5 * minutes) == found.windows[windows("1h")[0]]
    assert level(weighted).slo.indicator.counts_events


def test_a_share_of_good_that_is_missing_is_not_known_where_something_counts() -> None:
    """Of nothing there is no share; of something there ought to be."""
    weighted = External(total="hits", good="fine", share=True)
    cut = except_between(always("1"), at(12, 15), at(12, 25))
    product = Product({"hits": per_second("1"), "fine": cut})
    found = reading(product, level(weighted))
    assert counts(3000, 0) == found.windows[windows("1h")[0]]
    assert 1 - Fraction(600) / PERIOD == found.coverage
    quiet = Product({"hits": always("0"), "fine": never})
    assert counts(0, 0) == reading(quiet, level(weighted)).period


def test_what_an_answer_lacks_makes_the_reading_partial() -> None:
    """In the product's own words, once."""
    found = reading(Product(BOTH, lacking=("sampled to 10 %",)), level(EVENTS))
    assert (("datadog/eu",), ("sampled to 10 %",)) == (found.partial, found.warnings)
    assert counts(300, 3) == found.windows[windows("5m")[0]]


def test_lacking_everything_is_a_failure_and_no_silence() -> None:
    """An answer that was cut off may have had the numbers."""
    nothing = Product({"hits": never, "errors": never}, lacking=("the search was cut off",))
    found = reading(nothing, level(EVENTS))
    expected = NoData(
        reason=NoDataReason.SOURCE_FAILED, detail="datadog/eu: the search was cut off"
    )
    assert expected == found.period


def test_a_query_that_is_refused_takes_no_other_level_along() -> None:
    """Its reading says why, and what was asked."""
    refusal = QueryRejected("datadog/eu: no such metric", source="datadog/eu")
    product = Product(BOTH, failing={"wrong": refusal})
    wrong = level(External(total="hits", bad="wrong"), slo="wrong")
    found = reader(product).read([wrong, level(EVENTS)], WINDOWS, AT)
    expected = NoData(reason=NoDataReason.SOURCE_FAILED, detail="datadog/eu: no such metric")
    assert expected == found[wrong.key].period
    statuses = [each.status for each in found[wrong.key].evidence]
    assert [EvidenceStatus.OK, EvidenceStatus.ERROR] * 2 == statuses
    assert counts(PERIOD, PERIOD / 100) == found[level(EVENTS).key].period


def test_who_is_turned_away_stops_asking() -> None:
    """Many tries with a wrong key lock it out."""
    refusal = AuthenticationFailed("datadog/eu: refused", source="datadog/eu")
    queries = {f"q{number}": per_second("1") for number in range(100)}
    product = Product(queries, failing=dict.fromkeys(queries, refusal))
    levels = [level(External(total=each, bad=each), slo=each) for each in queries]
    found = reader(product).read(levels, WINDOWS, AT)
    assert {"datadog/eu: refused"} == {
        each.period.detail for each in found.values() if isinstance(each.period, NoData)
    }
    assert 100 == len(found)
    assert len(product.asked) <= 8


def test_a_deadline_is_that_of_all_questions_together() -> None:
    """A question has its source's time or what is left; after that nobody is asked."""
    time = FakeTime()
    clock = Clock(monotonic=time.monotonic, sleep=time.sleep)
    product = Product(BOTH, taking=lambda: time.sleep(6))
    one = level(EVENTS, window="6h")
    short = reader(product, deadline=Duration.of(seconds=5), clock=clock)
    short.read([one], windows("1h"), AT)
    assert 5 == max(within for _, _, within in product.asked)
    product.asked.clear()
    wide = reader(product, deadline=Duration.of(minutes=5), clock=clock)
    wide.read([one], windows("1h"), AT)
    assert 30 == max(within for _, _, within in product.asked)
    time.sleep(10)
    late = reader(product, deadline=Duration(milliseconds=0), clock=clock)
    product.asked.clear()
    found = late.read([one], windows("1h"), AT)[one.key]
    assert [] == product.asked
    assert isinstance(found.period, NoData)
    assert "datadog/eu: the time to read was over before it could be asked" == found.period.detail


def test_an_indicator_of_metrics_is_not_for_a_product() -> None:
    """Nobody reads PromQL to Datadog."""
    one = level_of()
    product = Product({})
    found = reader(product).read([one], WINDOWS, AT)[one.key]
    assert isinstance(found.period, NoData)
    assert (NoDataReason.UNSUPPORTED, []) == (found.period.reason, product.asked)


def test_evidence_says_what_was_asked_of_whom() -> None:
    """Each question with its digest; the same numbers have the same one."""
    first, again = (reading(Product(BOTH), level(EVENTS)).evidence for _ in range(2))
    assert first == again
    assert [("datadog/eu", "hits"), ("datadog/eu", "errors")] * 2 == [
        (each.source, each.query) for each in first
    ]
    assert [(at(12, days=30), at(6)), (at(6), END)] == [
        (each.start, each.end) for each in first[::2]
    ]
    other = reading(Product({**BOTH, "errors": per_second("1/50")}), level(EVENTS)).evidence
    assert (first[0].sha256, first[2].sha256) == (other[0].sha256, other[2].sha256)
    assert first[1].sha256 != other[1].sha256


def test_a_profile_adds_up_to_its_reading() -> None:
    """Ten steps of three days; the part of the first hour is in the first."""
    product = Product(BOTH)
    one = level(EVENTS)
    counting = reader(product)
    readings = counting.read([one], WINDOWS, AT)
    profile = counting.profiles([one], readings, AT, steps=10)[one.key]
    assert 10 == len(profile)
    known = [each for each in profile if each is not None]
    assert readings[one.key].period == sum(known[1:], known[0])
    assert 3 * 86400 - 3600 < known[5].total < 3 * 86400 + 3600


def test_a_profile_of_a_young_history_begins_with_it() -> None:
    """What is not known is not zero."""
    lost = {
        query: except_between(only_between(number, at(0), at(13)), at(6), at(10))
        for query, number in BOTH.items()
    }
    one = level(EVENTS)
    counting = reader(Product(lost))
    readings = counting.read([one], WINDOWS, AT)
    profile = counting.profiles([one], readings, AT, steps=13)[one.key]
    assert [3600] * 2 == [each.total for each in profile[-2:] if each]
    assert 3 == sum(each is None for each in profile)
    known = [each for each in profile if each is not None]
    assert readings[one.key].period == sum(known[1:], known[0])


def test_a_profile_that_cannot_be_had_is_left_out() -> None:
    """A picture is no reason to fail."""
    one = level(EVENTS)
    readings = reader(Product(BOTH)).read([one], WINDOWS, AT)
    broken = SourceUnavailable("datadog/eu: gone", source="datadog/eu")
    product = Product(BOTH, failing={"errors": broken})
    assert {} == reader(product).profiles([one], readings, AT, steps=10)


def test_a_series_ends_with_the_last_slot_however_late_numbers_come() -> None:
    """Lag is for those who wait for it; what has no number is none."""
    hits = only_between(per_second("1"), at(12), at(12, 30))
    one = level(External(total="hits", bad="nothing"))
    product = Product({"hits": hits, "nothing": never})
    found = reader(product, "1h").series(
        one, AT, span=Duration.of(hours=1), step=Duration.of(minutes=5)
    )
    assert (counts(300, 0),) * 6 + (None,) == found
    assert {(at(11, 35), 12)} == {(steps.start, steps.count) for _, steps, _ in product.asked}


def test_a_series_of_whole_hours_asks_for_hours() -> None:
    """Where it ends with one; otherwise its steps are made of slots."""
    for moment, step, count in ((at(12), "1h", 24), (at(12, 5), "5m", 288)):
        product = Product(BOTH)
        one = level(EVENTS)
        found = reader(product).series(
            one, moment, span=Duration.of(days=1), step=Duration.of(hours=2)
        )
        assert (counts(7200, 72),) * 12 == found
        assert {(step, count)} == {(str(steps.step), steps.count) for _, steps, _ in product.asked}


def test_a_series_is_shifted_by_the_offset() -> None:
    """The last step ends that much earlier."""
    product = Product(BOTH)
    one = level(EVENTS, offset=Duration.of(minutes=10))
    reader(product).series(one, at(12), span=Duration.of(hours=1), step=Duration.of(minutes=5))
    assert {at(10, 50)} == {steps.start for _, steps, _ in product.asked}


def test_a_series_that_fails_is_told_and_a_step_between_slots_is_a_mistake() -> None:
    """There is no answer to either."""
    broken = SourceUnavailable("datadog/eu: gone", source="datadog/eu")
    counting = reader(Product(BOTH, failing={"errors": broken}))
    with pytest.raises(SourceUnavailable, match="gone"):
        counting.series(level(EVENTS), AT, span=Duration.of(hours=1), step=Duration.of(minutes=5))
    with pytest.raises(ValueError, match="whole number of 5m"):
        counting.series(level(EVENTS), AT, span=Duration.of(hours=1), step=Duration.of(minutes=7))


def test_a_series_that_has_to_be_whole_lacks_nothing() -> None:
    """What is counted for good is not counted out of a part."""
    counting = reader(Product(BOTH, lacking=("sampled",)))
    span, step = Duration.of(hours=1), Duration.of(minutes=5)
    assert 12 == len(counting.series(level(EVENTS), AT, span=span, step=step))
    with pytest.raises(SourceUnavailable, match="datadog/eu: sampled"):
        counting.series(level(EVENTS), AT, span=span, step=step, whole=True)
