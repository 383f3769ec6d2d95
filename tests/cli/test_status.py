"""`headroom status` as a process: what it needs, what it refuses, servers that do not answer."""

from pathlib import Path

import pytest

from tests.cli.installed import app_text, headroom, write
from tests.servers.loopback import Loopback, Reply, result

AT = ("--at", "2026-11-21T12:00:00Z")


@pytest.fixture
def apps(tmp_path: Path) -> Path:
    """A folder with two apps."""
    return write(tmp_path, ticketing=app_text(), cargo=app_text("cargo"))


def test_a_server_without_any_series_is_no_data_and_no_error(apps: Path) -> None:
    """The server answered; what is absent is null, never a number."""
    with Loopback([result([])]) as server:
        ending = headroom("status", "--prometheus", server.url, "--format", "json", *AT, cwd=apps)
    assert (0, "") == (ending.code, ending.stderr)
    assert ["cargo", "ticketing"] == [one["app"] for one in ending.json["slos"]]
    for one in ending.json["slos"]:
        assert ("no_data", "never") == (one["state"], one["noData"]["reason"])
        keys = ("total", "bad", "errorRatio", "budgetRemaining", "timeToExhaustionSeconds")
        assert {None} == {one[key] for key in keys} | set(one["burnRates"].values())


@pytest.mark.parametrize(
    "reply",
    [Reply(status=500), Reply(body=b"<html>"), Reply(delay=30)],
    ids=["500", "html", "slow"],
)
def test_a_server_that_fails_is_1_and_named(apps: Path, reply: Reply) -> None:
    """Both apps are in the answer all the same, within the time that was given."""
    with Loopback([reply]) as server:
        flags = ("--prometheus", server.url, "--timeout", "1s", *AT)
        ending = headroom("status", *flags, cwd=apps)
    assert 1 == ending.code
    assert ending.seconds < 15
    assert 2 == ending.stdout.count("no data (source_failed)")
    assert max(map(len, ending.stdout.splitlines())) <= 80


def test_the_server_may_be_named_by_the_environment(apps: Path) -> None:
    """As `HEADROOM_PROMETHEUS`; the flag goes before it."""
    with Loopback([result([])]) as named, Loopback([result([])]) as flag:
        environment = {"HEADROOM_PROMETHEUS": named.url}
        assert 0 == headroom("status", *AT, cwd=apps, environment=environment).code
        assert named.asked
        before = len(named.asked)
        argv = ("status", "--prometheus", flag.url, *AT)
        assert 0 == headroom(*argv, cwd=apps, environment=environment).code
        assert flag.asked
        assert before == len(named.asked)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--app", "carg"), 'there is no app "carg"; did you mean "cargo"?'),
        (("--env", "prod"), 'any app has no environment "prod"'),
        (("--source", "both"), '"both" is none of auto, recorded, raw'),
        (("--timeout", "soon"), "soon"),
        (("nowhere",), "there is no file or folder nowhere"),
    ],
)
def test_wrong_usage_is_2_and_asks_nobody(apps: Path, argv: tuple[str, ...], said: str) -> None:
    """One line that says what is wrong, another that helps."""
    with Loopback([result([])]) as server:
        ending = headroom("status", *argv, "--prometheus", server.url, cwd=apps)
        assert [] == server.asked
    assert (2, "") == (ending.code, ending.stdout)
    assert said in ending.stderr


def test_a_wrong_file_is_1_and_asks_nobody(apps: Path) -> None:
    """All problems are told, as `validate` tells them."""
    write(apps, wrong=app_text("wrong").replace("objective", "objectve"))
    with Loopback([result([])]) as server:
        ending = headroom("status", "--prometheus", server.url, cwd=apps)
        assert [] == server.asked
    assert (1, "") == (ending.code, ending.stdout)
    assert "wrong.yaml:7:7: error: unknown key" in ending.stderr


def test_an_empty_folder_is_wrong_usage(tmp_path: Path) -> None:
    """And it is said how to begin."""
    ending = headroom("status", "--prometheus", "http://127.0.0.1:9", cwd=tmp_path)
    assert (2, "") == (ending.code, ending.stdout)
    assert "headroom init" in ending.stderr


def test_a_server_that_fails_half_way_is_1(apps: Path) -> None:
    """The period was read and the windows were not: the answer is there, and so is the failure."""
    identity = {"app": "ticketing", "env": "default", "slo": "availability"}
    present = [
        {"metric": identity | {label: name}, "value": [0, value]}
        for label, name, value in (
            ("headroom_part", "heartbeat", "1795262400"),
            ("headroom_part", "indicator", "1795262400"),
            ("__name__", "slo:total:increase_period", "100000"),
            ("__name__", "slo:bad:increase_period", "1"),
            ("__name__", "slo:coverage:ratio_period", "1"),
        )
    ]
    with Loopback([result(present), Reply(status=500)]) as server:
        flags = ("--app", "ticketing", "--prometheus", server.url, "--format", "json", *AT)
        ending = headroom("status", *flags, cwd=apps)
    (one,) = ending.json["slos"]
    assert ("ok", 100000, None) == (one["state"], one["total"], one["burnRates"]["1h"])
    assert 1 == ending.code


@pytest.mark.parametrize("objective", ["99.9", "90"])
def test_the_last_minutes_and_the_hour_are_always_there(tmp_path: Path, objective: str) -> None:
    """Also where no alert looks at them, because none could fire at that objective."""
    write(tmp_path, ticketing=app_text(objective=objective))
    with Loopback([result([])]) as server:
        flags = ("--prometheus", server.url, "--format", "json", *AT)
        ending = headroom("status", *flags, cwd=tmp_path)
    (one,) = ending.json["slos"]
    assert {"5m", "1h"} <= set(one["burnRates"])
