"""Log records out of the embedded store."""

import json
from pathlib import Path

import pytest

from collectors.readers.store import StoreTelemetry
from collectors.readers.telemetry import Badness, Filter, LogQuery
from collectors.store import nanoseconds
from slo.errors import SourceTimeout
from tests.stored_rows import CARGO, NOON, SECOND, asking, hours, log, opened, span


def _ids(number: int) -> str:
    return f"{number:032x}"


@pytest.fixture
def telemetry(tmp_path: Path) -> StoreTelemetry:
    """Ten lines of ticketing, one of cargo, one of nobody."""
    lines = [
        log(f"seat {n} booked", at=n, severity=9 if n % 5 else 17, trace_id=_ids(n))
        for n in range(10)
    ]
    lines[3] = {**lines[3], "attributes": json.dumps({"event.action": "refund", "took": 12.5})}
    lines[4] = {**lines[4], "env": "staging"}
    lines += [log("cargo booked", at=3, **CARGO), log("whose?", at=3, app=None, env=None)]
    return StoreTelemetry(opened(tmp_path, logs=lines))


def test_the_newest_lines_of_the_app_come_first(telemetry: StoreTelemetry) -> None:
    """Only its own, only of the environment, as many as were asked for."""
    found = telemetry.logs(LogQuery(where=asking(), limit=3))
    assert ["seat 9 booked", "seat 8 booked", "seat 7 booked"] == found.value["body"].tolist()
    expected = (
        "time severity severity_text body component service version pod host trace_id span_id "
        "event attributes resource rung cursor"
    )
    assert expected == " ".join(found.value.columns)
    assert "store" == found.source
    assert found.notes, "that there may be more is said"
    assert found.observed_at is not None


def test_a_brief_answer_has_the_same_lines(telemetry: StoreTelemetry) -> None:
    """Fewer columns are read, and nothing else changes."""
    whole, brief = (telemetry.logs(LogQuery(where=asking(), brief=each)) for each in (False, True))
    kept = ["time", "severity_text", "body", "trace_id", "cursor"]
    assert kept == list(brief.value.columns)
    assert whole.value[kept].equals(brief.value)


def test_a_record_of_the_future_makes_nothing_fresh(tmp_path: Path) -> None:
    """A sender's wrong clock must not hide that its telemetry has ended."""
    lines = [log("booked", at=5), log("from next year", at=365 * 86_400)]
    telemetry = StoreTelemetry(opened(tmp_path, logs=lines))
    question = asking()
    assert question.range is not None
    found = telemetry.logs(LogQuery(where=question))
    assert ["booked"] == found.value["body"].tolist()
    assert found.observed_at is not None
    assert NOON + 5 * SECOND == nanoseconds(found.observed_at) < question.range.end


def test_another_environment_and_all_of_them(telemetry: StoreTelemetry) -> None:
    """An environment restricts; none asks for all."""
    staging = telemetry.logs(LogQuery(where=asking(env="staging")))
    assert ["seat 4 booked"] == staging.value["body"].tolist()
    assert 10 == len(telemetry.logs(LogQuery(where=asking(env=None))).value)


def test_what_belongs_to_nobody_is_asked_for_by_no_name(telemetry: StoreTelemetry) -> None:
    """No app means the records without one, not all records."""
    found = telemetry.logs(LogQuery(where=asking(app=None, env=None)))
    assert ["whose?"] == found.value["body"].tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SEAT booked", 9),
        ('"seat 7"', 1),
        ("level: error", 2),
        ("event.action: refund", 1),
        ("attributes.took >= 12", 1),
        ("event.action: *", 1),
        ("not seat", 0),
        ("seat and (3 or 7)", 2),
        ("100%", 0),
        ("se_t", 0),
    ],
)
def test_queries_select_what_they_say(telemetry: StoreTelemetry, text: str, expected: int) -> None:
    """Words, fields, comparisons; signs of LIKE mean themselves."""
    assert expected == len(telemetry.logs(LogQuery(where=asking(), text=text)).value)


def test_a_severity_a_trace_and_a_filter_narrow(telemetry: StoreTelemetry) -> None:
    """Each condition is joined by and."""
    severe = telemetry.logs(LogQuery(where=asking(), min_severity=17))
    assert ["seat 5 booked", "seat 0 booked"] == severe.value["body"].tolist()
    traced = telemetry.logs(LogQuery(where=asking(), trace_id=_ids(7)))
    assert ["seat 7 booked"] == traced.value["body"].tolist()
    without = asking(filters=(Filter(field="attributes.event.action", value=None),))
    assert 8 == len(telemetry.logs(LogQuery(where=without)).value)
    negated = asking(
        filters=(Filter(field="attributes.event.action", value="refund", negated=True),)
    )
    assert 8 == len(telemetry.logs(LogQuery(where=negated)).value)


def test_the_range_holds_its_start_and_not_its_end(telemetry: StoreTelemetry) -> None:
    """A line on the border belongs to one range only."""
    span_ = hours(2 / 3600, 5 / 3600)
    found = telemetry.logs(LogQuery(where=asking(range_=span_)))
    assert ["seat 3 booked", "seat 2 booked"] == found.value["body"].tolist()


def test_a_tail_gets_only_what_was_stored_since(telemetry: StoreTelemetry) -> None:
    """The cursor of the newest record asks for what came after it."""
    newest = telemetry.logs(LogQuery(where=asking(), limit=1)).value["cursor"][0]
    assert NOON + 9 * SECOND == newest
    assert telemetry.logs(LogQuery(where=asking(), after=int(newest))).value.empty
    assert 1 == len(telemetry.logs(LogQuery(where=asking(), after=int(newest) - 1)).value)


def test_the_histogram_counts_every_line_once(telemetry: StoreTelemetry) -> None:
    """Slices begin at the range's start and are as many as asked for, at most."""
    asked = LogQuery(where=asking(range_=hours(0, 10 / 3600)))
    found = telemetry.log_histogram(asked, 3).value
    assert 9 == found["count"].sum()
    assert {"info": 7, "error": 2} == found.groupby("level")["count"].sum().to_dict()
    assert NOON == found["time"].min()
    assert 3 == found["time"].nunique()


def test_severities_are_levels_and_none_is_unknown(tmp_path: Path) -> None:
    """1 to 24 in fours; what has no severity is not called info."""
    numbers = [1, 4, 5, 9, 13, 17, 21, 24, None, 0, 99]
    lines = [log(f"{n}", at=n, severity=number) for n, number in enumerate(numbers)]
    found = StoreTelemetry(opened(tmp_path, logs=lines)).log_histogram(LogQuery(where=asking()), 1)
    assert {
        "trace": 2,
        "debug": 1,
        "info": 1,
        "warn": 1,
        "error": 1,
        "fatal": 2,
        "unknown": 3,
    } == dict(zip(found.value["level"], found.value["count"], strict=True))


def test_lines_of_failing_requests_are_told_from_others(tmp_path: Path) -> None:
    """By their traces; lines without a trace are neither's."""
    spans = [
        span(n, at=n, status="error" if n < 3 else "unset", route="/pay" if n != 1 else "/seats")
        for n in range(10)
    ]
    lines = [log(f"line {n}", at=n, trace_id=_ids(n)) for n in range(10)] + [log("none")]
    telemetry = StoreTelemetry(opened(tmp_path, logs=lines, spans=spans))
    found = telemetry.failing_bodies(asking(), Badness(), 100).value
    assert {"line 0", "line 1", "line 2"} == set(found[found["failing"]]["body"])
    assert 7 == (~found["failing"]).sum()
    routed = asking(filters=(Filter(field="route", value="/pay"),))
    narrowed = telemetry.failing_bodies(routed, Badness(), 100).value
    assert {"line 0", "line 2"} == set(narrowed[narrowed["failing"]]["body"])
    assert 4 == len(telemetry.failing_bodies(asking(), Badness(), 2).value)


def test_no_failing_requests_leave_the_others(tmp_path: Path) -> None:
    """Lines of good requests stay; those of requests that nobody traced are not compared."""
    lines = [log("fine", trace_id=_ids(1)), log("untraced", trace_id=_ids(2)), log("none")]
    telemetry = StoreTelemetry(opened(tmp_path, logs=lines, spans=[span(1)]))
    found = telemetry.failing_bodies(asking(), Badness(), 10).value
    assert [("fine", False)] == list(zip(found["body"], found["failing"], strict=True))


def test_an_empty_store_answers_with_columns_and_no_rows(tmp_path: Path) -> None:
    """No data is no error, and nothing is as fresh as nothing."""
    found = StoreTelemetry(opened(tmp_path)).logs(LogQuery(where=asking()))
    assert found.value.empty
    assert "body" in found.value.columns
    assert found.observed_at is None


def test_a_search_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    """The deadline holds for searches as for every other question."""
    lines = [log(f"line {n} {'x' * 50}", at=n / 1000) for n in range(20_000)]
    reader = opened(tmp_path, logs=lines)
    with pytest.raises(SourceTimeout):
        StoreTelemetry(reader, deadline=0.0).logs(LogQuery(where=asking(), text="nothing here"))


def test_the_answer_says_what_was_asked(telemetry: StoreTelemetry) -> None:
    """The query can be read, with its values."""
    found = telemetry.logs(LogQuery(where=asking(), text="refund"))
    assert "FROM logs" in found.query
    assert "refund" in found.query
    assert hours() == found.range


@pytest.mark.parametrize("field", ["event.action", "event.name", "event_name"])
def test_an_event_is_found_wherever_its_receiver_put_it(tmp_path: Path, field: str) -> None:
    """Plain records have it in a column, those of OTLP among the attributes, which are surer."""
    lines = [
        log("plain", at=1, event="pay"),
        log("told", at=2, attributes=json.dumps({field: "pay"})),
        log("both", at=3, event="pay", attributes=json.dumps({field: "refund"})),
        log("neither", at=4),
    ]
    telemetry = StoreTelemetry(opened(tmp_path, logs=lines))
    found = {
        text: telemetry.logs(LogQuery(where=asking(), text=text)).value["body"].tolist()
        for text in (f"{field}: pay", f"not {field}: *")
    }
    assert {f"{field}: pay": ["told", "plain"], f"not {field}: *": ["neither"]} == found
