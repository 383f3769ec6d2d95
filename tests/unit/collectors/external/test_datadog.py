"""Datadog is asked as its own client asks, and answers what that client's models take."""

import json
from collections.abc import Sequence
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.external.datadog import Datadog, open_datadog
from collectors.readers.external.port import Counted
from slo.errors import AuthenticationFailed, QueryRejected, SourceTimeout, SourceUnavailable
from slo.units import Duration
from tests.servers.loopback import Asked, FakeTime, Loopback, Reply
from tests.servers.products import START_MS, STEP_MS, clock, reply, source, steps

client = import_module("datadog_api_client")
utils = import_module("datadog_api_client.model_utils")
metrics = import_module("datadog_api_client.v2.api.metrics_api")

QUERY = "sum:trace.http.request.hits{service:ticketing,env:prod}.as_count()"
ERRORS = "sum:trace.http.request.errors{service:ticketing,env:prod}.as_count()"
KEYS = {"DD_API_KEY": "api-key-0123456789", "DD_APP_KEY": "app-key-0123456789"}


def vendors(name: str) -> Any:
    """The vendor's model of that name; all of them together take many seconds to load."""
    module = import_module(f"datadog_api_client.v2.model.{name}")
    return getattr(module, "".join(part.title() for part in name.split("_")))


def model(name: str, data: object) -> Any:
    """Data as the vendor's model of that name takes it, nothing left unparsed."""
    made = utils.validate_and_convert_types(
        data,
        (vendors(name),),
        ["data"],
        spec_property_naming=True,
        check_type=True,
        configuration=client.Configuration(),
    )
    assert data == utils.model_to_dict(made)
    assert not made._unparsed
    return made


def answer(*values: Sequence[float | None], times: Sequence[int] | None = None) -> Reply:
    """An answer with one series for each list of values."""
    longest = max(map(len, values), default=0)
    moments = [START_MS + STEP_MS * place for place in range(longest)]
    series = [
        {"group_tags": [f"host:{place}"], "query_index": 0, "unit": None}
        for place in range(len(values))
    ]
    attributes = {
        "series": series,
        "times": moments if times is None else list(times),
        "values": [list(each) for each in values],
    }
    body = {"data": {"attributes": attributes, "type": "timeseries_response"}}
    model("timeseries_formula_query_response", body)
    return reply(body)


def opened(url: str | None, fake: FakeTime | None = None, **more: Any) -> Datadog:
    """Datadog on loopback."""
    environ = more.pop("environ", KEYS)
    return open_datadog(source("datadog", url, **more), environ, clock(fake))


def count(*replies: Reply, query: str = QUERY, number: int = 3, **more: Any) -> Counted:
    """What is counted from an answer."""
    with Loopback(replies) as server:
        return opened(server.url, **more).count(query, steps(number), within=20)


def attributes_of(asked: Asked) -> dict[str, Any]:
    """A request's attributes, as the vendor's model takes them."""
    body = json.loads(asked.body)
    model("timeseries_formula_query_request", body)
    found: dict[str, Any] = body["data"]["attributes"]
    return found


class TestNumbers:
    def test_steps_are_counted_exactly(self) -> None:
        """Down to the decimals; a null is no zero."""
        counted = count(answer([1204.3, None, 0.1]))
        assert Counted(numbers=(Fraction("1204.3"), None, Fraction("0.1"))) == counted

    def test_series_are_added_up(self) -> None:
        """One for each group of a query with `by`."""
        counted = count(answer([0.1, None, 7], [0.2, 5, None]))
        assert (Fraction("0.3"), Fraction(5), Fraction(7)) == counted.numbers

    def test_steps_that_are_left_out_have_no_number(self) -> None:
        """Datadog names no times at which no series has a point."""
        counted = count(answer([4.0], times=[START_MS + 2 * STEP_MS]))
        assert (None, None, Fraction(4)) == counted.numbers

    def test_no_series_at_all_are_steps_without_numbers(self) -> None:
        """As for a metric that nobody ever sent."""
        assert Counted(numbers=(None, None, None)) == count(answer())

    def test_steps_beside_those_asked_for_are_not_counted(self) -> None:
        """The one that begins at the end is another question's."""
        times = [START_MS - STEP_MS, START_MS, START_MS + STEP_MS]
        counted = count(answer([9.0, 1.0, 9.0], times=times), number=1)
        assert (Fraction(1),) == counted.numbers

    def test_points_elsewhere_than_asked_are_refused(self) -> None:
        """A longer interval would shift them."""
        with pytest.raises(QueryRejected, match="where no step of 5m begins"):
            count(answer([1.0], times=[START_MS + 60_000]))


class TestRequests:
    def test_a_request_is_that_of_the_vendors_client(self) -> None:
        """Sent by both to the same server: same address, same keys, same body."""
        with Loopback([answer([1.5, None])]) as server:
            opened(server.url).count(QUERY, steps(2), within=20)
            found = _asked_by_the_client(server.url)
            ours, theirs = server.asked
        assert ("POST", ours.path) == (theirs.method, theirs.path)
        assert json.loads(ours.body) == json.loads(theirs.body)
        for name in ("DD-API-KEY", "DD-APPLICATION-KEY", "Content-Type"):
            assert theirs.headers[name] == ours.headers[name]
        assert [1.5, None] == found

    def test_a_request_asks_for_the_steps(self) -> None:
        """In milliseconds; the end does not belong to them."""
        with Loopback([answer()]) as server:
            opened(server.url).count(f" {QUERY}\n", steps(3), within=20)
        assert {
            "formulas": [{"formula": "query1"}],
            "from": START_MS,
            "interval": 300_000,
            "queries": [{"data_source": "metrics", "name": "query1", "query": QUERY}],
            "to": START_MS + 900_000,
        } == attributes_of(server.asked[0])

    @pytest.mark.parametrize(
        ("query", "formula", "terms"),
        [
            (f"{ERRORS} / {QUERY}", "query1 / query2", [ERRORS, QUERY]),
            (
                f"default_zero({ERRORS}) + 0.5 * (sum:a.b{{*}} by {{host}}.fill(zero) - 1)",
                "default_zero(query1) + 0.5 * (query2 - 1)",
                [ERRORS, "sum:a.b{*} by {host}.fill(zero)"],
            ),
            ("p95:a.b{x:y AND !z:*}", "query1", ["p95:a.b{x:y AND !z:*}"]),
            ("nonsense", "query1", ["nonsense"]),
        ],
    )
    def test_arithmetic_becomes_a_formula(self, query: str, formula: str, terms: list[str]) -> None:
        """The API takes metric queries and a formula of their names."""
        with Loopback([answer()]) as server:
            opened(server.url).count(query, steps(1), within=20)
        found = attributes_of(server.asked[0])
        assert [{"formula": formula}] == found["formulas"]
        assert terms == [each["query"] for each in found["queries"]]

    def test_many_steps_are_asked_in_parts(self) -> None:
        """Of so many that Datadog keeps the interval."""
        hour = Duration.of(hours=1)
        with Loopback([answer()]) as server:
            counted = opened(server.url).count(QUERY, steps(2160, hour), within=20)
        assert 2160 == len(counted.numbers)
        found = [attributes_of(each) for each in server.asked]
        assert [1000, 1000, 160] == [(each["to"] - each["from"]) // 3_600_000 for each in found]
        assert [START_MS, found[0]["to"], found[1]["to"]] == [each["from"] for each in found]

    @pytest.mark.parametrize("own", [".rollup(sum, 3600)", ".rollup(60)"])
    def test_an_interval_of_the_query_is_refused(self, own: str) -> None:
        """Hours would be taken for five minutes."""
        with Loopback([answer()]) as server:
            with pytest.raises(QueryRejected, match="how long a step is"):
                opened(server.url).count(f"{QUERY}{own}", steps(1), within=20)
            opened(server.url).count(f"{QUERY}.rollup(sum)", steps(1), within=20)
            assert 1 == len(server.asked)

    def test_keys_may_come_from_files(self, tmp_path: Path) -> None:
        """And are read anew each time."""
        files = {"apiKeyFile": tmp_path / "api", "applicationKeyFile": tmp_path / "app"}
        settings = {name: str(file) for name, file in files.items()}
        with Loopback([answer()]) as server:
            made = opened(server.url, settings=settings, environ={})
            for key in ("one", "two"):
                for name, file in files.items():
                    file.write_text(f"{name}-{key}\n")
                made.count(QUERY, steps(1), within=20)
        names = ("DD-API-KEY", "DD-APPLICATION-KEY")
        sent = [tuple(each.headers[name] for name in names) for each in server.asked]
        assert [
            ("apiKeyFile-one", "applicationKeyFile-one"),
            ("apiKeyFile-two", "applicationKeyFile-two"),
        ] == sent


class TestErrors:
    def test_an_error_inside_a_success_is_a_refusal(self) -> None:
        """The model has a place for it beside the data."""
        body = {"errors": "Rule 'scope_expr' didn't match at '}'"}
        model("timeseries_formula_query_response", body)
        with pytest.raises(QueryRejected, match="Rule 'scope_expr' didn't match"):
            count(reply(body))

    def test_an_error_beside_numbers_makes_them_partial(self) -> None:
        """They may not be all."""
        body = json.loads(answer([1.0, 2.0, 3.0]).body) | {"errors": "one shard timed out"}
        counted = count(reply(body))
        assert (Fraction(1), Fraction(2), Fraction(3)) == counted.numbers
        assert ("Datadog says: one shard timed out",) == counted.lacking

    def test_what_is_no_number_is_told(self) -> None:
        """JSON has no infinity; some servers write it all the same."""
        body = json.loads(answer([1.0, 2.0]).body)
        body["data"]["attributes"]["values"] = [[1, float("inf")]]
        counted = count(reply(body))
        assert (Fraction(1), None, None) == counted.numbers
        assert ("what it answered for 2026-11-21T06:05:00Z is no number",) == counted.lacking

    def test_throttling_passes(self) -> None:
        """After as many seconds as Datadog's own header says."""
        fake = FakeTime()
        limited = reply({"errors": ["Too many requests"]}, 429, {"X-RateLimit-Reset": "7"})
        with Loopback([limited, answer([1.0])]) as server:
            counted = opened(server.url, fake).count(QUERY, steps(1), within=20)
        assert (Fraction(1),) == counted.numbers
        assert [7.0] == fake.slept

    def test_throttling_for_longer_than_there_is_time_is_told(self) -> None:
        """Without waiting for nothing."""
        fake = FakeTime()
        limited = reply({"errors": ["Too many requests"]}, 429, {"X-RateLimit-Reset": "3600"})
        with (
            Loopback([limited]) as server,
            pytest.raises(SourceUnavailable, match="answered 429: Too many requests"),
        ):
            opened(server.url, fake).count(QUERY, steps(1), within=20)
        assert [] == fake.slept

    def test_all_parts_together_take_no_longer_than_allowed(self) -> None:
        """What the first leaves, the second may take."""
        fake = FakeTime()
        limited = reply({}, 429, {"X-RateLimit-Reset": "9"})
        with (
            Loopback([limited, answer(), limited, answer(), limited]) as server,
            pytest.raises((SourceTimeout, SourceUnavailable)),
        ):
            opened(server.url, fake).count(QUERY, steps(3000), within=20)
        assert [9.0, 9.0] == fake.slept

    def test_wrong_keys_are_told_without_them(self) -> None:
        """Even where Datadog quotes one."""
        words = {"errors": [f"Forbidden: {KEYS['DD_APP_KEY']}"]}
        with pytest.raises(AuthenticationFailed) as caught:
            count(reply(words, 403))
        assert "datadog/main: the server refused the credentials (403): Forbidden: ***" == str(
            caught.value
        )

    @pytest.mark.parametrize("missing", list(KEYS))
    def test_a_missing_key_is_told(self, missing: str) -> None:
        """Both are needed."""
        environ = {name: value for name, value in KEYS.items() if name != missing}
        with pytest.raises(AuthenticationFailed, match=missing):
            count(answer(), environ=environ)

    def test_a_refused_query_is_told_in_datadogs_words(self) -> None:
        """With the status 400."""
        with pytest.raises(QueryRejected, match="Error parsing query"):
            count(reply({"errors": ["Error parsing query: unable to parse"]}, 400))

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>login</html>",
            b'{"data": ',
            [],
            {"data": []},
            {"data": {"attributes": 1}},
            {"data": {"attributes": {"times": [START_MS], "values": [[1, 2]]}}},
            {"data": {"attributes": {"times": ["x"], "values": [[1]]}}},
            {},
        ],
    )
    def test_an_answer_of_another_shape_is_told(self, body: object) -> None:
        """It is no answer, and not one without numbers."""
        with pytest.raises(SourceUnavailable, match=r"^datadog/main: "):
            count(reply(body))


def _asked_by_the_client(url: str) -> list[Any]:
    """Let the vendor's own client ask for two steps; returns the values that it reads."""
    query = vendors("metrics_timeseries_query")(
        data_source=vendors("metrics_data_source").METRICS, query=QUERY, name="query1"
    )
    attributes = vendors("timeseries_formula_request_attributes")(
        _from=START_MS,
        to=START_MS + 2 * STEP_MS,
        interval=STEP_MS,
        queries=vendors("timeseries_formula_request_queries")([query]),
        formulas=[vendors("query_formula")(formula="query1")],
    )
    kind = vendors("timeseries_formula_request_type").TIMESERIES_REQUEST
    request = vendors("timeseries_formula_request")(attributes=attributes, type=kind)
    body = vendors("timeseries_formula_query_request")(data=request)
    configuration = client.Configuration(host=url)
    configuration.api_key = {
        "apiKeyAuth": KEYS["DD_API_KEY"],
        "appKeyAuth": KEYS["DD_APP_KEY"],
    }
    with client.ApiClient(configuration) as api:
        found = metrics.MetricsApi(api).query_timeseries_data(body=body)
    values: list[list[Any]] = utils.model_to_dict(found)["data"]["attributes"]["values"]
    return values[0]
