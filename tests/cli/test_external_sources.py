"""Service levels that Datadog counts, from the command line to a loopback server and back."""

from pathlib import Path

import pytest

from tests.cli.installed import headroom, write
from tests.servers.loopback import Loopback, Reply, Script
from tests.servers.rising_datadog import datadog

AT = ("--at", "2026-11-21T12:37:00Z")
APP = """\
apiVersion: headroom/v1
kind: App
metadata: {name: ticketing, team: bookings}
spec:
  environments: [{name: prod}]
  slos:
    - name: availability
      objective: 99
      indicator:
        source: datadog
        events:
          total: sum:trace.http.request.hits{service:ticketing}.as_count()
          bad: sum:trace.http.request.errors{service:ticketing}.as_count()
"""
PERIOD = 30 * 86400 + 35 * 60

HEALTHY = {"hits": 1, "errors": 0.0025}
BURNT = {"hits": 1, "errors": 0.02}
REFUSED = Reply(status=403, body=b'{"errors": ["Forbidden"]}')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace folder with one app and the keys of Datadog."""
    write(tmp_path)
    (tmp_path / "ticketing.yaml").write_text(APP)
    (tmp_path / "api").write_text("key of the organisation\n")
    (tmp_path / "application").write_text("key of the user\n")
    return tmp_path


def reaching(folder: Path, url: str, more: str = "") -> Path:
    """The folder with a workspace file that names the server."""
    (folder / "headroom.yaml").write_text(
        "apiVersion: headroom/v1\nkind: Workspace\nspec:\n  sources:\n    datadog:\n"
        f"      eu: {{url: '{url}', apiKeyFile: api, applicationKeyFile: application{more}}}\n"
    )
    return folder


def test_status_tells_a_budget_that_datadog_counts(folder: Path) -> None:
    """With the keys of the files, and exact numbers."""
    with Loopback([datadog(HEALTHY)]) as server:
        flags = ("--format", "json", *AT)
        ending = headroom("status", *flags, cwd=reaching(folder, server.url))
    (one,) = ending.json["slos"]
    assert (0, "ok", "events") == (ending.code, one["state"], one["unit"])
    assert (PERIOD, PERIOD / 400) == (one["total"], one["bad"])
    assert {"key of the organisation"} == {each.headers["DD-API-KEY"] for each in server.asked}
    assert 4 == len(server.asked)


def test_the_gate_allows_and_denies_by_what_datadog_counts(folder: Path) -> None:
    """10 is denied; the reason names the budget."""
    argv = ("gate", "--app", "ticketing", "--env", "prod")
    with Loopback([datadog(HEALTHY)]) as server:
        ending = headroom(*argv, *AT, cwd=reaching(folder, server.url))
    assert (0, True) == (ending.code, ending.stdout.startswith("ALLOW")), ending
    with Loopback([datadog(BURNT)]) as server:
        ending = headroom(*argv, *AT, cwd=reaching(folder, server.url))
    assert 10 == ending.code
    assert "-100 % of the 30d error budget" in ending.stdout


def test_the_gate_says_that_datadog_turned_it_away(folder: Path) -> None:
    """13 is a back end that failed, and no way to ship."""
    argv = ("gate", "--app", "ticketing", "--env", "prod")
    with Loopback([REFUSED]) as server:
        ending = headroom(*argv, *AT, cwd=reaching(folder, server.url))
    assert 13 == ending.code
    assert "datadog/eu" in ending.stdout
    assert "key of" not in ending.stdout + ending.stderr


def test_a_missing_key_is_told_as_such(folder: Path) -> None:
    """Before anything is sent; the others are read."""
    (folder / "application").unlink()
    with Loopback([datadog(HEALTHY)]) as server:
        ending = headroom("status", *AT, cwd=reaching(folder, server.url))
        assert [] == server.asked
    assert 1 == ending.code
    assert "application" in ending.stdout


def test_prometheus_in_the_place_of_all_sources_counts_nothing_of_datadogs(folder: Path) -> None:
    """It is no data, and says why."""
    with Loopback([datadog(HEALTHY)]) as server:
        flags = ("--prometheus", "http://127.0.0.1:9", "--format", "json", *AT)
        ending = headroom("status", *flags, cwd=reaching(folder, server.url))
        assert [] == server.asked
    (one,) = ending.json["slos"]
    assert ("no_data", "unsupported") == (one["state"], one["noData"]["reason"])


def test_validate_knows_the_source_with_and_without_a_workspace(folder: Path) -> None:
    """The prefix says whose language the queries are in."""
    ending = headroom("validate", "ticketing.yaml", cwd=folder)
    assert 0 == ending.code, ending.stderr
    ending = headroom("validate", cwd=reaching(folder, "http://127.0.0.1:9"))
    assert 0 == ending.code, ending.stderr
    (folder / "ticketing.yaml").write_text(APP.replace("datadog", "datadog/us"))
    ending = headroom("validate", cwd=folder)
    assert 1 == ending.code
    assert 'ticketing.yaml:10:17: error: the workspace has no source "datadog/us"' in ending.stdout


def test_validate_asks_a_prometheus_nothing_about_it(folder: Path) -> None:
    """Its selectors are not Prometheus'."""
    with Loopback([Reply(status=500)]) as server:
        argv = ("validate", "--prometheus", server.url)
        ending = headroom(*argv, cwd=reaching(folder, "http://127.0.0.1:9"))
        assert [] == server.asked
    assert 0 == ending.code, ending.stderr


@pytest.mark.parametrize(
    ("reply", "outcome", "said"),
    [
        (datadog(HEALTHY), "ok", "it answers 2 queries"),
        (datadog({}), "warn", "it has no number in the last hour for ticketing/prod/availability"),
        (REFUSED, "fail", "credentials"),
        (Reply(status=400, body=b'{"errors": ["no such function"]}'), "fail", "2 of 2 queries"),
        (Reply(status=500), "fail", "500"),
    ],
    ids=["well", "silent", "keys", "query", "down"],
)
def test_the_doctor_says_what_is_wrong_with_a_source(
    folder: Path, reply: Script, outcome: str, said: str
) -> None:
    """By name, whatever becomes of the other checks."""
    with Loopback([reply]) as server:
        argv = ("doctor", "--format", "json")
        ending = headroom(*argv, cwd=reaching(folder, server.url, ", retries: 0"))
    (check,) = [each for each in ending.json["checks"] if each["name"] == "datadog/eu"]
    assert outcome == check["outcome"], check
    assert said in check["message"]


def test_the_doctor_says_that_a_source_cannot_be_reached(folder: Path) -> None:
    """Nobody listens there."""
    with Loopback([Reply()]) as server:
        url = server.url
    argv = ("doctor", "--format", "json")
    ending = headroom(*argv, cwd=reaching(folder, url, ", retries: 0"))
    (check,) = [each for each in ending.json["checks"] if each["name"] == "datadog/eu"]
    assert "fail" == check["outcome"]
    assert check["message"].startswith("cannot be reached")
