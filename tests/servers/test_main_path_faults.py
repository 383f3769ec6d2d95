"""The gate on a real server while a cluster, a store, a clock, the rules or the log fails."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.cli.installed import app_text, headroom
from tests.servers.answers import decided
from tests.servers.loopback import Asked, Loopback, Reply
from tests.servers.stage import Stage, policy
from tests.servers.traffic_scenarios import HOUR

MANY = """\
apiVersion: headroom/v1
kind: Workspace
spec:
  apps: [app.yaml]
  sources:
    prometheus:
      default: eu
      eu: {url: %s}
      us: {url: "http://127.0.0.1:9", retries: 0}
"""
PLACES = """
    - name: prod
      clusters:
        - {name: eu, source: prometheus/eu, match: {cluster: eu}}
        - {name: us, source: prometheus/us, match: {cluster: us}}"""


@pytest.mark.parametrize("source", ["auto", "raw"])
def test_a_cluster_that_does_not_answer_is_named_and_nothing_is_allowed(
    stage: Stage, tmp_path: Path, source: str
) -> None:
    """Half of the events are no smaller whole: status is partial, the gate says 13."""
    (tmp_path / "headroom.yaml").write_text(MANY % stage.server.url, encoding="utf-8")
    text = app_text("healthy", objective="99.5", environments=PLACES)
    (tmp_path / "app.yaml").write_text(text, encoding="utf-8")
    flags = ("--app", "healthy", "--at", str(stage.at), "--format", "json", "--source", source)
    status = headroom("status", *flags, cwd=tmp_path)
    assert 1 == status.code
    (one,) = status.json["slos"]
    half = stage.worlds["healthy"][0].true_counts(stage.start, stage.at).total
    assert 1 == len(one["partial"])
    assert "us" in one["partial"][0]
    if source == "raw":
        assert one["total"] == pytest.approx(half, rel=0.003)
    gate = headroom("gate", *flags, cwd=tmp_path)
    found = decided(gate)
    assert (13, "indeterminate", False) == (gate.code, found["decision"], found["allowed"])
    assert "us" in found["summary"]


def through(stage: Stage, **more: object) -> Callable[[Asked], Reply]:
    """Answer as the stage's server does, and add something to each answer."""

    def reply(asked: Asked) -> Reply:
        path, _, form = asked.address.partition("?")
        form = form or urlencode(asked.form)
        body = stage.server.request(f"{path}?{form}")
        return Reply(
            body=json.dumps({**json.loads(body), **more}).encode(),
            headers={"Content-Type": "application/json"},
        )

    return reply


@pytest.mark.parametrize("source", ["recorded", "raw"])
def test_a_warned_answer_is_partial_and_allows_nothing(
    stage: Stage, tmp_path: Path, source: str
) -> None:
    """A store behind the server was silent: what the others say is no whole."""
    warning = "receive series from Addr: store-1: rpc error"
    ask = ("--app", "healthy", "--at", str(stage.at), "--format", "json", "--source", source)
    audit = ("--audit", tmp_path / "audit.ndjson")
    with Loopback([through(stage)]) as whole:
        fine = headroom("gate", *ask, *audit, "--prometheus", whole.url, cwd=stage.folder)
    with Loopback([through(stage, warnings=[warning])]) as server:
        flags = (*ask, "--prometheus", server.url)
        status = headroom("status", *flags, cwd=stage.folder)
        gate = headroom("gate", *flags, *audit, cwd=stage.folder)
    assert (0, 1) == (fine.code, status.code)
    for one in status.json["slos"]:
        assert ["prometheus/flag"] == one["partial"]
        assert warning in one["warnings"]
    assert (12, False) == (gate.code, decided(gate)["allowed"])
    assert "prometheus/flag" in gate.json["summary"]


@pytest.mark.parametrize("source", ["recorded", "raw"])
@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_clock_that_is_off_by_ten_minutes_turns_no_answer_to_allow(
    stage: Stage, audit: Path, minutes: int, source: str
) -> None:
    """A pipeline asks for its own present, which the server's lags or leads."""
    at = stage.at + 60 * minutes
    assert 10 == stage.gate("burning", audit=audit, source=source, at=at).code
    assert stage.gate("healthy", audit=audit, source=source, at=at).code in {0, 12}
    assert 12 == stage.gate("lost", audit=audit, source=source, at=at).code


def test_rules_that_are_evaluated_no_more_are_no_data(stage: Stage, audit: Path) -> None:
    """Six hours after the last sample nothing is fresh, whatever it once said."""
    for source in ("recorded", "raw"):
        ending = stage.gate("healthy", audit=audit, source=source, at=stage.at + 6 * HOUR)
        assert (12, False) == (ending.code, decided(ending)["allowed"])


def test_data_older_than_the_policy_wants_is_stale(
    stage: Stage, audit: Path, tmp_path: Path
) -> None:
    """The newest slot may be minutes old; a policy may want it younger."""
    path = tmp_path / "young.yaml"
    path.write_text(policy("young", maxDataAge="1m"), encoding="utf-8")
    at = stage.at - 3 * HOUR + 240
    asked = stage.gate("healthy", "--policy", path, audit=audit, source="recorded", at=at)
    assert (12, "stale") == (
        asked.code,
        decided(asked)["rules"][0]["findings"][0]["reason"],
    )
    assert 0 == stage.gate("healthy", audit=audit, source="recorded", at=at).code


def test_no_audit_record_means_no_answer(stage: Stage, tmp_path: Path) -> None:
    """14, and not a word on stdout that could be taken for an allowance."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    for audit in (tmp_path / "file" / "audit.ndjson", tmp_path):
        ending = stage.gate("healthy", audit=audit)
        assert (14, "") == (ending.code, ending.stdout)
        assert "audit" in ending.stderr
