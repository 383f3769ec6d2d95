"""``GET /v1/join-health``: shares, gaps, mistakes, and who may ask."""

import time
from collections.abc import Iterator

import pytest

from tests.unit.app.api.serving import WORKSPACE, Running, serving

ROLES = """\
roles:
  - {role: viewer, people: [ana], apps: [cargo]}
  - {role: sre, people: [sam]}
"""
CLOSED = f"{WORKSPACE}  serve: {{trustedProxy: {{userHeader: X-User}}, roles: roles.yaml}}\n"
NOW = time.time_ns()


def lines(body: str, count: int, **resource: str) -> dict[str, object]:
    """An OTLP request of log lines of the last minute."""
    attributes = [
        {"key": key.replace("_", "."), "value": {"stringValue": value}}
        for key, value in resource.items()
    ]
    records = [
        {"timeUnixNano": str(NOW - 60 * 10**9 + n), "body": {"stringValue": f"{body} {n}"}}
        for n in range(count)
    ]
    scopes = [{"logRecords": records}]
    return {"resourceLogs": [{"resource": {"attributes": attributes}, "scopeLogs": scopes}]}


def fill(server: Running) -> None:
    """Nine lines of cargo by tag and name, one of nobody."""
    tagged = {"service_namespace": "cargo", "service_name": "cargo-api"}
    assert 200 == server.post("/v1/logs", lines("tagged", 6, **tagged)).status
    assert 200 == server.post("/v1/logs", lines("named", 3, service_name="cargo-api")).status
    assert 200 == server.post("/v1/logs", lines("token=hunter2 password=x", 1)).status


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("joins")) as running:
        fill(running)
        yield running


def test_shares_and_gaps_are_told_with_their_origin(filled: Running) -> None:
    """By rung, with what is missing, an example without its secret, and the file."""
    found = filled.get("/v1/join-health?range=1h").json
    # The server has perhaps recorded series of its own meanwhile.
    logs = (each for each in found["shares"] if each["signal"] == "logs")
    (cargo,) = (each for each in logs if each["app"] == "cargo")

    assert ("logs", "store", "records", 9, 9, 1) == tuple(
        cargo[name] for name in ("signal", "source", "unit", "records", "attributed", "share")
    )
    assert [(1, 6), (2, 3)] == [(each["rung"], each["records"]) for each in cargo["rungs"]]
    (gap,) = found["gaps"]
    assert ("logs", 1, 0.1, "service.namespace") == tuple(
        gap[name] for name in ("signal", "records", "share", "missing")
    )
    assert "password=[redacted]" in gap["example"]
    assert "headroom generate --only collectors --collector otelcol" == gap["command"]
    assert "collectors/otelcol/prod/agent.yaml" in gap["files"]
    assert gap["first"].endswith("Z")
    assert ("store", []) == (found["source"], found["partial"])


def test_one_app_is_asked_for_by_name(filled: Running) -> None:
    """An unknown one is not found, with the word that was meant."""
    found = filled.get("/v1/join-health?app=cargo&range=1h").json

    assert "cargo" == found["app"]
    assert {"cargo"} == {each["app"] for each in found["shares"]}
    assert [] == found["gaps"]
    unknown = filled.get("/v1/join-health?app=cargoo")
    assert 404 == unknown.status
    assert 'did you mean "cargo"' in unknown.json["detail"]


def test_a_range_without_records_has_no_share(filled: Running) -> None:
    """And one that makes no sense is refused."""
    early = "from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z"
    found = filled.get(f"/v1/join-health?{early}").json

    assert ([], []) == (found["shares"], found["gaps"])
    assert 400 == filled.get("/v1/join-health?range=1d&from=2020-01-01T00:00:00Z").status
    assert 400 == filled.get("/v1/join-health?apps=cargo").status


def test_access_is_enforced(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What belongs to nobody is for those who see all apps; others see theirs."""
    folder = tmp_path_factory.mktemp("closed")
    (folder / "roles.yaml").write_text(ROLES)
    with serving(folder, workspace=CLOSED) as server:
        fill(server)

        def ask(user: str, more: str = "") -> tuple[int, dict[str, object]]:
            answer = server.get(f"/v1/join-health?range=1h{more}", {"X-User": user})
            return answer.status, answer.json

        status, own = ask("ana")
        assert (200, []) == (status, own["gaps"])
        assert "cargo" in str(own["shares"])
        assert "nobody" not in str(own["shares"])
        assert 403 == ask("ana", "&app=ticketing")[0]
        assert 1 == len(ask("sam")[1]["gaps"])  # type: ignore[arg-type]  # a list
        assert 403 == ask("eve")[0]
