"""A Prometheus that fails, lies, stalls or leads astray: a reason in time, never a number."""

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from collectors.readers.prometheus import Clock, PrometheusClient, PrometheusReader
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.ports import EvidenceStatus, NoData, NoDataReason
from slo.units import Duration
from tests.contract.levels import level, source, windows
from tests.servers.loopback import (
    FakeTime,
    Loopback,
    Reply,
    Script,
    envelope,
    refusal,
    result,
    vector,
)

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FINE = vector({"x": "1"}, "2.5")


def ask(*script: Script, deadline: str = "20s", **more: Any) -> tuple[Any, Loopback, FakeTime]:
    """Put one query to a scripted server; returns the answer, the server and the clock."""
    fake = FakeTime()
    clock = Clock(monotonic=fake.monotonic, sleep=fake.sleep, now=lambda: AT, jitter=lambda: 0.5)
    with Loopback(script) as server:
        client = PrometheusClient(source(server.url, **more), clock=clock, environ={})
        try:
            found = client.query("up", AT, client.deadline(Duration.parse(deadline)))
        except SourceError as error:
            return error, server, fake
        return found, server, fake


class TestPassingTroubles:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_a_server_that_recovers_is_asked_again(self, status: int) -> None:
        """A passing failure costs a pause and nothing else."""
        answer, server, fake = ask(Reply(status=status), FINE)
        assert Fraction(5, 2) == answer.series[0].points[-1][1]
        assert 2 == len(server.asked)
        assert [0.2] == fake.slept

    def test_a_server_that_stays_down_is_given_up(self) -> None:
        """The retries of the source's settings, then an error that names it."""
        error, server, fake = ask(refusal(503, "unavailable", "starting"), retries=2)
        assert isinstance(error, SourceUnavailable)
        assert "prometheus/eu: the server answered 503: starting" == str(error)
        assert 3 == len(server.asked)
        assert [0.2, 0.4] == fake.slept

    def test_a_server_error_that_does_not_pass_is_not_repeated(self) -> None:
        """A 500 is a bug over there."""
        error, server, _ = ask(Reply(status=500))
        assert isinstance(error, SourceUnavailable)
        assert 1 == len(server.asked)

    def test_retry_after_is_honoured(self) -> None:
        """The server says when."""
        answer, _, fake = ask(Reply(status=429, headers={"Retry-After": "7"}), FINE)
        assert answer.series
        assert [7.0] == fake.slept

    def test_retry_after_may_be_a_date(self) -> None:
        """HTTP allows both forms."""
        when = (AT + timedelta(seconds=9)).strftime("%a, %d %b %Y %H:%M:%S GMT")
        _, _, fake = ask(Reply(status=503, headers={"Retry-After": when}), FINE)
        assert [9.0] == fake.slept

    def test_retry_after_past_the_deadline_ends_at_once(self) -> None:
        """Waiting for longer than there is time is no plan."""
        error, server, fake = ask(Reply(status=429, headers={"Retry-After": "3600"}), FINE)
        assert isinstance(error, SourceUnavailable)
        assert [] == fake.slept
        assert 1 == len(server.asked)

    def test_a_refused_connection_is_retried_and_named(self) -> None:
        """Nobody listens there."""
        with Loopback([FINE]) as server:
            url = server.url
        fake = FakeTime()
        client = PrometheusClient(
            source(url, retries=1), clock=Clock(monotonic=fake.monotonic, sleep=fake.sleep)
        )
        with pytest.raises(SourceUnavailable, match=r"prometheus/eu: cannot be reached: .*refused"):
            client.query("up", AT, client.deadline(None))
        assert 1 == len(fake.slept)

    def test_a_body_that_breaks_off_is_retried(self) -> None:
        """Half an answer is none."""
        broken = Reply(body=FINE.body[:20], promised=len(FINE.body))
        answer, server, _ = ask(broken, FINE)
        assert answer.series
        assert 2 == len(server.asked)


class TestTime:
    def test_a_silent_server_ends_at_the_timeout(self) -> None:
        """The timeout of the source holds for a whole answer."""
        began = time.monotonic()
        error, server, _ = ask(Reply(delay=30), timeout="300ms")
        assert isinstance(error, SourceTimeout)
        assert time.monotonic() - began < 3
        assert 1 == len(server.asked)

    def test_a_trickling_body_ends_at_the_timeout(self) -> None:
        """Each byte comes in time, and all of them do not."""
        began = time.monotonic()
        error, _, _ = ask(Reply(body=FINE.body * 100, trickle=0.05), timeout="400ms")
        assert isinstance(error, SourceTimeout)
        assert time.monotonic() - began < 3

    def test_an_answer_that_takes_long_to_read_ends_at_the_timeout(self) -> None:
        """It comes at once; making numbers of it is a part of the work as well."""
        rows = [{"metric": {"x": str(n)}, "value": [0, f"1.{'7' * 300}"]} for n in range(60_000)]
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": rows}})
        error, server, _ = ask(Reply(body=body.encode()), timeout="300ms")
        assert isinstance(error, SourceTimeout)
        assert 1 == len(server.asked)

    def test_the_deadline_is_shorter_than_the_timeout(self) -> None:
        """What is left of the whole work bounds each request."""
        began = time.monotonic()
        error, _, _ = ask(Reply(delay=30), timeout="30s", deadline="300ms")
        assert isinstance(error, SourceTimeout)
        assert time.monotonic() - began < 3

    def test_the_server_is_told_how_long_it_may_take(self) -> None:
        """It need not work on when nobody listens any more."""
        _, server, _ = ask(FINE, timeout="3s")
        assert ["3000ms"] == server.forms("timeout")

    def test_a_query_that_the_server_gave_up_is_a_timeout(self) -> None:
        """It would take as long the next time."""
        error, server, _ = ask(refusal(503, "timeout", "query timed out"))
        assert isinstance(error, SourceTimeout)
        assert 1 == len(server.asked)


class TestWrongAnswers:
    def test_a_refused_query_says_why(self) -> None:
        """The server's own words, made printable."""
        error, server, _ = ask(refusal(400, "bad_data", "parse error\x1b[31m"))
        assert isinstance(error, QueryRejected)
        assert "prometheus/eu: the server refused the query: parse error\\x1b[31m" == str(error)
        assert 1 == len(server.asked)

    @pytest.mark.parametrize("status", [401, 403])
    def test_refused_credentials_are_their_own_error(self, status: int) -> None:
        """Trying again would not help."""
        error, server, _ = ask(Reply(status=status))
        assert isinstance(error, AuthenticationFailed)
        assert 1 == len(server.asked)

    def test_an_error_inside_a_200_is_an_error(self) -> None:
        """Some proxies say 200 to everything."""
        body = json.dumps({"status": "error", "errorType": "execution", "error": "too many"})
        error, _, _ = ask(Reply(body=body.encode()))
        assert isinstance(error, QueryRejected)
        assert "too many" in str(error)

    def test_a_login_page_is_named_as_one(self) -> None:
        """The usual thing behind a single sign-on."""
        error, _, _ = ask(Reply(body=b"<!doctype html><title>Sign in</title>"))
        assert isinstance(error, SourceUnavailable)
        assert "a web page instead of JSON" in str(error)
        assert error.hint is not None
        assert "login" in error.hint

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b'{"status":"success","data":',
            b"[" * 200_000,
            b"null",
            b"[]",
            b'"success"',
            b"\xff",
        ],
    )
    def test_what_is_no_answer_of_the_api_is_an_error(self, body: bytes) -> None:
        """Truncated, nested beyond reason, or something else altogether."""
        error, _, _ = ask(Reply(body=body))
        assert isinstance(error, SourceUnavailable)

    @pytest.mark.parametrize(
        "data",
        [
            None,
            [],
            {},
            {"result": None},
            {"result": {}},
            {"result": [1]},
            {"result": [{"metric": {}, "value": 3}]},
            {"result": [{"metric": [], "value": [0, "1"]}]},
            {"result": [{"metric": {}, "value": ["x", "1"]}]},
        ],
    )
    def test_a_success_of_another_shape_is_an_error(self, data: object) -> None:
        """Nothing is guessed from parts."""
        error, _, _ = ask(envelope(data))
        assert isinstance(error, SourceUnavailable), error

    @pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf", "1e999999999", "", "0x1p3", "\uff11"])
    def test_a_value_that_is_no_number_is_no_sample(self, text: str) -> None:
        """NaN and infinity are no data; huge exponents cost nothing."""
        answer, _, _ = ask(vector({"x": "1"}, text))
        assert () == answer.series

    def test_an_empty_vector_is_nothing_and_not_zero(self) -> None:
        """No series, and evidence that says so."""
        answer, _, _ = ask(result([]))
        assert () == answer.series
        assert EvidenceStatus.MISSING is answer.evidence.status

    def test_values_keep_every_digit(self) -> None:
        """What the server wrote, exactly."""
        answer, _, _ = ask(vector({}, "0.1000000000000000055"))
        assert Fraction("0.1000000000000000055") == answer.series[0].points[0][1]

    def test_a_huge_answer_is_refused(self) -> None:
        """The bound is on what is unpacked."""
        bomb = gzip.compress(b" " * (65 * 2**20), compresslevel=1)
        error, _, _ = ask(
            Reply(body=bomb, headers={"Content-Encoding": "gzip"}), timeout="30s", deadline="30s"
        )
        assert isinstance(error, SourceUnavailable)
        assert "larger than 64 MiB" in str(error)


class TestRedirects:
    @pytest.mark.parametrize(
        "target", ["file:///etc/passwd", "http://169.254.169.254/latest", "/elsewhere", ""]
    )
    def test_no_redirect_is_followed(self, target: str) -> None:
        """Credentials go to the address that was configured, and nowhere else."""
        error, server, _ = ask(Reply(status=302, headers={"Location": target}), FINE)
        assert isinstance(error, SourceUnavailable)
        assert "redirects" in str(error)
        assert 1 == len(server.asked)

    def test_another_host_never_hears_of_a_redirect(self) -> None:
        """The target is a live server that must stay unasked."""
        with Loopback([FINE]) as other:
            url = f"{other.url}/login?state=secret"
            error, _, _ = ask(Reply(status=307, headers={"Location": url}), tenant="airline")
            assert [] == other.asked
        assert "secret" not in str(error)

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", "prometheus:9090", "http://"])
    def test_only_http_addresses_are_asked(self, url: str) -> None:
        """Nothing else is a Prometheus."""
        client = PrometheusClient(source(url))
        with pytest.raises(SourceUnavailable, match="not an http"):
            client.query("up", AT, client.deadline(None))


class TestReadings:
    """The reader turns each fault into a reason; nothing passes as a number."""

    @pytest.mark.parametrize("mode", ["auto", "recorded", "raw"])
    @pytest.mark.parametrize(
        "reply",
        [
            Reply(status=503),
            Reply(status=500),
            Reply(status=401),
            Reply(status=302, headers={"Location": "/login"}),
            Reply(body=b"<html>"),
            Reply(body=b"{"),
            Reply(delay=30),
            refusal(422, "execution", "too many samples"),
        ],
    )
    def test_a_failed_source_is_no_data_with_evidence(self, mode: str, reply: Reply) -> None:
        """Period and windows say that the source failed, and the evidence says how."""
        one = level()
        with Loopback([reply]) as server:
            reader = PrometheusReader(
                source(server.url, timeout="300ms", retries=0),
                mode=mode,
                deadline=Duration.parse("2s"),
            )
            reading = reader.read([one], windows("5m", "6h"), AT)[one.key]
        for outcome in (reading.period, *reading.windows.values()):
            assert isinstance(outcome, NoData)
            assert NoDataReason.SOURCE_FAILED is outcome.reason
            assert "prometheus/eu" in outcome.detail
        assert [EvidenceStatus.ERROR] == [each.status for each in reading.evidence]

    def test_empty_answers_are_never_zero(self) -> None:
        """Nothing recorded, nothing raw, nothing in a year: never."""
        one = level()
        for mode in ("auto", "recorded", "raw"):
            with Loopback([result([])]) as server:
                reader = PrometheusReader(source(server.url), mode=mode)
                reading = reader.read([one], windows("5m"), AT)[one.key]
            assert isinstance(reading.period, NoData), mode
            assert NoDataReason.NEVER is reading.period.reason, mode

    def test_a_server_that_dies_between_queries_is_not_taken_for_no_history(self) -> None:
        """First nothing is recorded, then nobody can say whether it ever was."""
        one = level()
        with Loopback([result([]), Reply(status=500)]) as server:
            reader = PrometheusReader(source(server.url), mode="recorded")
            reading = reader.read([one], windows("5m"), AT)[one.key]
        assert isinstance(reading.period, NoData)
        assert NoDataReason.SOURCE_FAILED is reading.period.reason

    def test_a_dead_server_is_asked_once_for_a_thousand_levels(self) -> None:
        """The first failure answers for the rest."""
        levels = [level(app=f"application-{n:04}") for n in range(1000)]
        with Loopback([Reply(status=500)]) as server:
            reader = PrometheusReader(source(server.url), mode="recorded")
            readings = reader.read(levels, windows("5m"), AT)
            assert 1 == len(server.asked)
        assert 1000 == len(readings)

    @pytest.mark.parametrize("mode", ["recorded", "raw"])
    def test_a_partial_answer_is_named(self, mode: str) -> None:
        """A store that did not answer makes the reading partial, and its warning is kept."""
        warning = "receive series from Addr: store-1: rpc error"
        one = level()
        with Loopback([result([], warnings=[warning])]) as server:
            reader = PrometheusReader(source(server.url), mode=mode)
            reading = reader.read([one], windows("5m"), AT)[one.key]
        assert ("prometheus/eu",) == reading.partial
        assert (warning,) == reading.warnings

    def test_a_remark_on_promql_makes_nothing_partial(self) -> None:
        """Annotations are carried, and that is all."""
        text = "PromQL info: metric might not be a counter"
        one = level()
        with Loopback([result([], infos=[text])]) as server:
            reader = PrometheusReader(source(server.url), mode="recorded")
            reading = reader.read([one], (), AT)[one.key]
        assert () == reading.partial
        assert (text,) == reading.warnings
