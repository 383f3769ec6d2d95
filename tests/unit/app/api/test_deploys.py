"""Pipelines tell what they ship; the catalogue says what makes sense."""

from typing import Any

import pytest

from collectors.signals import Signal
from tests.unit.app.api.serving import Running

DEPLOY = {
    "app": "ticketing",
    "component": "api",
    "env": "prod",
    "version": "1.4.2",
    "previous": "1.4.1",
    "commit": "0a1b2c3",
    "actor": "ana",
    "url": "https://ci.example.com/runs/7",
    "title": "Seat maps <b>",
    "at": "2025-10-10T12:00:00Z",
}


def test_a_deploy_is_stored_whole_and_once(server: Running) -> None:
    """Told twice with its time, it is the same deploy."""
    first, second = (server.post("/v1/deploys", DEPLOY) for _ in range(2))

    assert (201, 201) == (first.status, second.status)
    assert first.json == second.json
    assert "2025-10-10T12:00:00Z" == first.json["at"]
    (row,) = [row for row in server.rows(Signal.DEPLOYS) if row["version"] == "1.4.2"]
    assert first.json["id"] == row["id"]
    assert {**DEPLOY, "at": 1_760_097_600 * 10**9} == {
        **{key: row[key] for key in DEPLOY if key not in {"at", "commit"}},
        "commit": row["commit_id"],
        "at": row["time"],
    }
    assert ("bookings", "ticketing-api") == (row["team"], row["service"])


def test_without_a_time_it_is_now_and_each_is_another(server: Running) -> None:
    """An app with one environment need not name it."""
    answers = [server.post("/v1/deploys", {"app": "cargo", "version": "7"}) for _ in range(2)]

    assert 2 == len({each.json["id"] for each in answers})
    rows = [row for row in server.rows(Signal.DEPLOYS) if row["app"] == "cargo"]
    assert [("default", "7")] * 2 == [(row["env"], row["version"]) for row in rows]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"app": "ticketin"}, 'there is no app "ticketin"; did you mean "ticketing"?'),
        ({"app": None}, "app is missing"),
        ({"version": ""}, "version is no text of 1 to 1024 characters"),
        ({"version": 7}, "version is no text"),
        ({"version": "x" * 1025}, "version is no text"),
        ({"version": "a\x00"}, "version holds a NUL"),
        ({"env": None}, "env is missing"),
        ({"env": "prd"}, 'there is no environment "prd"; did you mean "prod"?'),
        ({"component": "apii"}, 'there is no component "apii"; did you mean "api"?'),
        ({"url": "javascript:alert(1)"}, "url begins with http:// or https://"),
        ({"at": "yesterday"}, "at: a time is RFC 3339"),
        ({"at": True}, "at is RFC 3339"),
        ({"versoin": "1"}, 'unknown key "versoin"; did you mean "version"?'),
    ],
)
def test_what_makes_no_sense_is_told(server: Running, change: dict[str, Any], detail: str) -> None:
    """400 with what would be right."""
    answer = server.post("/v1/deploys", {**DEPLOY, **change})

    assert (400, "application/problem+json") == (answer.status, answer.headers["content-type"])
    assert answer.json["detail"].startswith(detail)


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"[]", 400, "a deploy is a JSON object"),
        (b"{", 400, "the body is no JSON"),
        (b'{"app": "cargo", "app": "ticketing", "version": "1"}', 400, "a key is given twice"),
        (b'{"app": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", 413, "the body is longer than"),
        (b'{"app": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", 400, "the JSON nests deeper"),
        (b'{"version": "\\ud800", "app": "cargo"}', 400, "version holds a NUL or half a char"),
    ],
)
def test_hostile_bodies_are_refused(server: Running, body: bytes, status: int, detail: str) -> None:
    """Within bounds of time and memory."""
    answer = server.post("/v1/deploys", body)

    assert status == answer.status
    assert answer.json["detail"].startswith(detail)


def test_a_parameter_beside_the_body_is_refused(server: Running) -> None:
    """Which of two apps would be meant?"""
    answer = server.post("/v1/deploys?app=cargo", DEPLOY)

    assert (400, "unknown parameter 'app'") == (answer.status, answer.json["detail"])
