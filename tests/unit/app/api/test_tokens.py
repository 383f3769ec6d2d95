"""Who may send: tokens from files, some of them for one application only."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from app.api.problems import HttpProblem
from app.api.tokens import Sender, Tokens, read_tokens
from collectors.readers.store import StoreMetrics
from collectors.signals import Signal
from collectors.store import StoreReader
from slo.errors import UsageError
from slo.model import Catalog
from slo.serving import IngestToken, Serving, TrustedProxy
from tests.unit.app.api.serving import WORKSPACE, log, serving
from tests.unit.collectors.joining.catalogs import AIRLINE
from tests.unit.collectors.receive.test_remote_write import MS, NS, body, series

ANY, BOUND = "any-" + "a" * 28, "bound-" + "b" * 26
TOKENS = f"{WORKSPACE}  serve: {{ingestTokens: [{{file: any}}, {{file: bound, app: ticketing}}]}}\n"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "any").write_text(f"{ANY}\n")
    (tmp_path / "bound").write_text(BOUND)
    return tmp_path


def test_once_there_is_a_token_nobody_sends_without(files: Path) -> None:
    """401 says how; nothing is stored, and the body is not read."""
    with serving(files, workspace=TOKENS) as server:
        none = server.post("/v1/logs", log("none"))
        wrong = server.post("/v1/logs", log("wrong"), bearer("x" * 32))
        basic = server.post("/v1/logs", log("basic"), {"Authorization": f"Basic {ANY}"})
        deploy = server.post("/v1/deploys", {"app": "cargo", "version": "1"})
        right = server.post("/v1/logs", log("right"), bearer(ANY))
        stored = [row["body"] for row in server.rows(Signal.LOGS)]

    assert [401] * 4 + [200] == [each.status for each in (none, wrong, basic, deploy, right)]
    assert 'Bearer realm="headroom"' == none.headers["www-authenticate"]
    assert ["right"] == stored


def test_a_bound_token_stores_as_its_app_or_refuses(files: Path) -> None:
    """What says nothing is the sender's own; what claims to be another's is rejected, and told."""
    with serving(files, workspace=TOKENS) as server:
        silent = server.post("/v1/logs", log("silent", service_name="new-one"), bearer(BOUND))
        own = server.post("/v1/logs", log("own", service_namespace="ticketing"), bearer(BOUND))
        tagged = server.post("/v1/logs", log("tagged", service_namespace="cargo"), bearer(BOUND))
        known = server.post("/v1/logs", log("known", service_name="cargo-api"), bearer(BOUND))
        unknown = server.post("/v1/logs", log("unknown", service_namespace="x"), bearer(BOUND))
        rows = {row["body"]: row["app"] for row in server.rows(Signal.LOGS)}

    assert {"silent": "ticketing", "own": "ticketing"} == rows
    assert ["{}", "{}"] == [silent.body.decode(), own.body.decode()]
    for each in (tagged, known, unknown):
        assert 200 == each.status
        assert "1" == each.json["partialSuccess"]["rejectedLogRecords"]
        assert "the token is for ticketing" in each.json["partialSuccess"]["errorMessage"]


def test_untagged_metrics_of_a_bound_token_are_found_by_the_label_of_its_app(files: Path) -> None:
    """Over OTLP and remote write alike; a series that names an application keeps its labels."""
    snappy = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
    sent = body(
        series("written", 4.0, job="node"), series("tagged", 5.0, job="node", app="ticketing")
    )
    with serving(files, workspace=TOKENS) as server:
        plain = server.post("/v1/metrics", _gauge("plain", 3, service_name="new"), bearer(BOUND))
        written = server.ask(
            "POST",
            "/api/v1/write",
            pa.Codec("snappy").compress(sent, asbytes=True),
            {**snappy, **bearer(BOUND)},
        )
        free = server.post("/v1/metrics", _gauge("free", 9, service_name="new"), bearer(ANY))
        rows = {row["name"]: row["app"] for row in server.rows(Signal.METRICS)}
        source = StoreMetrics(StoreReader(server.store))
        until = source.deadline(None)
        answer = source.query(
            '{__name__=~"plain|written|tagged|free", app="ticketing"}',
            datetime.fromtimestamp(MS // 1000, UTC),
            until,
        )

    assert [200, 204, 200] == [plain.status, written.status, free.status]
    assert {"plain": "ticketing", "written": "ticketing", "tagged": "ticketing", "free": None} == (
        rows
    )
    found = {each.labels["__name__"]: float(each.points[0][1]) for each in answer.series}
    assert {"plain": 3.0, "written": 4.0, "tagged": 5.0} == found
    assert {"ticketing"} == {each.labels["app"] for each in answer.series}
    assert ["node"] == [
        each.labels["job"] for each in answer.series if each.labels["__name__"] == "written"
    ]


def _gauge(name: str, value: int, **resource: str) -> dict[str, object]:
    """Make an OTLP request of one point at the time of the remote write."""
    attributes = [
        {"key": key.replace("_", "."), "value": {"stringValue": text}}
        for key, text in resource.items()
    ]
    point = {"timeUnixNano": str(NS), "asDouble": value}
    metric = {"name": name, "gauge": {"dataPoints": [point]}}
    return {
        "resourceMetrics": [
            {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [metric]}]}
        ]
    }


def test_a_bound_token_tells_deploys_of_its_app_only(files: Path) -> None:
    """A pipeline cannot write into another app's history."""
    with serving(files, workspace=TOKENS) as server:
        deploy = {"app": "cargo", "version": "1"}
        refused = server.post("/v1/deploys", deploy, bearer(BOUND))
        taken = server.post(
            "/v1/deploys", {**deploy, "app": "ticketing", "env": "prod"}, bearer(BOUND)
        )

    assert (403, 201) == (refused.status, taken.status)
    assert "the token is for ticketing, not for cargo" == refused.json["detail"]


def test_where_people_sign_in_only_the_own_machine_sends_without_a_token() -> None:
    """A server that asks who looks does not take telemetry from just anybody."""
    closed = Tokens({}, open_to_all=False)

    assert Sender() == closed.sender(None, "127.0.0.1")
    with pytest.raises(HttpProblem, match="own machine") as caught:
        closed.sender(None, "10.0.0.7")
    assert 403 == caught.value.status
    assert Sender() == Tokens({}, open_to_all=True).sender(None, "10.0.0.7")


@pytest.mark.parametrize(
    ("content", "app", "message"),
    [
        (None, None, "cannot be read"),
        (b"short", None, "no single word of at least 16 characters"),
        (b"two words are too many here", None, "no single word"),
        ("sécurité-sécurité".encode(), None, "not plain ASCII"),
        (b"a" * 32, "ticketin", 'did you mean "ticketing"'),
    ],
)
def test_a_token_file_that_makes_no_sense_keeps_the_server_from_starting(
    tmp_path: Path, content: bytes | None, app: str | None, message: str
) -> None:
    """Each reason names the file."""
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    tokens = Serving(ingest_tokens=(IngestToken(file="token", app=app),))

    with pytest.raises(UsageError, match=message):
        read_tokens(tokens, tmp_path, AIRLINE)


def test_the_same_token_in_two_files_is_refused(tmp_path: Path) -> None:
    """Which of the two apps would it be for?"""
    for name in ("one", "two"):
        (tmp_path / name).write_text("a" * 32)
    both = Serving(
        ingest_tokens=(IngestToken(file="one"), IngestToken(file="two")),
        trusted_proxy=TrustedProxy(user_header="X-User"),
    )

    with pytest.raises(UsageError, match="two holds the same token"):
        read_tokens(both, tmp_path, Catalog(apps=()))
