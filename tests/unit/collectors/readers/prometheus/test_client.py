"""What goes over the wire: forms, headers, credentials, TLS."""

import base64
import json
import ssl
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from collectors.readers.prometheus import Clock, PrometheusClient
from slo.errors import AuthenticationFailed, SourceError, SourceTimeout, SourceUnavailable
from slo.units import Duration
from slo.workspace import BasicAuth, OAuth2, SigV4, Tls
from tests.contract.levels import source
from tests.servers.loopback import Asked, FakeTime, Loopback, Reply, envelope, result, vector
from tests.unit.collectors.certificates import Issued, issued

AT = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)
FINE = vector({}, "1")
SECRET = "s3cr3t-t0ken"


def client(url: str, fake: FakeTime | None = None, **more: Any) -> PrometheusClient:
    """Make a client whose environment is ``environ`` and whose time is a fake's."""
    environ: Mapping[str, str] = more.pop("environ", {})
    held = fake or FakeTime()
    clock = Clock(monotonic=held.monotonic, sleep=held.sleep, now=lambda: AT)
    return PrometheusClient(source(url, **more), clock=clock, environ=environ)


def ask(made: PrometheusClient) -> None:
    """Put one query."""
    made.query("up", AT, made.deadline(Duration.parse("20s")))


class TestRequests:
    def test_queries_are_posted_as_forms(self) -> None:
        """A long query fits into no address."""
        query = " or ".join(f'a_metric{{x="{n}"}}' for n in range(5000))
        with Loopback([FINE]) as server:
            made = client(f"{server.url}/prometheus/")
            made.query(query, AT, made.deadline(None))
        (asked,) = server.asked
        assert "POST" == asked.method
        assert "/prometheus/api/v1/query" == asked.address
        assert query == asked.form["query"]
        assert "1795262400.250" == asked.form["time"]

    def test_ranges_keep_their_milliseconds(self) -> None:
        """The library would round them."""
        with Loopback([result([], "matrix")]) as server:
            made = client(server.url)
            made.query_range("up", AT, AT, Duration.parse("1500ms"), made.deadline(None))
        form = server.asked[0].form
        assert ("1795262400.250", "1795262400.250", "1.5") == (
            form["start"],
            form["end"],
            form["step"],
        )

    def test_headers_and_tenant_are_sent(self) -> None:
        """A tenant of Mimir or Cortex goes by its own header."""
        with Loopback([FINE]) as server:
            ask(client(server.url, tenant="airline", headers={"X-Team": "sre"}))
        headers = server.asked[0].headers
        assert ("airline", "sre") == (headers["X-Scope-OrgID"], headers["X-Team"])
        assert "Authorization" not in headers

    def test_credentials_of_the_home_folder_are_not_sent(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A .netrc is not part of the workspace."""
        netrc = tmp_path / "netrc"
        netrc.write_text("default login somebody password else\n")
        monkeypatch.setenv("NETRC", str(netrc))
        with Loopback([FINE]) as server:
            ask(client(server.url))
        assert "Authorization" not in server.asked[0].headers


class TestCredentials:
    def test_a_bearer_file_is_read_for_every_request(self, tmp_path: Path) -> None:
        """Rotated tokens work at once."""
        file = tmp_path / "token"
        with Loopback([FINE]) as server:
            made = client(server.url, bearer_token_file=str(file))
            for token in ("one", "two"):
                file.write_text(f"{token}\n")
                ask(made)
        sent = [asked.headers["Authorization"] for asked in server.asked]
        assert ["Bearer one", "Bearer two"] == sent

    def test_basic_auth_takes_its_password_from_a_file(self, tmp_path: Path) -> None:
        """RFC 7617, in UTF-8."""
        file = tmp_path / "password"
        file.write_text("open sesame\n")
        auth = BasicAuth(username="ada", password_file=str(file))
        with Loopback([FINE]) as server:
            ask(client(server.url, basic_auth=auth))
        scheme, _, text = server.asked[0].headers["Authorization"].partition(" ")
        assert ("Basic", b"ada:open sesame") == (scheme, base64.b64decode(text))

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (None, "cannot read"),
            (b"", "is empty"),
            (SECRET.encode() + b"\nX-Evil: 1", "no header can carry"),
            (b"\xff\xfe", "not UTF-8"),
            (b"x" * 70_000, "longer than"),
        ],
    )
    def test_an_unusable_secret_is_named_by_its_file(
        self, tmp_path: Path, content: bytes | None, words: str
    ) -> None:
        """The file is in the message, and what it holds is not."""
        file = tmp_path / "token"
        if content is not None:
            file.write_bytes(content)
        with Loopback([FINE]) as server:
            with pytest.raises(AuthenticationFailed, match=words) as caught:
                ask(client(server.url, bearer_token_file=str(file)))
            assert [] == server.asked
        assert str(file) in str(caught.value)
        assert SECRET not in str(caught.value)

    def test_a_token_command_is_run_once_and_again_when_refused(self, tmp_path: Path) -> None:
        """Its output is kept; a server that refuses it gets a new one, once."""
        counter = tmp_path / "count"
        code = (
            "import pathlib,sys; p=pathlib.Path(sys.argv[1]);"
            "n=int(p.read_text() if p.exists() else 0)+1; p.write_text(str(n)); print(' t%d ' % n)"
        )
        command = (sys.executable, "-c", code, str(counter))

        def picky(asked: Asked) -> Reply:
            return Reply(status=401) if asked.headers["Authorization"] == "Bearer t1" else FINE

        with Loopback([FINE, FINE, picky]) as server:
            made = client(server.url, token_command=command)
            for _ in range(3):
                ask(made)
        sent = [asked.headers["Authorization"] for asked in server.asked]
        assert ["Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2"] == sent

    @pytest.mark.parametrize(
        ("command", "error", "words"),
        [
            (("/nonexistent/token",), AuthenticationFailed, "cannot be run"),
            (
                (sys.executable, "-c", f"print('{SECRET}'); raise SystemExit(3)"),
                AuthenticationFailed,
                "ended with code 3",
            ),
            ((sys.executable, "-c", ""), AuthenticationFailed, "is empty"),
            (
                (sys.executable, "-c", "import time; time.sleep(60)"),
                SourceTimeout,
                "within|did not end",
            ),
            (("$(echo x)",), AuthenticationFailed, "cannot be run"),
        ],
    )
    def test_a_token_command_that_fails_says_how(
        self, command: tuple[str, ...], error: type[SourceError], words: str
    ) -> None:
        """Without its output, and without a shell."""
        with Loopback([FINE]) as server:
            with pytest.raises(error, match=words) as caught:
                ask(client(server.url, token_command=command, timeout="2s"))
            assert [] == server.asked
        assert SECRET not in str(caught.value)

    def test_aws_requests_are_signed_over_the_posted_form(self) -> None:
        """The service and region of the source are in the scope."""
        environ = {"AWS_ACCESS_KEY_ID": "AK", "AWS_SECRET_ACCESS_KEY": SECRET}
        with Loopback([FINE]) as server:
            ask(client(server.url, sigv4=SigV4(region="eu-south-1"), environ=environ))
        headers = server.asked[0].headers
        assert "Credential=AK/20261121/eu-south-1/aps/aws4_request" in headers["Authorization"]
        assert "20261121T120000Z" == headers["X-Amz-Date"]

    def test_missing_aws_credentials_are_told(self, tmp_path: Path) -> None:
        """With what to set."""
        with Loopback([FINE]) as server:
            made = client(
                server.url, sigv4=SigV4(region="eu-south-1"), environ={"HOME": str(tmp_path)}
            )
            with pytest.raises(AuthenticationFailed, match="no AWS credentials"):
                ask(made)
            assert [] == server.asked


class TestOAuth:
    @staticmethod
    def _settings(url: str, tmp_path: Path) -> OAuth2:
        file = tmp_path / "secret"
        file.write_text(f"{SECRET}\n")
        return OAuth2(
            token_url=f"{url}/token",
            client_id="headroom",
            client_secret_file=str(file),
            scopes=("metrics", "read"),
        )

    @staticmethod
    def _token(text: str, seconds: int) -> Reply:
        return Reply(body=json.dumps({"access_token": text, "expires_in": seconds}).encode())

    def test_a_token_is_kept_until_shortly_before_it_expires(self, tmp_path: Path) -> None:
        """RFC 6749, section 4.4."""
        fake = FakeTime()
        tokens = [self._token("one", 600), self._token("two", 600)]
        with Loopback(tokens) as giver, Loopback([FINE]) as server:
            made = client(server.url, fake, oauth2=self._settings(giver.url, tmp_path))
            for pause in (0, 500, 50):
                fake.now += pause
                ask(made)
        sent = [asked.headers["Authorization"] for asked in server.asked]
        assert ["Bearer one", "Bearer one", "Bearer two"] == sent
        form = giver.asked[0].form
        assert ("client_credentials", "metrics read") == (form["grant_type"], form["scope"])
        login = base64.b64encode(f"headroom:{SECRET}".encode()).decode()
        assert f"Basic {login}" == giver.asked[0].headers["Authorization"]

    def test_a_server_that_knows_only_the_form_is_understood(self, tmp_path: Path) -> None:
        """The second way of the standard."""
        with (
            Loopback([Reply(status=401), self._token("t", 60)]) as giver,
            Loopback([FINE]) as server,
        ):
            ask(client(server.url, oauth2=self._settings(giver.url, tmp_path)))
        assert SECRET == giver.asked[1].form["client_secret"]

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(status=400, body=SECRET.encode()),
            Reply(status=302, headers={"Location": "http://127.0.0.1:1/"}),
            Reply(body=b"<html>"),
            Reply(body=b"[]"),
            Reply(body=b'{"access_token": ""}'),
        ],
    )
    def test_a_token_server_that_fails_is_told_apart(self, tmp_path: Path, reply: Reply) -> None:
        """Nothing is asked of the source, and no secret is in the message."""
        with Loopback([reply]) as giver, Loopback([FINE]) as server:
            with pytest.raises(AuthenticationFailed, match="token server") as caught:
                ask(client(server.url, oauth2=self._settings(giver.url, tmp_path)))
            assert [] == server.asked
        assert SECRET not in str(caught.value)

    def test_a_token_server_that_is_gone_is_unavailable(self, tmp_path: Path) -> None:
        """That is not a matter of credentials."""
        with Loopback([FINE]) as giver:
            settings = self._settings(giver.url, tmp_path)
        with Loopback([FINE]) as server, pytest.raises(SourceUnavailable, match="token server"):
            ask(client(server.url, oauth2=settings))


@pytest.fixture
def issue(tmp_path: Path) -> Callable[[str], Issued]:
    """Issues certificates."""
    return lambda name: issued(tmp_path, name)


class TestTls:
    @staticmethod
    def _server(file: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def test_a_private_authority_and_another_name_are_trusted_when_said(
        self, issue: Callable[[str], Issued]
    ) -> None:
        """``ca_file`` and ``server_name``, together and not apart."""
        made = issue("prometheus.internal")
        vouched = Tls(ca_file=str(made.authority))
        with Loopback([FINE], tls=self._server(made.file)) as server:
            ask(client(server.url, tls=replace(vouched, server_name="prometheus.internal")))
            for tls in (Tls(), vouched, Tls(server_name="prometheus.internal")):
                with pytest.raises(
                    SourceUnavailable, match=r"TLS failed: .*(certificate|[Hh]ostname)"
                ):
                    ask(client(server.url, tls=tls))
            assert 1 == len(server.asked)

    @pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
    def test_verification_is_off_only_when_said(self, issue: Callable[[str], Issued]) -> None:
        """For a laboratory."""
        with Loopback([FINE], tls=self._server(issue("lab").file)) as server:
            ask(client(server.url, tls=Tls(insecure_skip_verify=True)))
            assert 1 == len(server.asked)

    def test_a_client_certificate_is_shown(self, issue: Callable[[str], Issued]) -> None:
        """A server that asks for one gets it, and refuses whoever has none."""
        made, own = issue("prometheus.internal"), issue("headroom")
        context = self._server(made.file)
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(own.authority)
        plain = Tls(ca_file=str(made.authority), server_name="prometheus.internal")
        with Loopback([FINE], tls=context) as server:
            ask(client(server.url, tls=replace(plain, cert_file=str(own.file))))
            with pytest.raises(SourceUnavailable):
                ask(client(server.url, tls=plain))

    def test_files_that_are_missing_are_told(self) -> None:
        """Not as a crash."""
        with pytest.raises(SourceUnavailable):
            ask(client("https://127.0.0.1:9", tls=Tls(ca_file="/nonexistent/ca.pem")))


def test_nothing_heavy_is_imported_before_the_first_question() -> None:
    """Commands that ask nothing pay nothing; nobody pays for pandas."""
    code = (
        "import sys; from collectors.readers.prometheus import PrometheusReader;"
        "assert 'requests' not in sys.modules;"
        "import collectors.readers.prometheus.transport;"
        "heavy = {'pandas', 'numpy', 'dateparser', 'matplotlib'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    root = Path(__file__).parents[5]
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


def test_other_parts_of_the_api_are_asked_with_get() -> None:
    """Data and headers come back."""
    with Loopback([envelope({"version": "3.11"})]) as server:
        made = client(server.url)
        data, headers = made.get("status/buildinfo", made.deadline(None))
    assert {"version": "3.11"} == data
    assert "Date" in headers
    assert "GET" == server.asked[0].method
