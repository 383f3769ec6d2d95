"""Requests to products: what is sent, what is tried again, and what errors say and do not say."""

import base64
import ssl
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.external import http
from collectors.readers.external.http import Answer, Web, moment_in, seconds_in, secret
from collectors.readers.prometheus import Clock
from collectors.readers.prometheus.failures import MAX_BODY
from slo.errors import (
    AuthenticationFailed,
    QueryRejected,
    SourceError,
    SourceTimeout,
    SourceUnavailable,
)
from slo.units import Duration
from slo.workspace import Tls
from tests.servers.loopback import FakeTime, Loopback, Reply
from tests.servers.products import START_MS, clock, reply, source
from tests.unit.collectors.certificates import Issued, issued

TOKEN = "tok-1234567890"
FINE = reply({"fine": True})


def web(url: str | None, fake: FakeTime | None = None, **more: Any) -> Web:
    """One product on loopback, asked with a token."""
    headers = more.pop("headers", {"Authorization": f"Bearer {TOKEN}"})
    pause = more.pop("pause", None)
    return Web(
        source("datadog", url, **more),
        headers=lambda: headers,
        clock=clock(fake),
        pause=pause,
    )


def ask(made: Web, *, within: float = 20, **more: Any) -> Answer:
    """Ask anything."""
    return made.ask("GET", "/api", within=within, **more)


def failing(*replies: Reply, within: float = 20, **more: Any) -> SourceError:
    """The error that answers lead to."""
    with Loopback(replies) as server, pytest.raises(SourceError) as caught:
        ask(web(server.url, **more), within=within)
    return caught.value


@pytest.fixture
def certificate(tmp_path: Path) -> Issued:
    """A certificate for 127.0.0.1."""
    return issued(tmp_path, "127.0.0.1")


class TestRequests:
    def test_an_answer_holds_exact_numbers(self) -> None:
        """A float would lose digits of sums."""
        text = b'{"a": 0.1, "b": 12345678901234567890, "c": NaN, "d": 1e3}'
        with Loopback([reply(text, headers={"X-Left": "3"})]) as server:
            answer = ask(web(server.url))
        assert isinstance(answer.body, dict)
        assert (200, "3") == (answer.status, answer.headers["x-left"])
        assert Decimal("0.1") == answer.body["a"]
        assert 12345678901234567890 == answer.body["b"]
        assert answer.body["c"].is_nan()
        assert Decimal(1000) == answer.body["d"]

    def test_a_request_carries_what_it_is_given(self) -> None:
        """Parameters go into the address, JSON and forms into the body."""
        with Loopback([FINE]) as server:
            made = web(f"{server.url}/base/")
            made.ask("GET", "/a", within=9, params={"q": "a b&c"})
            made.ask("POST", "", within=9, json={"q": "é"}, accept="application/x")
            made.ask("POST", "/c", within=9, form={"search": "a=b&c"})
            made.ask("DELETE", "/d", within=9)
        get, post, form, delete = server.asked
        assert ("/base/a", "a b&c") == (get.path, get.form["q"])
        assert ("/base", b'{"q": "\\u00e9"}') == (post.path, post.body)
        assert ("application/json", "application/x") == (
            post.headers["Content-Type"],
            post.headers["Accept"],
        )
        assert {"search": "a=b&c"} == form.form
        assert "DELETE" == delete.method
        assert {f"Bearer {TOKEN}"} == {each.headers["Authorization"] for each in server.asked}

    def test_headers_are_made_for_every_try(self) -> None:
        """A token that was rotated between two tries is sent."""
        tokens = iter(("one", "two"))
        with Loopback([reply({}, 503), FINE]) as server:
            made = Web(
                source("datadog", server.url),
                headers=lambda: {"X-Key": next(tokens)},
                clock=clock(),
            )
            ask(made)
        assert ["one", "two"] == [each.headers["X-Key"] for each in server.asked]

    def test_credentials_of_the_home_folder_are_not_sent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A .netrc is not part of the workspace."""
        netrc = tmp_path / "netrc"
        netrc.write_text("default login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        with Loopback([FINE]) as server:
            ask(web(server.url, headers={"X-Key": "k"}))
        assert "Authorization" not in server.asked[0].headers

    def test_lines_are_read_one_by_one(self) -> None:
        """Some products answer one JSON value on each line."""
        with Loopback([reply(b'{"a": 1.5}\n\n[2]\r\n')]) as server:
            assert [{"a": Decimal("1.5")}, [2]] == ask(web(server.url), lines=True).body

    def test_a_success_may_be_empty(self) -> None:
        """Such as one of a deletion."""
        with Loopback([Reply(status=204)]) as server:
            assert Answer(status=204, headers={}, body=None).body == ask(web(server.url)).body

    def test_the_usual_address_holds_where_the_source_names_none(self) -> None:
        """A source may leave its url out."""
        with Loopback([FINE]) as server:
            made = Web(source("datadog", None), headers=dict, clock=clock(), default_url=server.url)
            ask(made)
        assert 1 == len(server.asked)

    @pytest.mark.parametrize("url", [None, "ftp://example.com", "example.com", "https://"])
    def test_a_source_without_an_address_is_told_at_once(self, url: str | None) -> None:
        """Nothing is sent anywhere."""
        with pytest.raises(SourceUnavailable, match=r"^datadog/main: its url is not"):
            web(url)


class TestTriesAgain:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_passing_failures_are_tried_again(self, status: int) -> None:
        """With a pause that doubles."""
        fake = FakeTime()
        with Loopback([reply({}, status), reply({}, status), FINE]) as server:
            assert {"fine": True} == ask(web(server.url, fake)).body
        assert [0.5, 1.0] == fake.slept

    def test_no_more_often_than_the_source_says(self) -> None:
        """A product that fails for good is left alone."""
        with Loopback([reply({"errors": ["busy"]}, 429)]) as server:
            with pytest.raises(SourceUnavailable) as caught:
                ask(web(server.url, retries=1))
            assert 2 == len(server.asked)
        assert "datadog/main: the server answered 429: busy" == str(caught.value)
        assert caught.value.hint is not None
        assert "ask less often" in caught.value.hint

    def test_the_pause_is_as_long_as_the_server_asks(self) -> None:
        """In seconds, or as a moment by the server's own clock."""
        fake = FakeTime()
        date = {
            "Date": "Sat, 21 Nov 2026 06:00:00 GMT",
            "Retry-After": "Sat, 21 Nov 2026 06:00:04 GMT",
        }
        replies = [reply({}, 429, {"Retry-After": "7"}), reply({}, 429, date), FINE]
        with Loopback(replies) as server:
            ask(web(server.url, fake))
        assert [7.0, 4.0] == fake.slept

    @pytest.mark.parametrize(
        ("pause", "value"),
        [
            (seconds_in("X-RateLimit-Reset"), "9"),
            (moment_in("X-RateLimit-Reset"), str(START_MS // 1000 + 9)),
        ],
    )
    def test_the_pause_may_stand_in_headers_of_the_product(
        self, pause: http.Pause, value: str
    ) -> None:
        """As seconds or as a moment."""
        fake = FakeTime()
        replies = [reply({}, 429, {"x-ratelimit-reset": value}), FINE]
        with Loopback(replies) as server:
            ask(web(server.url, fake, pause=pause))
        assert [9.0] == fake.slept

    def test_no_pause_outlasts_the_time_that_is_left(self) -> None:
        """Whoever asks has that much time and no more."""
        fake = FakeTime()
        with Loopback([reply({}, 429, {"Retry-After": "21"}), FINE]) as server:
            with pytest.raises(SourceUnavailable, match="answered 429"):
                ask(web(server.url, fake), within=20)
            assert 1 == len(server.asked)
        assert [] == fake.slept

    def test_all_tries_together_take_no_longer_than_allowed(self) -> None:
        """The second pause would not fit."""
        fake = FakeTime()
        with (
            Loopback([reply({}, 503, {"Retry-After": "6"})]) as server,
            pytest.raises(SourceUnavailable),
        ):
            ask(web(server.url, fake, retries=9), within=10)
        assert [6.0] == fake.slept

    def test_a_connection_that_breaks_is_made_again(self) -> None:
        """An answer that ends early is none."""
        with Loopback([Reply(body=b'{"fi', promised=99), FINE]) as server:
            assert {"fine": True} == ask(web(server.url)).body

    def test_refusals_are_not_tried_again(self) -> None:
        """A wrong query stays wrong."""
        with Loopback([reply({}, 400), FINE]) as server:
            with pytest.raises(QueryRejected):
                ask(web(server.url))
            assert 1 == len(server.asked)


class TestTime:
    def test_an_answer_that_trickles_is_given_up(self) -> None:
        """A socket's own timeout would wait for as long as a byte comes now and then."""
        with Loopback([Reply(body=b"x" * 100, trickle=0.05)]) as server:
            made = Web(source("datadog", server.url), headers=dict, clock=Clock())
            with pytest.raises(SourceTimeout, match=r"no complete answer within 0\.3 s"):
                ask(made, within=0.3)

    def test_the_timeout_of_the_source_bounds_each_try(self) -> None:
        """However much time there is for the whole."""
        error = failing(Reply(delay=5), timeout=Duration.parse("300ms"))
        assert isinstance(error, SourceTimeout)

    def test_nothing_is_sent_when_no_time_is_left(self) -> None:
        """The product is spared."""
        with Loopback([FINE]) as server:
            with pytest.raises(SourceTimeout):
                ask(web(server.url), within=0)
            assert [] == server.asked


class TestTls:
    def test_only_the_sources_own_authority_is_trusted(
        self, certificate: Issued, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the environment says."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file)
        vouched = Tls(ca_file=str(certificate.authority))
        with Loopback([FINE], tls=context) as server:
            monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
            assert {"fine": True} == ask(web(server.url, tls=vouched)).body
            monkeypatch.delenv("REQUESTS_CA_BUNDLE")
            with pytest.raises(SourceUnavailable, match="TLS failed"):
                ask(web(server.url, retries=0))
            with pytest.raises(SourceUnavailable, match="a file of its tls settings"):
                ask(web(server.url, tls=Tls(ca_file="/nowhere")))


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (401, AuthenticationFailed),
            (403, AuthenticationFailed),
            (400, QueryRejected),
            (404, QueryRejected),
            (413, QueryRejected),
            (422, QueryRejected),
            (408, SourceTimeout),
            (500, SourceUnavailable),
            (301, SourceUnavailable),
        ],
    )
    def test_a_status_says_what_kind_of_error_it_is(
        self, status: int, kind: type[SourceError]
    ) -> None:
        """And the message begins with the source."""
        error = failing(reply({}, status))
        assert kind is type(error)
        assert "datadog/main" == error.source
        assert str(error).startswith("datadog/main: ")

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({"errors": ["Invalid query", "second"]}, "Invalid query; second"),
            ({"errors": [{"title": "T", "detail": "the detail"}]}, "the detail"),
            ({"errors": [{"code": "x", "message": "the message"}]}, "the message"),
            ({"messages": [{"type": "FATAL", "text": "Unknown command"}]}, "Unknown command"),
            ({"detail": "Invalid query."}, "Invalid query."),
            ({"detail": {"message": "deeper"}}, "deeper"),
            ({"status": {"result": "ERROR", "message": "in a status"}}, "in a status"),
            ({"status": 400, "message": "numbered"}, "numbered"),
            (b"plain words\n  of text", "plain words of text"),
            ({"message": "\x1b[31mred\u202e"}, "\\x1b[31mred\\u202e"),
        ],
    )
    def test_the_products_own_words_are_quoted(self, body: object, words: str) -> None:
        """Wherever they stand, and safe to print."""
        error = failing(reply(body, 400))
        assert f"datadog/main: the server refused the query (400): {words}" == str(error)

    @pytest.mark.parametrize("body", [b"<html>gateway</html>", b"", [], 3, None, {"errors": []}])
    def test_an_answer_without_words_is_told_by_its_status(self, body: object) -> None:
        """Pages of proxies say nothing that helps."""
        assert "datadog/main: the server answered 500" == str(failing(reply(body, 500)))

    def test_long_words_are_cut(self) -> None:
        """At three hundred characters."""
        assert 360 > len(str(failing(reply({"message": "x" * 10_000}, 400))))

    @pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
    def test_no_secret_is_repeated(self, status: int) -> None:
        """Products may quote the key that they refuse."""
        pair = base64.b64encode(b"access-id:access-key").decode()
        for headers, told in (
            ({"Authorization": f"Bearer {TOKEN}"}, TOKEN),
            ({"X-Key": TOKEN}, TOKEN),
            ({"Authorization": f"Basic {pair}"}, "access-key"),
            ({"Authorization": f"Basic {pair}"}, pair),
        ):
            error = failing(
                reply({"message": f"bad key {told}"}, status), headers=headers, retries=0
            )
            assert told not in f"{error} {error.hint}"
            assert "bad key ***" in str(error)

    def test_parameters_are_in_no_message(self) -> None:
        """An address that cannot be reached is not quoted."""
        with Loopback([FINE]) as server:
            url = server.url
        with pytest.raises(SourceUnavailable, match="cannot be reached") as caught:
            ask(web(url, retries=0), params={"q": "private"})
        assert "private" not in str(caught.value)

    def test_a_redirect_is_told_without_its_query(self) -> None:
        """A token is not sent elsewhere; another region's address is worth knowing."""
        elsewhere = {"Location": "https://api.eu.example.com/v1?state=private"}
        with Loopback([reply({}, 301, elsewhere), FINE]) as server:
            with pytest.raises(SourceUnavailable) as caught:
                ask(web(server.url))
            assert 1 == len(server.asked)
        assert "redirects to https://api.eu.example.com/v1, which" in str(caught.value)

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"<html>login</html>", "a web page instead of JSON"),
            (b'{"a": ', "not complete JSON"),
            (b"[" * 100_000, "not complete JSON"),
            (b"1" * 10_000, "not complete JSON"),
        ],
    )
    def test_a_success_that_is_no_json_is_an_error(self, body: bytes, words: str) -> None:
        """It is no answer."""
        error = failing(reply(body))
        assert isinstance(error, SourceUnavailable)
        assert words in str(error)

    def test_an_answer_may_not_grow_without_bound(self) -> None:
        """Sixty-four MiB are enough for anything that is asked here."""
        error = failing(Reply(body=b"x" * (MAX_BODY + 1)))
        assert "datadog/main: the answer is larger than 64 MiB" == str(error)


class TestSecrets:
    def test_a_secret_is_read_from_its_file_each_time(self, tmp_path: Path) -> None:
        """The variable does not matter then."""
        file = tmp_path / "key"
        settings = {"apiKeyFile": str(file)}
        found = []
        for text in ("one\n", "two"):
            file.write_text(text)
            found.append(
                secret(
                    source("datadog", None, settings=settings),
                    "apiKeyFile",
                    "DD_API_KEY",
                    {"DD_API_KEY": "other"},
                )
            )
        assert ["one", "two"] == found

    def test_the_usual_variable_stands_in_for_a_file(self) -> None:
        """As the product's own tools do."""
        found = secret(source("datadog", None), "apiKeyFile", "DD_API_KEY", {"DD_API_KEY": "k"})
        assert "k" == found

    @pytest.mark.parametrize("environ", [{}, {"DD_API_KEY": " "}])
    def test_no_secret_at_all_is_an_error_that_says_what_to_do(
        self, environ: Mapping[str, str]
    ) -> None:
        """Before anything is sent."""
        with pytest.raises(AuthenticationFailed) as caught:
            secret(source("datadog", None), "apiKeyFile", "DD_API_KEY", environ)
        assert str(caught.value).startswith("datadog/main: there is neither apiKeyFile nor")
        assert caught.value.hint == (
            "put the secret into a file and name it in the source's apiKeyFile"
        )

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "cannot read"),
            (b"\n", "is empty"),
            (b"s3cret\nX-Evil: 1", "no header can carry"),
            ("schlüssel".encode(), "no header can carry"),
            (b"\xff\xfe", "not UTF-8"),
            (b"x" * 70_000, "longer than"),
        ],
    )
    def test_an_unusable_secret_is_named_by_its_file(
        self, tmp_path: Path, content: bytes | None, words: str
    ) -> None:
        """And never quoted."""
        file = tmp_path / "key"
        if content is not None:
            file.write_bytes(content)
        made = source("datadog", None, settings={"apiKeyFile": str(file)})
        with pytest.raises(AuthenticationFailed, match=words) as caught:
            secret(made, "apiKeyFile", "DD_API_KEY", {})
        assert "s3cret" not in str(caught.value)
