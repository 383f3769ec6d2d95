"""The server's part of a workspace: retention, tokens, the trusted proxy, prices."""

from decimal import Decimal

import pytest

from slo.loader import SourceFile, load_workspace
from slo.problems import Problem
from slo.serving import Counting, IngestToken, Price, RemoteWrite, Retention, TrustedProxy
from slo.units import Duration
from slo.workspace import BasicAuth, Tls, Workspace

HEAD = "apiVersion: headroom/v1\nkind: Workspace\nspec:\n"


def load(spec: str) -> tuple[Workspace | None, tuple[Problem, ...]]:
    return load_workspace(SourceFile(name="headroom.yaml", text=HEAD + spec))


def test_a_whole_server_is_read() -> None:
    workspace, problems = load(
        """\
  sources:
    metrics: store
    store:
      path: .headroom/store
      retention: {logs: {age: 30d, size: 20GiB}, spans: {size: 500 MiB}}
  serve:
    ingestTokens: [{file: tokens/all}, {file: tokens/ticketing, app: ticketing}]
    trustedProxy: {userHeader: X-User, groupsHeader: X-Groups, addresses: [10.0.0.7]}
    roles: roles.yaml
  costs:
    currency: EUR
    prices: {logs: {perGibibyte: 0.5}, metrics: {perThousandSeries: 3, perMillionRecords: 1.25}}
"""
    )
    assert () == problems
    assert workspace is not None
    assert "store" == workspace.metrics
    assert {
        "logs": Retention(age=Duration.parse("30d"), size=20 * 2**30),
        "spans": Retention(size=500 * 2**20),
    } == workspace.retention
    assert (
        IngestToken(file="tokens/all"),
        IngestToken(file="tokens/ticketing", app="ticketing"),
    ) == workspace.serving.ingest_tokens
    assert (
        TrustedProxy(user_header="X-User", groups_header="X-Groups", addresses=("10.0.0.7",))
        == workspace.serving.trusted_proxy
    )
    assert workspace.costs is not None
    assert "EUR" == workspace.costs.currency
    assert Price(per_gibibyte=Decimal("0.5")) == workspace.costs.prices["logs"]


def test_a_workspace_without_a_server_is_open_and_keeps_everything() -> None:
    workspace, _ = load("  output: generated\n")
    assert workspace is not None
    assert (True, {}, None) == (workspace.serving.open, workspace.retention, workspace.costs)


@pytest.mark.parametrize(
    ("spec", "id_", "line"),
    [
        ("  sources: {store: {path: s, retention: {logs: {size: 20}}}}", "spec/bad-text", 4),
        ("  sources: {store: {path: s, retention: {log: {age: 1d}}}}", "spec/bad-choice", 4),
        ("  serve:\n    roles: roles.yaml", "spec/needs-key", 5),
        ("  serve:\n    ingestTokens:\n      - {app: ticketing}", "spec/missing-key", 6),
        ("  costs:\n    currency: euro\n    prices: {}", "spec/bad-text", 5),
        ("  costs: {currency: EUR, prices: {logs: {perGibibyte: -1}}}", "spec/out-of-range", 4),
    ],
)
def test_a_mistake_has_its_place(spec: str, id_: str, line: int) -> None:
    workspace, problems = load(spec)
    assert None is workspace
    assert (id_, line) in [(each.id, each.span.line) for each in problems if each.span]


def test_counters_and_where_they_are_sent_are_read() -> None:
    """With the files that prove who sends."""
    workspace, problems = load(
        """\
  serve:
    counters: {interval: 10s, lag: 2m}
    remoteWrite:
      url: https://mimir.example.com/api/v1/push
      interval: 15s
      basicAuth: {username: headroom, passwordFile: secrets/mimir}
      headers: {X-Scope-OrgID: airline}
      tls: {caFile: ca.pem}
"""
    )
    assert () == problems
    assert workspace is not None
    assert (
        Counting(interval=Duration.parse("10s"), lag=Duration.parse("2m"))
        == workspace.serving.counting
    )
    assert (
        RemoteWrite(
            url="https://mimir.example.com/api/v1/push",
            interval=Duration.parse("15s"),
            timeout=Duration.parse("30s"),
            headers={"X-Scope-OrgID": "airline"},
            basic_auth=BasicAuth(username="headroom", password_file="secrets/mimir"),
            tls=Tls(ca_file="ca.pem"),
        )
        == workspace.serving.remote_write
    )


def test_nothing_is_sent_and_events_may_be_five_minutes_late_where_nothing_is_said() -> None:
    workspace, _ = load("  serve: {counters: {}}\n")
    assert workspace is not None
    assert (Counting(), None) == (workspace.serving.counting, workspace.serving.remote_write)


def test_a_secret_in_a_header_is_an_error() -> None:
    """As it is for any source."""
    _, problems = load(
        "  serve: {remoteWrite: {url: 'http://x/w', headers: {Authorization: Bearer x}}}\n"
    )
    assert ["spec/inline-secret"] == [each.id for each in problems]
