"""Splunk is asked as its own SDK asks, and answers lines that the SDK's reader reads.

The lines are those of an export in Splunk's search manual ("Export data using the Splunk REST
API"): one object for each row, the last of them with `lastrow`.
"""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.external.port import Counted
from collectors.readers.external.splunk import Splunk, open_splunk
from slo.errors import AuthenticationFailed, QueryRejected, SourceUnavailable
from slo.units import Duration
from tests.servers.loopback import Asked, FakeTime, Loopback, Reply
from tests.servers.products import START_MS, clock, reply, source, steps

results = import_module("splunklib.results")
splunk_client = import_module("splunklib.client")

QUERY = "index=web app=ticketing status>=500"
SHARE = "index=web | bin _time span=$span | stats avg(eval(if(status>=500,1,0))) AS share BY _time"
TOKEN = "eyJraWQiOiJzcGx1bmsuc2VjcmV0In0.tok-123"
SECONDS = START_MS // 1000

SERVER_INFO = Reply(
    body=b"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest">
      <entry><content type="text/xml"><s:dict><s:key name="version">9.4.0</s:key></s:dict></content>
      </entry></feed>""",
    headers={"Content-Type": "text/xml", "Connection": "keep-alive"},
)
"""What the SDK asks first: whether there are endpoints of version 2.

It reads no body of a connection that does not say that it stays.
"""


def row(at: int, **columns: object) -> dict[str, Any]:
    """A row of results, with its time as the user's zone writes it."""
    moment = {"_time": "2026-11-21 09:00:00.000 EAT", "_span": "300"}
    return {**moment, "headroom_at": f"{SECONDS + 300 * at}", **columns}


def lines(
    rows: Sequence[Mapping[str, object]],
    *,
    messages: Sequence[tuple[str, str]] = (),
    preview: Sequence[Mapping[str, object]] = (),
) -> Reply:
    """An export; Splunk's own reader finds the same rows and messages in it."""
    found: list[dict[str, Any]] = [
        {"preview": True, "offset": place, "result": each} for place, each in enumerate(preview)
    ]
    found += [
        {"preview": False, "messages": [{"type": kind, "text": text}]} for kind, text in messages
    ]
    found += [
        {"preview": False, "offset": place, "result": each} for place, each in enumerate(rows)
    ]
    if rows:
        found[-1]["lastrow"] = True
    else:
        found.append({"preview": False, "lastrow": True})
    body = "\n".join(map(json.dumps, found)).encode()
    read = list(results.JSONResultsReader(BytesIO(body)))
    assert [*preview, *rows] == [each for each in read if isinstance(each, dict)]
    assert list(messages) == [
        (each.type, each.message) for each in read if isinstance(each, results.Message)
    ]
    return reply(body, headers={"Connection": "keep-alive"})


def opened(url: str | None, fake: FakeTime | None = None, **more: Any) -> Splunk:
    """Splunk on loopback."""
    environ = more.pop("environ", {"SPLUNK_TOKEN": TOKEN})
    return open_splunk(source("splunk", url, **more), environ, clock(fake))


def count(*replies: Reply, query: str = QUERY, number: int = 3, **more: Any) -> Counted:
    """What is counted from an answer."""
    with Loopback(replies) as server:
        return opened(server.url, **more).count(query, steps(number), within=20)


def asked_for(query: str, length: Duration | None = None, **more: Any) -> Asked:
    """The request that a query leads to."""
    with Loopback([lines([])]) as server:
        made = opened(server.url, **more)
        made.count(query, steps(2, length) if length else steps(2), within=20)
    return server.asked[0]


class TestNumbers:
    def test_steps_are_counted_exactly(self) -> None:
        """Splunk writes numbers as text; a step without events has no row and is no zero."""
        counted = count(lines([row(0, count="1204"), row(2, count="0.1")]))
        assert Counted(numbers=(Fraction(1204), None, Fraction("0.1"))) == counted

    def test_rows_of_the_same_step_are_added_up(self) -> None:
        """One for each group, if the search leaves out its name."""
        counted = count(lines([row(0, n="0.1"), row(0, n="0.2"), row(1, n=3)]))
        assert (Fraction("0.3"), Fraction(3), None) == counted.numbers

    def test_no_rows_are_steps_without_numbers(self) -> None:
        """As for an index that holds nothing."""
        assert Counted(numbers=(None, None, None)) == count(lines([]))

    @pytest.mark.parametrize("value", [None, ""])
    def test_a_row_without_its_number_is_a_step_without_one(self, value: object) -> None:
        """An average of nothing."""
        assert (None, Fraction(1), None) == count(
            lines([row(0, share=value), row(1, share="1")])
        ).numbers

    def test_previews_do_not_count(self) -> None:
        """They are what a search has found by then."""
        counted = count(lines([row(0, count="7")], preview=[row(0, count="3")]))
        assert (Fraction(7), None, None) == counted.numbers

    @pytest.mark.parametrize("at", ["1795240860", "1795240800.250"])
    def test_rows_elsewhere_than_asked_are_refused(self, at: str) -> None:
        """Steps of the search's own."""
        with pytest.raises(QueryRejected, match="where no step of 5m begins"):
            count(lines([{"headroom_at": at, "count": "1"}]))

    @pytest.mark.parametrize(
        "columns",
        [
            {"status": "500", "count": "2"},
            {"host": "web-1", "count": "2"},
            {"count": ["1", "2"]},
            {"count": "many"},
            {"count": "NaN"},
        ],
    )
    def test_a_row_that_is_not_one_number_is_refused(self, columns: dict[str, object]) -> None:
        """A group's name may look like a number."""
        with pytest.raises(QueryRejected, match="is not one number") as caught:
            count(lines([row(0, **columns)]))
        assert caught.value.hint is not None
        assert "| fields _time NAME" in caught.value.hint

    def test_rows_without_a_time_are_refused(self) -> None:
        """A search that lost it on its way."""
        with pytest.raises(QueryRejected, match="have no _time"):
            count(lines([{"count": "3"}]), query="| makeresults | eval x=$span")


class TestRequests:
    @pytest.mark.parametrize(
        ("app", "space"), [(None, "/services"), ("sre", "/servicesNS/nobody/sre")]
    )
    def test_a_request_is_that_of_the_vendors_client(self, app: str | None, space: str) -> None:
        """Sent by both to the same server: same address, same token, same form."""
        settings = {"app": app} if app else {}

        def script(asked: Asked) -> Reply:
            found = lines([row(0, count="2")])
            return SERVER_INFO if asked.path == "/services/server/info" else found

        with Loopback([script]) as server:
            opened(server.url, settings=settings).count(QUERY, steps(2), within=20)
            form = dict(server.asked[0].form)
            found = _asked_by_the_client(server.url, app, form)
        ours, theirs = server.asked[0], server.asked[-1]
        assert f"{space}/search/v2/jobs/export" == ours.path
        assert (theirs.method, theirs.path) == (ours.method, ours.path)
        assert theirs.headers["Authorization"] == ours.headers["Authorization"]
        # How words would be highlighted in raw events, of which there are none.
        assert {**form, "segmentation": "none"} == theirs.form
        assert [row(0, count="2")] == found

    def test_a_request_asks_for_the_steps(self) -> None:
        """In seconds; the end does not belong to them."""
        form = asked_for(QUERY).form
        assert {
            "search": f"search {QUERY}\n| bin _time span=300s\n| stats count BY _time\n"
            "| eval headroom_at=_time",
            "earliest_time": f"{SECONDS}.000",
            "latest_time": f"{SECONDS + 600}.000",
            "output_mode": "json",
            "preview": "false",
            "count": "0",
        } == form

    @pytest.mark.parametrize(
        ("query", "search"),
        [
            (SHARE, f"search {SHARE.replace('$span', '3600s')}"),
            (
                "| mstats sum(hits) AS n WHERE index=m span=$span",
                "| mstats sum(hits) AS n WHERE index=m span=3600s",
            ),
            (
                "search index=web\n| where x>1",
                "search index=web\n| where x>1\n| bin _time span=3600s\n| stats count BY _time",
            ),
            (
                'index=web "| stats"',
                'search index=web "| stats"\n| bin _time span=3600s\n| stats count BY _time',
            ),
        ],
    )
    def test_a_search_is_split_into_steps(self, query: str, search: str) -> None:
        """Where it says itself how, by `$span`; else its events are counted."""
        found = asked_for(query, Duration.of(hours=1)).form["search"]
        assert f"{search}\n| eval headroom_at=_time" == found

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("index=web earliest=-1d", "an earliest or latest of its own"),
            ("index=web _index_latest = now", "an earliest or latest of its own"),
            ("index=web | timechart span=1h count", "without Headroom's steps"),
            ("index=web | stats count", "without Headroom's steps"),
        ],
    )
    def test_a_search_with_times_or_steps_of_its_own_is_refused(
        self, query: str, words: str
    ) -> None:
        """Nothing is sent then."""
        with Loopback([lines([])]) as server:
            with pytest.raises(QueryRejected, match=words):
                opened(server.url).count(query, steps(1), within=20)
            assert [] == server.asked

    def test_the_token_may_come_from_a_file(self, tmp_path: Path) -> None:
        """And is read anew each time."""
        file = tmp_path / "token"
        with Loopback([lines([])]) as server:
            made = opened(server.url, settings={"tokenFile": str(file)}, environ={})
            for token in ("one", "two"):
                file.write_text(token)
                made.count(QUERY, steps(1), within=20)
        assert ["Bearer one", "Bearer two"] == [
            each.headers["Authorization"] for each in server.asked
        ]

    def test_an_app_cannot_lead_elsewhere(self) -> None:
        """Its name is one part of the path."""
        path = asked_for(QUERY, settings={"app": "../admin?x"}).address
        assert "/servicesNS/nobody/..%2Fadmin%3Fx/search/v2/jobs/export" == path


class TestErrorsInSuccesses:
    @pytest.mark.parametrize("kind", ["FATAL", "ERROR"])
    def test_an_error_without_results_is_a_refusal(self, kind: str) -> None:
        """Although the status says 200."""
        told = [(kind, "Error in 'stats' command: The argument is invalid")]
        with pytest.raises(QueryRejected, match="refused the search: Error in 'stats' command"):
            count(lines([], messages=told))

    def test_a_fatal_error_beside_results_is_a_refusal(self) -> None:
        """The search was ended by it."""
        with pytest.raises(QueryRejected, match="refused the search: out of memory"):
            count(lines([row(0, count="1")], messages=[("FATAL", "out of memory")]))

    @pytest.mark.parametrize("kind", ["ERROR", "WARN"])
    def test_a_warning_makes_results_partial(self, kind: str) -> None:
        """An indexer that does not answer, for one."""
        told = [(kind, "Search results might be incomplete: peer idx1 is down")]
        counted = count(lines([row(0, count="1")], messages=told))
        assert (Fraction(1), None, None) == counted.numbers
        assert (
            "Splunk says: Search results might be incomplete: peer idx1 is down",
        ) == counted.lacking

    @pytest.mark.parametrize("kind", ["INFO", "DEBUG"])
    def test_what_is_only_told_for_information_changes_nothing(self, kind: str) -> None:
        """Such as which lookup was used."""
        counted = count(lines([row(0, count="1")], messages=[(kind, "well")]))
        assert () == counted.lacking

    @pytest.mark.parametrize("body", [b"", b'{"preview":false,"offset":0,"result":{}}'])
    def test_an_answer_without_a_last_row_is_partial(self, body: bytes) -> None:
        """It broke off before its end, between two lines."""
        whole = json.loads(lines([row(0, count="1")]).body)
        del whole["lastrow"]
        counted = count(reply(body and json.dumps(whole).encode()))
        assert ("Splunk's answer has no last row",) == counted.lacking


class TestErrors:
    def test_a_wrong_token_is_told_without_it(self) -> None:
        """Even where Splunk quotes it."""
        words = {"messages": [{"type": "WARN", "text": f"call not authenticated: {TOKEN}"}]}
        with pytest.raises(AuthenticationFailed) as caught:
            count(reply(words, 401))
        assert (
            "splunk/main: the server refused the credentials (401): call not authenticated: ***"
            == str(caught.value)
        )

    def test_a_refused_search_is_told_in_splunks_words(self) -> None:
        """With the status 400."""
        words = {"messages": [{"type": "FATAL", "text": "Unknown search command 'strats'."}]}
        with pytest.raises(QueryRejected, match=r"\(400\): Unknown search command 'strats'\."):
            count(reply(words, 400))

    def test_too_many_searches_are_waited_out(self) -> None:
        """Splunk answers 503 when its users' quota is used up."""
        fake = FakeTime()
        words = {"messages": [{"type": "ERROR", "text": "maximum number of concurrent searches"}]}
        with Loopback([reply(words, 503), lines([row(0, count="1")])]) as server:
            counted = opened(server.url, fake).count(QUERY, steps(1), within=20)
        assert (Fraction(1),) == counted.numbers
        assert [0.5] == fake.slept

    def test_too_many_searches_for_good_are_told(self) -> None:
        """After as many tries as the source says."""
        words = {"messages": [{"type": "ERROR", "text": "maximum number of concurrent searches"}]}
        with Loopback([reply(words, 503)]) as server:
            with pytest.raises(SourceUnavailable, match="503: maximum number of concurrent"):
                opened(server.url, retries=1).count(QUERY, steps(1), within=20)
            assert 2 == len(server.asked)

    @pytest.mark.parametrize("body", [b"<html>login</html>", b'{"preview": ', b"[]", b"1\n2"])
    def test_an_answer_of_another_shape_is_told(self, body: bytes) -> None:
        """It is no answer, and not one without numbers."""
        with pytest.raises(SourceUnavailable, match=r"^splunk/main: "):
            count(reply(body))

    def test_a_source_without_an_address_is_told(self) -> None:
        """There is no usual one."""
        with pytest.raises(SourceUnavailable, match="its url is not an http or https address"):
            opened(None)


def _asked_by_the_client(url: str, app: str | None, form: Mapping[str, str]) -> list[Any]:
    """Let the vendor's SDK export the same search; returns the rows that it reads."""
    host, _, port = url.removeprefix("http://").partition(":")
    space = {"app": app, "owner": "nobody"} if app else {}
    service = splunk_client.Service(
        scheme="http", host=host, port=int(port), splunkToken=TOKEN, **space
    )
    options = {name: value for name, value in form.items() if name != "search"}
    stream = service.jobs.export(form["search"], **options)
    return list(results.JSONResultsReader(stream))
