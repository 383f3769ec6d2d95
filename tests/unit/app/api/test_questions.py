"""Questions about applications as JSON: shapes, defaults, mistakes, and who may ask."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.services.alerts import ActiveAlert
from collectors.store import rfc3339
from tests.unit.app.api.serving import WORKSPACE, Running, serving

ROLES = """\
roles:
  - {role: viewer, people: [ana], apps: [ticketing], environments: [prod]}
"""
CLOSED = f"{WORKSPACE}  serve: {{trustedProxy: {{userHeader: X-User}}, roles: roles.yaml}}\n"
NOW = time.time_ns()
MINUTE = 60 * 10**9


def span(number: int, *, failed: bool) -> dict[str, Any]:
    """A request of the last hours; those that fail are all on one route."""
    start = NOW - 10 * MINUTE - number * 10**9
    return {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "POST /bookings" if failed else "GET /seats",
        "kind": 2,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(start + 250_000_000),
        "attributes": [
            {
                "key": "http.route",
                "value": {"stringValue": "/bookings" if failed else "/seats"},
            }
        ],
        "status": {"code": 2} if failed else {},
    }


def spans() -> dict[str, Any]:
    attributes = {
        "service.namespace": "ticketing",
        "service.name": "ticketing-api",
        "deployment.environment.name": "prod",
        "service.version": "1.4.2",
    }
    every = [span(number, failed=number % 4 == 0) for number in range(200)]
    resource = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    return {
        "resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"spans": every}]}]
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose ticketing fails on one route."""
    with serving(tmp_path_factory.mktemp("filled")) as running:
        assert 200 == running.post("/v1/traces", spans()).status
        record = {"timeUnixNano": str(NOW - MINUTE), "severityNumber": 17}
        body = {"body": {"stringValue": "<b>no seat</b>"}, "traceId": f"{1:032x}"}
        resource = {
            "attributes": [
                {"key": "service.namespace", "value": {"stringValue": "ticketing"}},
                {"key": "deployment.environment.name", "value": {"stringValue": "prod"}},
            ]
        }
        logs = [{"resource": resource, "scopeLogs": [{"logRecords": [{**record, **body}]}]}]
        assert 200 == running.post("/v1/logs", {"resourceLogs": logs}).status
        deploy = {"app": "ticketing", "env": "prod", "version": "1.4.2", "at": NOW // 10**9 - 1200}
        assert 201 == running.post("/v1/deploys", deploy).status
        yield running


def test_apps_are_listed_by_name(filled: Running) -> None:
    """With what tells them apart."""
    found = filled.get("/v1/apps").json

    assert ["cargo", "ticketing"] == [each["name"] for each in found["apps"]]
    assert {
        "name": "ticketing",
        "title": "Airline ticketing",
        "team": "bookings",
        "tier": "1",
        "environments": ["prod", "staging"],
        "slos": ["availability"],
    } == found["apps"][1]


def test_an_app_is_told_whole(filled: Running) -> None:
    """Components and SLOs by environment."""
    found = filled.get("/v1/apps/ticketing").json

    assert ["prod", "staging"] == [each["name"] for each in found["environments"]]
    assert {"name": "availability", "objective": 99.0, "title": "availability", "window": "1d"} == (
        found["environments"][0]["slos"][0]
    )
    assert "ticketing-api" == found["components"][0]["service"]


def test_budgets_are_those_of_status(filled: Running) -> None:
    """The same keys, from the same evaluation: a quarter of 200 requests failed."""
    found = filled.get("/v1/apps/ticketing/budget?env=prod").json

    assert "headroom/status/v1" == found["schema"]
    (slo,) = found["slos"]
    assert ("availability", "exhausted", 200, 50) == (
        slo["slo"],
        slo["state"],
        slo["total"],
        slo["bad"],
    )


def test_attribution_adds_up(filled: Running) -> None:
    """Shares of the rows and the remainder make 1; the planted cause is the first row."""
    found = filled.get("/v1/apps/ticketing/attribution").json

    assert ("prod", "availability", 50.0) == (found["env"], found["slo"], found["bad"])
    assert "/bookings" == found["rows"][0]["route"]
    total = sum(row["share"] for row in found["rows"]) + found["remainder"]["share"]
    assert abs(total - 1) < 1e-9
    assert {"from", "to"} == set(found["range"])


def test_logs_come_as_they_are(filled: Running) -> None:
    """Whatever a line holds is text; times are RFC 3339."""
    found = filled.get("/v1/apps/ticketing/logs?level=error&range=6h&text=seat").json

    (row,) = found["logs"]
    assert ("<b>no seat</b>", 17, f"{1:032x}") == (row["body"], row["severity"], row["traceId"])
    assert row["time"].endswith("Z")
    assert "store" == found["source"]
    assert [] == filled.get("/v1/apps/ticketing/logs?level=fatal").json["logs"]
    assert [] == filled.get("/v1/apps/cargo/logs").json["logs"]


def test_traces_can_be_narrowed(filled: Running) -> None:
    """To those that failed, or took long; durations are exact nanoseconds."""
    failed = filled.get("/v1/apps/ticketing/traces?failed=true&limit=1000").json["traces"]
    slow = filled.get("/v1/apps/ticketing/traces?atLeast=300ms").json["traces"]

    assert (50, 0) == (len(failed), len(slow))
    assert {("/bookings", "error", 250_000_000)} == {
        (row["route"], row["status"], row["durationNanoseconds"]) for row in failed
    }


def test_deploys_say_what_changed(filled: Running) -> None:
    """With sample sizes beside the ratios."""
    found = filled.get("/v1/apps/ticketing/deploys").json

    told = [each for each in found["deploys"] if each["told"]]
    assert ["1.4.2"] == [each["version"] for each in told]
    assert 200 == told[0]["errorRatio"]["afterCount"]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("/v1/apps/ticketin", 404, 'there is no app "ticketin"; did you mean "ticketing"?'),
        ("/v1/apps/ticketing/budget?env=prd", 404, 'ticketing has no environment "prd"; did'),
        ("/v1/apps/ticketing/budget?slo=latency", 404, 'there is no SLO "latency"'),
        ("/v1/apps/ticketing/attribution?slo=x", 404, 'there is no SLO "x"'),
        ("/v1/apps/ticketing/budget?env=prod&env=staging", 400, "the parameter env is given twice"),
        ("/v1/apps?x=1", 400, "unknown parameter 'x'"),
        ("/v1/apps/ticketing/logs?txt=a", 400, "unknown parameter 'txt'; did you mean \"text\"?"),
        ("/v1/apps/ticketing/logs?limit=0", 400, "limit: a whole number from 1 to 1000 is wanted"),
        ("/v1/apps/ticketing/logs?limit=99999999999999999999", 400, "limit: a whole number"),
        ("/v1/apps/ticketing/logs?level=loud", 400, "level: known are trace"),
        ("/v1/apps/ticketing/logs?from=2025-01-01", 400, "from: a time is RFC 3339"),
        ("/v1/apps/ticketing/logs?range=1h&from=1760000000", 400, "from and range exclude"),
        ("/v1/apps/ticketing/logs?from=1760000000&to=1750000000", 400, "the range ends before"),
        ("/v1/apps/ticketing/logs?text=%22", 400, "the query cannot be read"),
        ("/v1/apps/ticketing/budget?at=99999999999999", 400, "at: "),
        (f"/v1/apps/ticketing/logs?text={'x' * 4097}", 400, "the parameter text is too long"),
    ],
)
def test_mistakes_are_told(filled: Running, path: str, status: int, detail: str) -> None:
    """With what was probably meant."""
    answer = filled.get(path)

    assert status == answer.status, answer.body
    assert answer.json["detail"].startswith(detail)


def test_alerts_are_those_of_the_board(filled: Running) -> None:
    """Of this app and environment, the gravest first; what is not known is null."""
    made = [
        ActiveAlert(
            name=name,
            state=state,
            labels={"app": app, "env": "prod", "slo": slo, "severity": severity},
            since=NOW // 10**9 * 10**9,
            annotations={"summary": "it burns"},
        )
        for name, state, app, slo, severity in (
            ("ErrorBudgetLow", "pending", "ticketing", "requests", "ticket"),
            ("ErrorBudgetBurn", "firing", "ticketing", "requests", "ticket"),
            ("ErrorBudgetBurn", "firing", "ticketing", "requests", "page"),
            ("ErrorBudgetBurn", "firing", "cargo", "requests", "page"),
        )
    ]
    filled.site.board.attach(lambda: made)
    path = "/v1/apps/ticketing/alerts"
    answer = filled.get(path).json

    assert [("firing", "page"), ("firing", "ticket"), ("pending", "ticket")] == [
        (each["state"], each["severity"]) for each in answer["alerts"]
    ]
    first = answer["alerts"][0]
    assert ("ErrorBudgetBurn", "requests", None) == (first["name"], first["slo"], first["value"])
    assert rfc3339(NOW // 10**9 * 10**9) == first["since"]
    assert {"summary": "it burns"} == first["annotations"]
    assert ("prod", "store") == (answer["env"], answer["source"])
    pending = filled.get(f"{path}?state=pending").json["alerts"]
    assert ["ErrorBudgetLow"] == [each["name"] for each in pending]
    assert 404 == filled.get(f"{path}?slo=nothing").status
    assert 400 == filled.get(f"{path}?state=resolved").status


def test_the_same_value_twice_is_one(filled: Running) -> None:
    """Nothing hangs on which of the two counts."""
    assert 200 == filled.get("/v1/apps/ticketing/budget?env=prod&env=prod").status


def test_a_scope_is_enforced_on_every_question(tmp_path: Path) -> None:
    """Who may not see an app does not learn whether there is one."""
    (tmp_path / "roles.yaml").write_text(ROLES)
    with serving(tmp_path, workspace=CLOSED) as server:
        nobody = server.get("/v1/apps")
        stranger = server.get("/v1/apps", {"X-User": "eve"})
        ana = {"X-User": "ana"}
        apps = server.get("/v1/apps", ana).json["apps"]
        routes = ("", "/budget", "/alerts", "/attribution", "/logs", "/traces", "/deploys")
        cargo = {server.get(f"/v1/apps/cargo{route}", ana).status for route in routes}
        unknown = {server.get(f"/v1/apps/nothing{route}", ana).status for route in routes}
        staging = {
            server.get(f"/v1/apps/ticketing{route}?env=staging", ana).status for route in routes[1:]
        }
        budget = server.get("/v1/apps/ticketing/budget", ana).json["slos"]

    assert (403, 403) == (nobody.status, stranger.status)
    assert "nobody is signed in" in nobody.json["detail"]
    assert [("ticketing", ["prod"])] == [(app["name"], app["environments"]) for app in apps]
    assert {403} == cargo == unknown == staging
    assert {"prod"} == {each["env"] for each in budget}
