"""Sumo Logic: requests and answers have the shape of its documentation and client.

Search jobs: the page "Search Job APIs" of the documentation (states, ``pendingErrors``, records of
texts with lower-case names, cookies that must be sent back, pages of 10,000 records), and the
requests of sumologic-sdk 0.2.1 (``search_job``, ``search_job_records``, ``delete_search_job``).
Metrics: ``POST /v1/metricsQueries`` of its OpenAPI description, as the operator KEDA reads it
(``queryResult[].timeSeriesList.timeSeries[].points``, ``errors`` beside them with status 200).
"""

import base64
import itertools
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from collectors.readers.external.port import Counted
from collectors.readers.external.sumologic import open_sumologic
from collectors.readers.prometheus.clock import Clock
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
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

ID, KEY = "suACCESSID", "kEy-0f-sumo-logic"
SETTINGS = {"accessIdFile": ID, "accessKeyFile": KEY}
JOB = "37589506F194FC80"
SEARCH = "_sourceCategory=prod/ticketing status>=500"
SLICE = {"name": "_timeslice", "fieldType": "long", "keyField": True}
COUNT = {"name": "_count", "fieldType": "int", "keyField": False}


def record(step: int, number: str, **more: str) -> dict[str, dict[str, str]]:
    """Make a record of an aggregation: all of it is text."""
    return {"map": {"_timeslice": str(AT_MS + step * 300_000), "_count": number, **more}}


class Jobs:
    """The search job API over records; ``states`` are told one after another, the last again."""

    def __init__(self, records: list[Any], *, fields: list[Any] | None = None, **more: Any) -> None:
        self.records = records
        self.fields = [SLICE, COUNT] if fields is None else fields
        self.states = more.pop("states", ["DONE GATHERING RESULTS"])
        self.short = more.pop("short", 0)
        self.status = more
        self.told = 0

    def __call__(self, asked: Wanted) -> Given:
        """Answer one request."""
        if asked.method == "POST":
            cookie = {"Set_Cookie": "AWSALB=backend-7; Path=/"}
            return json_reply({"id": JOB, "link": {"rel": "self"}}, 202, **cookie)
        if asked.headers.get("Cookie") != "AWSALB=backend-7" or f"/{JOB}" not in asked.path:
            return json_reply({"status": 404, "code": "jobid.invalid", "message": "Invalid"}, 404)
        if asked.method == "DELETE":
            return json_reply({"id": JOB})
        if asked.path.endswith("/records"):
            offset, limit = int(asked.param("offset")), int(asked.param("limit"))
            page = self.records[offset : min(offset + limit, len(self.records) - self.short)]
            return json_reply({"fields": self.fields, "records": page})
        state = self.states[min(self.told, len(self.states) - 1)]
        self.told += 1
        status = {"messageCount": 9, "histogramBuckets": [], "recordCount": len(self.records)}
        pending: dict[str, Any] = {"pendingErrors": [], "pendingWarnings": []}
        more = self.status if self.told == 1 else {}
        return json_reply({"state": state, **status, **pending, **more})


def count(
    answer: Callable[[Wanted], Given],
    folder: Path,
    query: str,
    asked: Any = None,
    fake: FakeTime | None = None,
) -> tuple[Counted, list[Wanted]]:
    """Count against a product; what it was asked stands in the error where there is one."""
    with Vendor(answer) as vendor:
        made = source("sumologic", vendor.url, folder, settings=SETTINGS, retries=0)
        adapter = open_sumologic(made, {}, clock(fake or FakeTime()))
        try:
            return adapter.count(query, asked or steps(), within=60), vendor.asked
        except SourceError as error:
            error.add_note(" ".join(each.method for each in vendor.asked))
            raise


class TestSearches:
    def test_a_job_is_made_watched_read_and_deleted(self, tmp_path: Path) -> None:
        """It counts messages in steps, with the cookies that the product insists on."""
        jobs = Jobs(
            [record(0, "90"), record(2, "7")],
            states=["NOT STARTED", "GATHERING RESULTS", "DONE GATHERING RESULTS"],
        )
        fake = FakeTime()
        counted, asked = count(jobs, tmp_path, f"logs: {SEARCH}", fake=fake)
        assert (Fraction(90), None, Fraction(7)) == counted.numbers
        assert () == counted.lacking
        base = "/api/v1/search/jobs"
        assert [
            ("POST", base),
            *[("GET", f"{base}/{JOB}")] * 3,
            ("GET", f"{base}/{JOB}/records"),
            ("DELETE", f"{base}/{JOB}"),
        ] == [(each.method, each.path) for each in asked]
        assert {
            "query": f"{SEARCH} | timeslice 5m | count by _timeslice",
            "from": str(AT_MS),
            "to": str(AT_MS + 900_000),
            "timeZone": "UTC",
        } == asked[0].body
        proof = base64.b64encode(f"{ID}:{KEY}".encode()).decode()
        assert {f"Basic {proof}"} == {each.headers["Authorization"] for each in asked}
        assert [0.25, 0.5, 1.0, 0.25, 0.25] == fake.slept

    def test_a_search_may_aggregate_by_itself(self, tmp_path: Path) -> None:
        """Groups of one step add up, and the one number may have any name."""
        total = {"name": "requests", "fieldType": "double", "keyField": False}
        host = {"name": "_sourcehost", "fieldType": "string", "keyField": True}
        rows = [record(1, "", _sourcehost=each, requests="1.5") for each in ("a", "b")]
        search = "x | timeslice $step | sum(n) as requests by _timeslice, _sourceHost"
        jobs = Jobs(rows, fields=[SLICE, host, total])
        counted, asked = count(jobs, tmp_path, f"logs: {search}", steps(3))
        assert (None, Fraction(3), None) == counted.numbers
        assert search.replace("$step", "5m") == asked[0].body["query"]

    def test_pages_are_followed_to_their_end(self, tmp_path: Path) -> None:
        """One holds ten thousand records at most."""
        rows = [record(n % 3, "1") for n in range(25_000)]
        counted, asked = count(Jobs(rows), tmp_path, f"logs: {SEARCH}")
        assert 25_000 == sum(each or 0 for each in counted.numbers)
        pages = [each.params for each in asked if each.path.endswith("/records")]
        assert [["0"], ["10000"], ["20000"]] == [each["offset"] for each in pages]

    def test_records_that_do_not_come_are_told(self, tmp_path: Path) -> None:
        """An empty page ends the reading, and the answer is partial."""
        jobs = Jobs([record(0, "1"), record(1, "1"), record(2, "1")], short=2)
        counted, _ = count(jobs, tmp_path, f"logs: {SEARCH}")
        assert ("2 of 3 records did not come",) == counted.lacking

    def test_warnings_of_any_poll_are_kept(self, tmp_path: Path) -> None:
        """The product tells each of them once."""
        states = ["GATHERING RESULTS", "DONE GATHERING RESULTS"]
        jobs = Jobs([record(0, "1")], states=states, pendingWarnings=["partition p is gone"])
        counted, _ = count(jobs, tmp_path, f"logs: {SEARCH}")
        assert ("Sumo Logic warns: partition p is gone",) == counted.lacking

    @pytest.mark.parametrize(
        ("jobs", "error", "words"),
        [
            (Jobs([], pendingErrors=["field x unknown"]), QueryRejected, "field x unknown"),
            (Jobs([], states=["CANCELLED"]), SourceUnavailable, "ended early: CANCELLED"),
            (Jobs([], states=["FORCE PAUSED"]), SourceUnavailable, "early: FORCE PAUSED"),
            (Jobs([], states=["GATHERING RESULTS"]), SourceTimeout, "within 60 s"),
            (Jobs([record(0, "1")], fields=[COUNT]), QueryRejected, "one number for each"),
            (Jobs([record(0, "1")], fields=[SLICE]), QueryRejected, "one number for each"),
            (
                Jobs([record(0, "1")], fields=[SLICE, COUNT, {**COUNT, "name": "b"}]),
                QueryRejected,
                "gives _timeslice, _count, b, not one",
            ),
            (Jobs([{"map": {"_count": "1"}}]), SourceUnavailable, "shape of Sumo Logic's search"),
            (Jobs([record(0, "1")] * 100_001), QueryRejected, "100001 records"),
        ],
    )
    def test_jobs_that_fail_are_deleted_too(
        self, jobs: Jobs, error: type[SourceError], words: str, tmp_path: Path
    ) -> None:
        """They count towards the organisation's limit until they are."""
        jobs.told = 0
        with pytest.raises(error, match=words) as raised:
            count(jobs, tmp_path, f"logs: {SEARCH}")
        assert raised.value.__notes__[0].endswith("DELETE")

    def test_jobs_that_run_at_once_keep_their_cookies_apart(self, tmp_path: Path) -> None:
        """Each is known to the machine that made it, and to no other."""
        made, seen = itertools.count(), Lock()

        def answer(asked: Wanted) -> Given:
            if asked.method == "POST":
                with seen:
                    number = next(made)
                return json_reply({"id": str(number)}, 202, Set_Cookie=f"node={number}; Path=/")
            number = int(asked.path.split("/")[5])
            if asked.headers["Cookie"] != f"node={number}":
                return json_reply({"code": "jobid.invalid"}, 404)
            path = asked.path.replace(f"jobs/{number}", f"jobs/{JOB}")
            known = {"Cookie": "AWSALB=backend-7"}
            return Jobs([record(0, "1")])(replace(asked, path=path, headers=known))

        with Vendor(answer) as vendor:
            at = source("sumologic", vendor.url, tmp_path, settings=SETTINGS, retries=0)
            adapter = open_sumologic(at, {}, Clock())
            with ThreadPoolExecutor(4) as pool:
                found = pool.map(
                    lambda n: adapter.count(f"logs: x{n}", steps(1), within=20), range(4)
                )
                assert [(Fraction(1),)] * 4 == [each.numbers for each in found]
        methods = [each.method for each in vendor.asked]
        assert {"POST": 4, "GET": 8, "DELETE": 4} == Counter(methods)

    def test_slices_between_steps_are_refused(self, tmp_path: Path) -> None:
        """A search with slices of its own would be counted in steps that are not its."""
        rows = [{"map": {"_timeslice": str(AT_MS + 60_000), "_count": "1"}}]
        with pytest.raises(QueryRejected, match="no step of 5m begins"):
            count(Jobs(rows), tmp_path, "logs: x | timeslice 1m | count by _timeslice // $step")
        with pytest.raises(QueryRejected, match="slices time by itself"):
            count(Jobs(rows), tmp_path, "logs: x | timeslice 1m | count by _timeslice")


def points(*series: tuple[list[int], list[Any]], **more: Any) -> Given:
    """Answer a metrics query with series."""
    found = [
        {
            "metricDefinition": {"fullMetricName": "requests", "dimensions": []},
            "points": {"timestamps": at, "values": values},
        }
        for at, values in series
    ]
    listed = {"timeSeries": found, "unit": "", "timeShiftLabel": ""}
    return json_reply({"queryResult": [{"rowId": "A", "timeSeriesList": listed}], **more})


class TestMetrics:
    def test_sums_of_steps_are_asked_for(self, tmp_path: Path) -> None:
        """One step more is asked for, where a delta would lack its start."""
        at = [AT_MS - 300_000, AT_MS, AT_MS + 300_000]
        counted, (asked,) = count(
            lambda _: points((at, [50, 1.5, 2]), ([AT_MS], [1])),
            tmp_path,
            "metrics: metric=requests app=ticketing | sum",
        )
        assert (Fraction(5, 2), Fraction(2), None) == counted.numbers
        assert () == counted.lacking
        assert ("POST", "/api/v1/metricsQueries") == (asked.method, asked.path)
        query = {
            "rowId": "A",
            "query": "metric=requests app=ticketing | sum",
            "quantization": 300_000,
            "rollup": "Sum",
        }
        assert [query] == asked.body["queries"]
        bounds = asked.body["timeRange"]
        assert "BeginBoundedTimeRange" == bounds["type"]
        assert AT_MS - 300_000 == bounds["from"]["epochMillis"]
        assert AT_MS + 900_000 == bounds["to"]["epochMillis"]
        assert "EpochTimeRangeBoundary" == bounds["to"]["type"]

    def test_the_summary_of_a_step_may_be_another(self, tmp_path: Path) -> None:
        """Running counters want their largest value before their delta."""
        query = "metrics(max): metric=requests_total | delta counter | sum"
        _, (asked,) = count(lambda _: points(), tmp_path, query)
        assert "Max" == asked.body["queries"][0]["rollup"]

    def test_long_spans_are_asked_for_in_parts(self, tmp_path: Path) -> None:
        """Wide ranges would get wide steps."""
        counted, asked = count(lambda _: points(), tmp_path, "metrics: x", steps(600, HOUR))
        assert 600 == len(counted.numbers)
        assert 3 == len(asked)

    def test_wider_steps_than_asked_for_are_told(self, tmp_path: Path) -> None:
        """The product may widen them, and does not say so."""
        at = [AT_MS + n * 7_200_000 for n in range(4)]
        answer = points((at, [1, 1, 1, 1]))
        counted, _ = count(lambda _: answer, tmp_path, "metrics: x", steps(8, HOUR))
        assert ("its numbers stand 2h apart: steps may be wider than 1h",) == counted.lacking

    def test_errors_come_with_status_200(self, tmp_path: Path) -> None:
        """Without any number the query is refused, and with some the answer is partial."""
        errors = {"id": "X", "errors": [{"code": "metrics:timeout", "message": "timed out"}]}
        with pytest.raises(QueryRejected, match="refused the query: timed out"):
            count(lambda _: points(errors=errors), tmp_path, "metrics: x")
        counted, _ = count(lambda _: points(([AT_MS], [1]), errors=errors), tmp_path, "metrics: x")
        assert ("Sumo Logic answered with a part and an error: timed out",) == counted.lacking

    def test_an_answer_that_is_cut_is_told(self, tmp_path: Path) -> None:
        """Only the first thousand series are returned."""
        answer = points(*[([AT_MS], [1])] * 1000)
        counted, _ = count(lambda _: answer, tmp_path, "metrics: x")
        assert ("the answer ends after 1000 series: aggregate, as with | sum",) == counted.lacking

    @pytest.mark.parametrize("body", [[], {}, {"queryResult": [{}]}])
    def test_other_shapes_are_no_numbers(self, body: object, tmp_path: Path) -> None:
        """Something else answered."""
        with pytest.raises(SourceUnavailable, match="shape of Sumo Logic's metrics queries"):
            count(lambda _: json_reply(body), tmp_path, "metrics: x")


def test_a_query_says_which_of_the_two_it_is(tmp_path: Path) -> None:
    """Guessing could count the wrong thing."""
    with pytest.raises(QueryRejected, match="neither 'logs:' nor 'metrics:'"):
        count(lambda _: points(), tmp_path, SEARCH)


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
@pytest.mark.parametrize("query", ["logs: x", "metrics: x"])
def test_no_message_holds_what_is_secret(query: str, status: int, tmp_path: Path) -> None:
    """Not even where the product repeats it."""
    proof = base64.b64encode(f"{ID}:{KEY}".encode()).decode()
    message = f"{ID} {KEY} {proof}"
    body = {"message": message, "errors": [{"message": message}], "queryResult": []}
    with pytest.raises(SourceError) as raised:
        count(lambda _: json_reply(body, status), tmp_path, query)
    said = f"{raised.value} {raised.value.hint} {raised.value.__cause__}"
    assert [] == [each for each in (ID, KEY, proof) if each in said]
    assert said.startswith("sumologic/main: ")


def test_both_halves_may_stand_in_the_environment(tmp_path: Path) -> None:
    """The product's own variables are looked at where no file is named."""
    environ = {"SUMOLOGIC_ACCESSID": ID, "SUMOLOGIC_ACCESSKEY": KEY}
    with Vendor(lambda _: points()) as vendor:
        made = source("sumologic", vendor.url, tmp_path)
        open_sumologic(made, environ, clock(FakeTime())).count("metrics: x", steps(), within=9)
        del environ["SUMOLOGIC_ACCESSKEY"]
        with pytest.raises(AuthenticationFailed, match="accessKeyFile nor the variable"):
            open_sumologic(made, environ, clock(FakeTime())).count("metrics: x", steps(), within=9)
    assert 1 == len(vendor.asked)


def test_a_deployment_that_is_not_ones_own_redirects(tmp_path: Path) -> None:
    """The product answers 301 where the account lives elsewhere."""
    moved = Given(status=301, headers={"Location": "https://api.eu.sumologic.com/api/v1/x?t=1"})
    with pytest.raises(SourceUnavailable, match=r"https://api\.eu\.sumologic\.com/api/v1/x,"):
        count(lambda _: moved, tmp_path, "metrics: x")


def test_the_products_own_client_asks_and_reads_the_same(tmp_path: Path) -> None:
    """Its requests for the same search are ours, and it reads the answers of these tests."""
    client = import_module("sumologic")
    search = f"{SEARCH} | timeslice 5m | count by _timeslice"
    rows = [record(0, "90"), record(2, "7")]
    with Vendor(Jobs(rows)) as vendor:
        made = client.SumoLogic(ID, KEY, endpoint=f"{vendor.url}/api", cookieFile=tmp_path / "jar")
        with made.session:
            job = made.search_job(search, str(AT_MS), str(AT_MS + 900_000), "UTC")
            state = made.search_job_status(job)["state"]
            read = made.search_job_records(job, limit=2)
            made.delete_search_job(job)
    counted, ours = count(Jobs(rows), tmp_path, f"logs: {SEARCH}")
    assert "DONE GATHERING RESULTS" == state
    assert rows == read["records"]
    assert 97 == sum(each or 0 for each in counted.numbers)

    def essence(asked: Wanted) -> tuple[object, ...]:
        body = asked.body and {key: asked.body[key] for key in ("query", "from", "to", "timeZone")}
        return asked.method, asked.path, asked.params, body, asked.headers["Authorization"]

    assert [essence(each) for each in vendor.asked] == [essence(each) for each in ours]
