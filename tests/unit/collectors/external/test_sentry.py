"""Sentry: requests and answers have the shape of its published client and of its server.

``events-timeseries`` and ``sessions``: parameters and answers of the npm package @sentry/api 0.1.0,
generated from Sentry's OpenAPI description (``QueryExploreEventsInTimeseriesFormat…``,
``RetrieveReleaseHealthSessionStatistics…``). ``events-stats``, which that description leaves out:
``SnubaTSResultSerializer`` of the server, a list of ``[seconds, [{"count": n}]]`` that is filled
with zeros. Rate limits: the page "Rate Limits" of its API documentation.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.external.port import Counted
from collectors.readers.external.sentry import open_sentry
from slo.errors import AuthenticationFailed, QueryRejected, SourceError, SourceUnavailable
from tests.servers.loopback import FakeTime
from tests.unit.collectors.external.vendor import (
    AT,
    AT_MS,
    HOUR,
    Given,
    Vendor,
    Wanted,
    clock,
    json_reply,
    source,
    steps,
)

TOKEN = "sntrys_token-of-sentry"
SETTINGS = {"organization": "airline", "tokenFile": TOKEN}
SPANS = "spans: count(span.duration) where is_transaction:true (a:1 OR b:2)"


def timeseries(*values: dict[str, Any], interval: int = 300_000, **meta: Any) -> Given:
    """Answer events-timeseries with one series, a value for each step."""
    rows = [
        {"timestamp": AT_MS + n * interval, "incomplete": False, "value": 0, **value}
        for n, value in enumerate(values)
    ]
    kind = {"valueType": "integer", "valueUnit": None, "interval": interval, **meta}
    series = {"values": rows, "yAxis": "count(span.duration)", "meta": kind}
    end = AT_MS + len(rows) * interval
    whole = {"dataset": "spans", "start": AT_MS, "end": end}
    return json_reply({"timeSeries": [series], "meta": whole})


def stats(*counts: int, seconds: int = 300) -> Given:
    """Answer events-stats, a number for each step."""
    start = AT_MS // 1000
    data = [[start + n * seconds, [{"count": each}]] for n, each in enumerate(counts)]
    end = start + len(counts) * seconds
    return json_reply({"data": data, "start": start, "end": end, "isMetricsData": False})


def sessions(intervals: list[str], *groups: list[int | None]) -> Given:
    """Answer sessions, with groups of numbers for its intervals."""
    name = "sum(session)"
    listed = [{"by": {}, "series": {name: each}, "totals": {}} for each in groups]
    bounds = {"start": intervals[0], "end": intervals[-1], "query": ""}
    return json_reply({**bounds, "intervals": intervals, "groups": listed})


def count(
    answer: Given, folder: Path, query: str, asked: Any = None, **settings: str
) -> tuple[Counted, list[Wanted]]:
    """Count against a product that always answers the same."""
    with Vendor(lambda _: answer) as vendor:
        given = {**SETTINGS, **settings}
        made = source("sentry", vendor.url, folder, settings=given, retries=0)
        adapter = open_sentry(made, {}, clock(FakeTime()))
        return adapter.count(query, asked or steps(), within=10), vendor.asked


class TestRequests:
    def test_spans_are_asked_of_the_documented_endpoint(self, tmp_path: Path) -> None:
        """All projects that the token may see, where none is named."""
        _, (asked,) = count(timeseries({}, {}, {}), tmp_path, SPANS)
        assert ("GET", "/api/0/organizations/airline/events-timeseries/") == (
            asked.method,
            asked.path,
        )
        assert f"Bearer {TOKEN}" == asked.headers["Authorization"]
        assert {
            "start": ["2026-11-22T12:00:00"],
            "end": ["2026-11-22T12:15:00"],
            "interval": ["5m"],
            "project": ["-1"],
            "query": ["is_transaction:true (a:1 OR b:2)"],
            "dataset": ["spans"],
            "yAxis": ["count(span.duration)"],
        } == asked.params

    def test_projects_are_named_by_number_or_in_the_search(self, tmp_path: Path) -> None:
        """The endpoint takes numbers only; the search knows names."""
        zeros = stats(0, 0, 0)
        _, (asked,) = count(zeros, tmp_path, "errors: count()", project="12, 34")
        assert ["12", "34"] == asked.params["project"]
        assert "query" not in asked.params
        query = "errors: count() where level:fatal"
        _, (asked,) = count(zeros, tmp_path, query, project="web,api")
        assert ["-1"] == asked.params["project"]
        assert "project:[web,api] (level:fatal)" == asked.param("query")

    def test_errors_are_asked_of_events_stats(self, tmp_path: Path) -> None:
        """The documented endpoint does not have them."""
        _, (asked,) = count(stats(0, 0, 0), tmp_path, "errors: count()")
        assert "/api/0/organizations/airline/events-stats/" == asked.path
        assert "errors" == asked.param("dataset")

    def test_sessions_have_an_endpoint_of_their_own(self, tmp_path: Path) -> None:
        """It takes fields, and no dataset."""
        answer = sessions(["2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"], [5, 6])
        query = "sessions: sum(session) where session.status:crashed"
        counted, (asked,) = count(answer, tmp_path, query, steps(2, HOUR))
        assert (Fraction(5), Fraction(6)) == counted.numbers
        assert "/api/0/organizations/airline/sessions/" == asked.path
        assert ("sum(session)", "1h") == (asked.param("field"), asked.param("interval"))
        assert "dataset" not in asked.params

    def test_long_spans_are_asked_for_in_parts(self, tmp_path: Path) -> None:
        """A thousand steps fit into one answer of any of its endpoints."""
        empty = json_reply({"data": []})
        counted, asked = count(empty, tmp_path, "errors: count()", steps(2160, HOUR))
        assert (None,) * 2160 == counted.numbers
        assert ["2027-01-03T04:00:00", "2027-02-13T20:00:00", "2027-02-20T12:00:00"] == [
            each.param("end") for each in asked
        ]

    @pytest.mark.parametrize("query", ["count()", "issues: count()", "errors:", "Spans: count()"])
    def test_a_query_names_a_dataset_that_can_be_counted(self, query: str, tmp_path: Path) -> None:
        """Another would be asked of the wrong endpoint."""
        with pytest.raises(QueryRejected, match="does not begin with a dataset"):
            count(stats(), tmp_path, query)


class TestAnswers:
    def test_zeros_are_numbers_and_series_add_up(self, tmp_path: Path) -> None:
        """Sentry fills what is empty with zeros; steps outside of those asked for are dropped."""
        answer = stats(0, 3, 4, 99)
        counted, _ = count(answer, tmp_path, "errors: count()")
        assert (Fraction(0), Fraction(3), Fraction(4)) == counted.numbers
        hours = ["2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z"]
        answer = sessions(hours, [5, None], [2, None])
        counted, _ = count(answer, tmp_path, "sessions: sum(session)", steps(2, HOUR))
        assert (Fraction(7), None) == counted.numbers

    def test_numbers_are_exact(self, tmp_path: Path) -> None:
        """A tenth is a tenth."""
        counted, _ = count(timeseries({"value": 0.1}, {}, {"value": 1e3}), tmp_path, SPANS)
        assert (Fraction(1, 10), Fraction(0), Fraction(1000)) == counted.numbers
        assert () == counted.lacking

    @pytest.mark.parametrize(
        ("value", "meta", "words"),
        [
            ({"sampleRate": 0.25, "sampleCount": 1}, {}, "estimates: it holds a sample"),
            ({"incomplete": True, "incompleteReason": "INCOMPLETE_BUCKET"}, {}, "not complete"),
            ({}, {"dataScanned": "partial"}, "a part of its data only"),
        ],
    )
    def test_samples_and_parts_are_told(
        self, value: dict[str, Any], meta: dict[str, Any], words: str, tmp_path: Path
    ) -> None:
        """The answer is partial, and says why."""
        counted, _ = count(timeseries({}, {"value": 4, **value}, {}, **meta), tmp_path, SPANS)
        (sentence,) = counted.lacking
        assert words in sentence

    def test_whole_data_is_whole(self, tmp_path: Path) -> None:
        """A rate of one and a full scan leave nothing out; an empty step has no rate."""
        values: list[dict[str, Any]] = [{"value": 4, "sampleRate": 1}, {"sampleRate": None}, {}]
        counted, _ = count(timeseries(*values, dataScanned="full"), tmp_path, SPANS)
        assert () == counted.lacking

    @pytest.mark.parametrize("given", [1, 2, 6])
    def test_longer_intervals_are_refused(self, given: int, tmp_path: Path) -> None:
        """Sentry takes another interval in silence where the one asked for is none of its own."""
        answer = stats(*[1] * given, seconds=3600)
        with pytest.raises(QueryRejected, match="longer steps than 5m"):
            count(answer, tmp_path, "errors: count()", steps(72))

    def test_shorter_intervals_are_refused(self, tmp_path: Path) -> None:
        """Their numbers could be added up, but nothing says that they are sums."""
        with pytest.raises(QueryRejected, match="no step of 5m begins"):
            count(stats(1, 1, seconds=60), tmp_path, "errors: count()")

    def test_an_interval_that_it_refuses_is_refused_in_its_words(self, tmp_path: Path) -> None:
        """Some servers count sessions by the hour only."""
        words = "The interval has to be a multiple of the minimum interval of one hour."
        with pytest.raises(QueryRejected, match=words):
            count(json_reply({"detail": words}, 400), tmp_path, "sessions: sum(session)")

    @pytest.mark.parametrize("query", [SPANS, "errors: count()", "sessions: sum(session)"])
    @pytest.mark.parametrize("body", [[], {}, {"data": [[1]], "timeSeries": [{}], "groups": []}])
    def test_other_shapes_are_no_numbers(self, body: object, query: str, tmp_path: Path) -> None:
        """Something else answered."""
        with pytest.raises(SourceUnavailable, match="the shape of Sentry's "):
            count(json_reply(body), tmp_path, query)


def test_a_rate_limit_is_waited_for_until_its_window_ends(tmp_path: Path) -> None:
    """Sentry sends no Retry-After, but the moment of the next window."""
    window = str(int(AT.timestamp()) + 4)
    limits = {"X-Sentry-Rate-Limit-Reset": window, "X-Sentry-Rate-Limit-Remaining": "0"}
    refused = Given(status=429, body=b'{"detail": "too fast"}', headers=limits)
    answers = [refused, stats(1, 2, 3)]
    fake = FakeTime()
    with Vendor(lambda _: answers.pop(0)) as vendor:
        made = source("sentry", vendor.url, tmp_path, settings=SETTINGS)
        adapter = open_sentry(made, {}, clock(fake))
        counted = adapter.count("errors: count()", steps(), within=10)
    assert (Fraction(1), Fraction(2), Fraction(3)) == counted.numbers
    assert [4.0] == fake.slept


def test_an_organization_is_needed(tmp_path: Path) -> None:
    """Every address has it."""
    made = source("sentry", None, tmp_path, settings={"tokenFile": TOKEN})
    with pytest.raises(SourceUnavailable, match="no organization is given"):
        open_sentry(made, {}, clock(FakeTime()))


def test_the_token_may_stand_in_the_environment(tmp_path: Path) -> None:
    """The product's own variable is looked at where no file is named."""
    with Vendor(lambda _: stats(1)) as vendor:
        made = source("sentry", vendor.url, tmp_path, settings={"organization": "air/line"})
        adapter = open_sentry(made, {"SENTRY_AUTH_TOKEN": TOKEN}, clock(FakeTime()))
        adapter.count("errors: count()", steps(1), within=10)
        with pytest.raises(AuthenticationFailed, match="SENTRY_AUTH_TOKEN"):
            open_sentry(made, {}, clock(FakeTime())).count("errors: count()", steps(), within=10)
    assert f"Bearer {TOKEN}" == vendor.asked[0].headers["Authorization"]
    assert "/api/0/organizations/air%2Fline/events-stats/" == vendor.asked[0].path


@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
def test_no_message_holds_the_token(status: int, tmp_path: Path) -> None:
    """Not even where the product repeats it."""
    with pytest.raises(SourceError) as raised:
        count(json_reply({"detail": f"no {TOKEN}"}, status), tmp_path, "errors: count()")
    assert TOKEN not in f"{raised.value} {raised.value.hint} {raised.value.__cause__}"
    assert str(raised.value).startswith("sentry/main: ")
