"""Wavefront: requests and answers have the shape of its published client.

Parameters and answers are those of ``QueryApi.query_api``, ``QueryResult`` and ``Timeseries`` of
wavefront-api-client 2.202.2, generated from the product's own description: times of points are
in seconds, ``errorType`` is one of N/A, QuerySyntaxError, QueryExecutionError and Timeout, and it
comes with status 200. That buckets of ``align()`` begin at whole steps since the epoch and are
named by their beginnings is in the reference of that function.
"""

from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.external.port import Counted, Steps
from collectors.readers.external.wavefront import open_wavefront
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.units import Duration
from tests.servers.loopback import FakeTime
from tests.unit.collectors.external.vendor import (
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

TOKEN = "8c2f1a77-token-of-wavefront"
AT_S = AT_MS // 1000
QUERY = "ts(requests.errors.count, app=ticketing)"


def result(*series: list[list[float]], **more: Any) -> Given:
    """Answer a query with series of points, as QueryResult has them."""
    return json_reply(
        {
            "query": QUERY,
            "name": "headroom",
            "granularity": 60,
            "stats": {"keys": len(series), "points": sum(map(len, series))},
            "timeseries": [
                {"label": "requests.errors.count", "host": f"web-{n}", "tags": {}, "data": data}
                for n, data in enumerate(series)
            ],
            **more,
        }
    )


def count(
    answer: Given, folder: Path, query: str = QUERY, asked: Steps | None = None
) -> tuple[Counted, list[Wanted]]:
    """Count against a product that always answers the same."""
    with Vendor(lambda _: answer) as vendor:
        made = source("wavefront", vendor.url, folder, settings={"tokenFile": TOKEN}, retries=0)
        adapter = open_wavefront(made, {}, clock(FakeTime()))
        counted = adapter.count(query, asked or steps(), within=10)
    return counted, vendor.asked


class TestRequests:
    def test_sums_are_asked_for_in_steps_of_the_products_own(self, tmp_path: Path) -> None:
        """The end is exclusive, and nothing from outside of the steps is wanted."""
        _, (asked,) = count(result(), tmp_path)
        assert ("GET", "/api/v2/chart/api") == (asked.method, asked.path)
        assert f"Bearer {TOKEN}" == asked.headers["Authorization"]
        assert f"align(5m, sum, {QUERY})" == asked.param("q")
        assert str(AT_MS) == asked.param("s")
        assert str(AT_MS + 900_000) == asked.param("e")
        assert "m" == asked.param("g")
        assert "true" == asked.param("strict")
        assert "false" == asked.param("i")
        assert "true" == asked.param("includeObsoleteMetrics")

    def test_a_query_may_say_itself_how_a_step_is_summed_up(self, tmp_path: Path) -> None:
        """A share is a mean, not a sum."""
        query = "align($step, mean, ts(requests.share))"
        _, (asked,) = count(result(granularity=3600), tmp_path, query, steps(2, HOUR))
        assert "align(1h, mean, ts(requests.share))" == asked.param("q")
        assert "h" == asked.param("g")

    def test_long_spans_are_asked_for_in_parts(self, tmp_path: Path) -> None:
        """A thousand buckets of a minute are two hundred steps of five."""
        counted, asked = count(result(), tmp_path, asked=steps(450))
        assert 450 == len(counted.numbers)
        ends = [(int(each.param("e")) - int(each.param("s"))) // 300_000 for each in asked]
        assert [200, 200, 50] == ends


class TestAnswers:
    def test_series_add_up_and_silence_stays_silent(self, tmp_path: Path) -> None:
        """A step without a point is none, and a point of zero is zero."""
        first = [[AT_S, 1.25], [AT_S + 600, 0.0]]
        counted, _ = count(result(first, [[AT_S, 2]]), tmp_path)
        assert (Fraction(13, 4), None, Fraction(0)) == counted.numbers
        assert () == counted.lacking

    def test_nothing_found_is_no_number(self, tmp_path: Path) -> None:
        """An answer without series says nothing about what was counted."""
        empty = json_reply({"query": QUERY, "name": "headroom", "stats": {}, "granularity": 60})
        counted, _ = count(empty, tmp_path)
        assert (None, None, None) == counted.numbers

    def test_warnings_make_the_answer_partial(self, tmp_path: Path) -> None:
        """One of them tells that sums were made of interpolated points."""
        warning = "query has more than 100 keys and was pre-aligned"
        counted, _ = count(result([[AT_S, 1]], warnings=warning), tmp_path)
        assert (f"Wavefront warns: {warning}",) == counted.lacking

    @pytest.mark.parametrize("second", [30, 60, 299])
    def test_points_between_steps_are_refused(self, second: int, tmp_path: Path) -> None:
        """They would be counted in a step that is not theirs."""
        with pytest.raises(QueryRejected, match="no step of 5m begins"):
            count(result([[AT_S + second, 1]]), tmp_path)

    def test_longer_steps_are_refused(self, tmp_path: Path) -> None:
        """The product may widen its buckets when a query is large."""
        with pytest.raises(QueryRejected, match="steps of 3600 s, not of 5m"):
            count(result([[AT_S, 1]], granularity=3600), tmp_path)

    @pytest.mark.parametrize(
        ("kind", "error"),
        [
            ("QuerySyntaxError", QueryRejected),
            ("QueryExecutionError", QueryRejected),
            ("Timeout", SourceTimeout),
        ],
    )
    def test_errors_come_with_status_200(
        self, kind: str, error: type[SourceError], tmp_path: Path
    ) -> None:
        """The product's own words tell what is wrong."""
        answer = result(errorType=kind, errorMessage="unexpected 'tss' at column 3")
        with pytest.raises(error, match=r"wavefront/main: .*unexpected 'tss' at column 3"):
            count(answer, tmp_path)

    def test_no_error_has_a_name_too(self, tmp_path: Path) -> None:
        """N/A is what the product writes where nothing went wrong."""
        counted, _ = count(result([[AT_S, 1]], errorType="N/A"), tmp_path)
        assert (Fraction(1), None, None) == counted.numbers

    @pytest.mark.parametrize(
        "body", [[], {}, "fine", {"timeseries": [{}]}, {"timeseries": [{"data": [[1]]}]}]
    )
    def test_other_shapes_are_no_numbers(self, body: object, tmp_path: Path) -> None:
        """Something else answered."""
        with pytest.raises(SourceUnavailable, match="shape of Wavefront's chart API"):
            count(json_reply(body), tmp_path)


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_no_message_holds_the_token(status: int, tmp_path: Path) -> None:
    """Not even where the product repeats it."""
    body = {"errorType": "QuerySyntaxError", "errorMessage": f"{TOKEN}?", "message": f"{TOKEN}?"}
    with pytest.raises(SourceError) as raised:
        count(json_reply({**body, "query": QUERY}, status), tmp_path)
    assert TOKEN not in f"{raised.value} {raised.value.hint} {raised.value.__cause__}"
    assert str(raised.value).startswith("wavefront/main: ")


def test_a_warning_does_not_hold_the_token(tmp_path: Path) -> None:
    """It stands in reports."""
    counted, _ = count(result(warnings=f"token {TOKEN}"), tmp_path)
    assert ("Wavefront warns: token ***",) == counted.lacking


def test_the_token_may_stand_in_the_environment() -> None:
    """The product's own variable is looked at where no file is named."""
    with Vendor(lambda _: result()) as vendor:
        made = source("wavefront", vendor.url, Path())
        adapter = open_wavefront(made, {"WAVEFRONT_TOKEN": TOKEN}, clock(FakeTime()))
        adapter.count(QUERY, steps(1, Duration.of(minutes=1)), within=10)
        with pytest.raises(AuthenticationFailed, match="neither tokenFile nor the variable"):
            open_wavefront(made, {}, clock(FakeTime())).count(QUERY, steps(), within=10)
    assert f"Bearer {TOKEN}" == vendor.asked[0].headers["Authorization"]
    assert 1 == len(vendor.asked)


def test_the_products_own_client_asks_and_reads_the_same(tmp_path: Path) -> None:
    """What it sends for our settings is what we send, and it reads the answers of these tests."""
    client = import_module("wavefront_api_client")
    answer = result([[AT_S, 1.25], [AT_S + 600, 0.0]], warnings="careful", errorType="N/A")
    with Vendor(lambda _: answer) as vendor:
        settings = client.Configuration()
        settings.host = vendor.url
        bearer = {"header_name": "Authorization", "header_value": f"Bearer {TOKEN}"}
        read = client.QueryApi(client.ApiClient(settings, **bearer)).query_api(
            f"align(5m, sum, {QUERY})",
            AT_MS,
            "m",
            e=AT_MS + 900_000,
            strict="true",
            summarization="SUM",
            i="false",
            auto_events="false",
            include_obsolete_metrics="true",
        )
    counted, (ours,) = count(answer, tmp_path)
    (theirs,) = vendor.asked
    assert (theirs.method, theirs.path, theirs.params) == (ours.method, ours.path, ours.params)
    assert theirs.headers["Authorization"] == ours.headers["Authorization"]
    (series,) = read.timeseries
    points = {round(at) * 1000: Fraction(value) for at, value in series.data}
    assert [points.get(AT_MS + n * 300_000) for n in range(3)] == list(counted.numbers)
    assert ("careful", "N/A", 60) == (read.warnings, read.error_type, read.granularity)
