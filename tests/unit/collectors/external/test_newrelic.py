"""New Relic is asked by NerdGraph, whose errors come with HTTP 200.

Answers have the shape of New Relic's "NerdGraph tutorial: Query your data using NRQL" and of
`NRDBResultContainer` in newrelic-client-go, whose types are generated from NerdGraph's schema.
Errors are those of "Troubleshooting chart errors" and of that client's own tests.
"""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.external.newrelic import NewRelic, open_newrelic
from collectors.readers.external.port import Counted
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.units import Duration
from tests.servers.loopback import Asked, FakeTime, Loopback, Reply
from tests.servers.products import START_MS, clock, reply, source, steps

QUERY = "SELECT count(*) FROM Transaction WHERE appName = 'ticketing'"
KEY = "NRAK-ABCDEFGHIJKLMNOP"


def rows(values: Sequence[object], name: str = "count", seconds: int = 300) -> list[dict[str, Any]]:
    """The buckets of a TIMESERIES."""
    start = START_MS // 1000
    return [
        {
            "beginTimeSeconds": start + seconds * at,
            "endTimeSeconds": start + seconds * (at + 1),
            name: value,
        }
        for at, value in enumerate(values)
    ]


def answer(found: Sequence[object], **more: Any) -> Reply:
    """An answer with results."""
    nrql = {"results": list(found), "metadata": {"messages": more.pop("messages", [])}}
    return reply({"data": {"actor": {"account": {"nrql": nrql}}}, **more})


def failure(message: str, error_class: str | None = None) -> Reply:
    """An error of NerdGraph: a success to HTTP."""
    error: dict[str, object] = {
        "message": message,
        "path": ["actor", "account", "nrql"],
        "locations": [{"line": 2, "column": 3}],
    }
    if error_class:
        error["extensions"] = {"errorClass": error_class}
    return reply({"data": {"actor": {"account": {"nrql": None}}}, "errors": [error]})


def opened(url: str | None, fake: FakeTime | None = None, **more: Any) -> NewRelic:
    """New Relic on loopback."""
    settings = more.pop("settings", {"account": "1234567"})
    environ = more.pop("environ", {"NEW_RELIC_API_KEY": KEY})
    return open_newrelic(source("newrelic", url, settings=settings, **more), environ, clock(fake))


def count(*replies: Reply, query: str = QUERY, number: int = 3, **more: Any) -> Counted:
    """What is counted from an answer."""
    with Loopback(replies) as server:
        return opened(f"{server.url}/graphql", **more).count(query, steps(number), within=20)


def variables_of(asked: Asked) -> dict[str, Any]:
    """The variables of a request."""
    found: dict[str, Any] = json.loads(asked.body)["variables"]
    return found


class TestNumbers:
    def test_steps_are_counted_exactly(self) -> None:
        """Down to the decimals; a null is no zero."""
        counted = count(answer(rows([1204, None, 0.1])))
        assert Counted(numbers=(Fraction(1204), None, Fraction("0.1"))) == counted

    def test_a_number_may_have_any_name(self) -> None:
        """As the query's function or alias gives it."""
        counted = count(answer(rows([0.25], "error share")))
        assert (Fraction(1, 4), None, None) == counted.numbers

    def test_steps_that_are_left_out_have_no_number(self) -> None:
        """An answer may begin late."""
        assert (None, None, Fraction(7)) == count(answer(rows([1, 2, 7])[2:])).numbers

    def test_two_numbers_in_one_row_are_refused(self) -> None:
        """Which of them counts cannot be known."""
        found = [{**row, "sum.x": 3} for row in rows([1])]
        with pytest.raises(QueryRejected, match=r"more or less than one number: count, sum\.x"):
            count(answer(found))

    @pytest.mark.parametrize("value", [{"95": 0.3}, [1]])
    def test_a_number_in_a_structure_is_refused(self, value: object) -> None:
        """Such as a percentile's."""
        with pytest.raises(QueryRejected, match="more or less than one number"):
            count(answer(rows([value], "percentile.duration")))

    def test_rows_without_a_number_are_refused(self) -> None:
        """Events themselves, for instance."""
        found = [{"beginTimeSeconds": START_MS // 1000, "endTimeSeconds": START_MS // 1000 + 300}]
        with pytest.raises(QueryRejected, match="one number: none"):
            count(answer(found))

    def test_other_steps_than_asked_are_refused(self) -> None:
        """Old metrics are kept in hours."""
        with pytest.raises(QueryRejected, match="where no step of 5m begins"):
            count(answer(rows([1, 2], seconds=3600)))

    def test_steps_that_begin_elsewhere_are_refused(self) -> None:
        """New Relic lets buckets end where the time asked for ends."""
        found = rows([1])
        for name in ("beginTimeSeconds", "endTimeSeconds"):
            found[0][name] += 12
        with pytest.raises(QueryRejected, match="where no step of 5m begins"):
            count(answer(found))


class TestRequests:
    def test_a_request_adds_the_steps_to_the_query(self) -> None:
        """On a line of their own, since a query may end in a comment."""
        with Loopback([answer(rows([1, 2]))]) as server:
            opened(f"{server.url}/graphql").count(f"{QUERY} -- all", steps(2), within=20)
        (asked,) = server.asked
        assert ("POST", "/graphql", KEY) == (asked.method, asked.path, asked.headers["API-Key"])
        end = START_MS + 600_000
        assert {
            "account": 1234567,
            "nrql": f"{QUERY} -- all\nTIMESERIES 300 seconds SINCE {START_MS} UNTIL {end}",
            "timeout": 5,
        } == variables_of(asked)
        assert "nrql(query: $nrql, timeout: $timeout)" in json.loads(asked.body)["query"]

    @pytest.mark.parametrize(
        ("timeout", "within", "seconds"), [("2m", 300.0, 70), ("30s", 12.7, 12), ("30s", 0.5, 1)]
    )
    def test_new_relic_is_told_how_long_anybody_waits(
        self, timeout: str, within: float, seconds: int
    ) -> None:
        """It gives up after five seconds else, and takes seventy at most."""
        with Loopback([answer([])]) as server:
            made = opened(server.url, timeout=Duration.parse(timeout))
            made.count(QUERY, steps(1), within=within)
        assert seconds == variables_of(server.asked[0])["timeout"]

    def test_many_steps_are_asked_in_parts(self) -> None:
        """Of 366, which is as many as there may be."""
        hour = Duration.of(hours=1)
        with Loopback([answer([])]) as server:
            counted = opened(server.url).count(QUERY, steps(720, hour), within=20)
        assert 720 == len(counted.numbers)
        middle, end = START_MS + 366 * 3_600_000, START_MS + 720 * 3_600_000
        assert [
            f"TIMESERIES 3600 seconds SINCE {START_MS} UNTIL {middle}",
            f"TIMESERIES 3600 seconds SINCE {middle} UNTIL {end}",
        ] == [variables_of(each)["nrql"].splitlines()[-1] for each in server.asked]

    @pytest.mark.parametrize(
        "own",
        [
            "TIMESERIES 1 hour",
            "since 1 day ago",
            "UNTIL now",
            "COMPARE  WITH 1 week ago",
            "FACET host",
        ],
    )
    def test_a_clause_of_time_or_groups_is_refused(self, own: str) -> None:
        """Nothing is sent then."""
        with Loopback([answer([])]) as server:
            with pytest.raises(QueryRejected, match=r"a clause [A-Z ]+ of its own"):
                opened(server.url).count(f"{QUERY} {own}", steps(1), within=20)
            assert [] == server.asked

    def test_words_in_texts_and_comments_are_no_clauses(self) -> None:
        """An app may be named after one."""
        query = "SELECT count(`since`) FROM T WHERE a = 'until \\' facet' /* since */ // since"
        assert (Fraction(1),) == count(answer(rows([1])), query=query, number=1).numbers

    def test_the_account_may_stand_in_the_environment(self) -> None:
        """As for New Relic's own tools."""
        environ = {"NEW_RELIC_API_KEY": KEY, "NEW_RELIC_ACCOUNT_ID": "42"}
        with Loopback([answer([])]) as server:
            opened(server.url, settings={}, environ=environ).count(QUERY, steps(1), within=20)
        assert 42 == variables_of(server.asked[0])["account"]

    @pytest.mark.parametrize("account", ["", "main", "-1", "\u0661"])
    def test_an_account_that_is_no_number_is_told_at_once(self, account: str) -> None:
        """Before anything is asked."""
        with pytest.raises(SourceUnavailable, match="its account is not a number"):
            opened("http://127.0.0.1:9", settings={"account": account})

    def test_the_key_may_come_from_a_file(self, tmp_path: Path) -> None:
        """And is read anew each time."""
        file = tmp_path / "key"
        with Loopback([answer([])]) as server:
            made = opened(
                server.url, settings={"account": "1", "apiKeyFile": str(file)}, environ={}
            )
            for key in ("one", "two"):
                file.write_text(key)
                made.count(QUERY, steps(1), within=20)
        assert ["one", "two"] == [each.headers["API-Key"] for each in server.asked]


class TestErrorsInSuccesses:
    @pytest.mark.parametrize(
        ("reply_", "kind", "words"),
        [
            (
                failure("NRQL Syntax Error: Error at line 1 position 8, unexpected 'timed out'"),
                QueryRejected,
                "refused the query: NRQL Syntax Error",
            ),
            (
                failure("TIMESERIES step size is larger than the current time window."),
                QueryRejected,
                "refused the query: TIMESERIES step size",
            ),
            (
                failure("You are not authorized to query account 2022412"),
                AuthenticationFailed,
                "refused the credentials: You are not authorized",
            ),
            (failure("no", "ACCESS_DENIED"), AuthenticationFailed, "refused the credentials: no"),
            (failure("slow", "TIMEOUT"), SourceTimeout, "gave the query up: slow"),
            (
                failure("NRDB query duration exceeded the set timeout"),
                SourceTimeout,
                "gave the query up: NRDB",
            ),
            (
                failure("some error", "INTERNAL_SERVER_ERROR"),
                SourceUnavailable,
                "cannot serve the query: some error",
            ),
            (failure("", "SOMETHING"), QueryRejected, "refused the query: no reason"),
        ],
    )
    def test_an_error_is_told_for_what_it_is(
        self, reply_: Reply, kind: type[SourceError], words: str
    ) -> None:
        """Although the status says 200."""
        with pytest.raises(SourceError) as caught:
            count(reply_, retries=0)
        assert kind is type(caught.value)
        assert str(caught.value).startswith("newrelic/main: New Relic ")
        assert words in str(caught.value)

    @pytest.mark.parametrize("error_class", ["TIMEOUT", "TOO_MANY_REQUESTS", "SERVER_ERROR"])
    def test_what_may_pass_is_tried_again(self, error_class: str) -> None:
        """With a pause."""
        fake = FakeTime()
        with Loopback([failure("busy", error_class), answer(rows([1]))]) as server:
            counted = opened(server.url, fake).count(QUERY, steps(1), within=20)
        assert (Fraction(1),) == counted.numbers
        assert [0.5] == fake.slept

    def test_throttling_for_good_is_told(self) -> None:
        """After as many tries as the source says."""
        with Loopback([failure("too many requests")]) as server:
            with pytest.raises(SourceUnavailable, match="too many requests"):
                opened(server.url).count(QUERY, steps(1), within=20)
            assert 3 == len(server.asked)

    def test_other_errors_are_not_tried_again(self) -> None:
        """A wrong query stays wrong."""
        with Loopback([failure("Unknown function cuont()")]) as server:
            with pytest.raises(QueryRejected):
                opened(server.url).count(QUERY, steps(1), within=20)
            assert 1 == len(server.asked)

    def test_an_error_beside_results_makes_them_partial(self) -> None:
        """GraphQL lets both come."""
        counted = count(answer(rows([1, 2, 3]), errors=[{"message": "one cell did not answer"}]))
        assert (Fraction(1), Fraction(2), Fraction(3)) == counted.numbers
        assert ("New Relic says: one cell did not answer",) == counted.lacking

    def test_messages_make_results_partial(self) -> None:
        """What the database says of its own answer."""
        counted = count(answer(rows([1]), messages=["the query was sampled"]))
        assert ("New Relic says: the query was sampled",) == counted.lacking


class TestErrors:
    def test_wrong_keys_are_told_without_them(self) -> None:
        """Even where New Relic quotes one."""
        with pytest.raises(AuthenticationFailed) as caught:
            count(reply({"errors": [{"message": f"bad key {KEY}"}]}, 401))
        assert KEY not in str(caught.value)
        with pytest.raises(AuthenticationFailed) as caught:
            count(failure(f"Invalid API key {KEY}"))
        assert KEY not in str(caught.value)

    def test_a_limit_of_requests_is_waited_out(self) -> None:
        """With the status 429 too."""
        fake = FakeTime()
        with Loopback([reply({}, 429, {"Retry-After": "3"}), answer(rows([1]))]) as server:
            opened(server.url, fake).count(QUERY, steps(1), within=20)
        assert [3.0] == fake.slept

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>login</html>",
            b'{"data": ',
            [],
            {},
            {"data": None},
            {"data": {"actor": {"account": {"nrql": {"results": [1]}}}}},
            {"data": {"actor": {"account": {"nrql": {"results": [{"beginTimeSeconds": "x"}]}}}}},
        ],
    )
    def test_an_answer_of_another_shape_is_told(self, body: object) -> None:
        """It is no answer, and not one without numbers."""
        with pytest.raises(SourceUnavailable, match=r"^newrelic/main: "):
            count(reply(body))
