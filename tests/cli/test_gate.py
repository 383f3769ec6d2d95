"""`headroom gate` as a process: what it refuses unasked, and back ends that do not answer."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.audit import verify
from tests.cli.installed import Ending, app_text, headroom, write
from tests.servers.loopback import Loopback, Reply, refusal, result

AT = "2026-11-21T12:00:00Z"
POLICY = """\
apiVersion: headroom/v1
kind: GatePolicy
metadata: {name: %s}
spec:
  evaluationTimeout: 1s
  onMissingData: %s
  rules: [{id: budget, type: error_budget}]
"""
TWO_PLACES = "[{name: prod, match: {env: prod}}, {name: dev, match: {env: dev}}]"


@pytest.fixture
def server() -> Iterator[Loopback]:
    """A server that answers everything with nothing, and counts how often it was asked."""
    with Loopback([result([])]) as running:
        yield running


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A folder with an app, one on two environments, and policies beside them."""
    apps = write(tmp_path / "apps", ticketing=app_text(), cargo=app_text("cargo"))
    write(apps, twice=app_text("twice", environments=TWO_PLACES))
    write(tmp_path / "apps", orphan=app_text("orphan", gate="no-such"))
    (tmp_path / "broken.yaml").write_text(POLICY % ("mine", "sometimes"), encoding="utf-8")
    both = POLICY % ("one", "deny") + "---\n" + POLICY % ("two", "deny")
    (tmp_path / "both.yaml").write_text(both, encoding="utf-8")
    (tmp_path / "allowing.yaml").write_text(POLICY % ("allowing", "allow"), encoding="utf-8")
    (tmp_path / "wrong").mkdir()
    text = app_text("wrong").replace("objective", "objectve")
    (tmp_path / "wrong" / "wrong.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def gate(space: Path, url: str, *argv: str) -> Ending:
    """Ask about the apps of a folder at a fixed time, with a log of decisions beside them."""
    flags = ("--prometheus", url, "--at", AT, "--audit", "audit.ndjson")
    return headroom("gate", *argv, *flags, cwd=space)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("apps", "--app", "tickting"), 'there is no app "tickting"; did you mean "ticketing"?'),
        (("apps", "--app", "ticketing", "--env", "prd"), 'has no environment "prd"'),
        (("apps", "--app", "twice"), "has several environments"),
        (("apps",), "--app"),
        (("apps", "--app", "ticketing", "--frce"), "unknown flag --frce"),
        (("apps", "--app", "ticketing", "--format", "xml"), '"xml" is none of'),
        (("apps", "--app", "ticketing", "--output", "gate.md"), "write it as FORMAT=FILE"),
        (("apps", "--app", "ticketing", "--output", "pdf=gate"), "write it as FORMAT=FILE"),
        (("apps", "--app", "ticketing", "--change-type", "hotfix"), '"hotfix" is none of'),
        (("apps", "--app", "ticketing", "--change-type", "reliability_fix"), "ticket"),
        (("apps", "--app", "ticketing", "--policy", "no-such"), 'there is no policy "no-such"'),
        (("apps", "--app", "ticketing", "--policy", "none.yaml"), "none.yaml cannot be read"),
        (("apps", "--app", "ticketing", "--policy", "broken.yaml"), "onMissingData"),
        (("apps", "--app", "ticketing", "--policy", "both.yaml"), "holds 2 policies"),
        (("apps", "--app", "orphan"), 'there is no policy "no-such"'),
        (("wrong", "--app", "wrong"), 'unknown key "objectve"; did you mean "objective"?'),
        (("nowhere", "--app", "ticketing"), "there is no file or folder nowhere"),
    ],
)
def test_what_is_wrong_is_found_before_any_server_is_asked(
    space: Path, server: Loopback, argv: tuple[str, ...], said: str
) -> None:
    """Exit code 2, the reason on stderr, nothing on stdout, no request and no record."""
    ending = gate(space, server.url, *argv)
    assert (2, "") == (ending.code, ending.stdout)
    assert said in ending.stderr
    assert [] == server.asked
    assert not (space / "audit.ndjson").exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--at", "yesterday"), "yesterday"),
        (("--at", "2026-11-21T12:00:00"), "2026-11-21T12:00:00"),
        (("--prometheus", "localhost:9090"), "write it as http://HOST:9090"),
        ((), "no Prometheus is configured"),
    ],
)
def test_a_question_that_makes_no_sense_is_wrong_usage(
    space: Path, flags: tuple[str, ...], said: str
) -> None:
    """A time without a zone, an address without a scheme, no address at all."""
    ending = headroom("gate", "apps", "--app", "ticketing", *flags, cwd=space)
    assert (2, "") == (ending.code, ending.stdout)
    assert said in ending.stderr
    assert not (space / ".state").exists()


FAULTS = {
    "unavailable": Reply(status=503),
    "starting": refusal(503, "unavailable", "starting"),
    "broken": Reply(status=500),
    "silent": Reply(delay=30),
    "trickling": Reply(body=b'{"status":"success"}' * 50, trickle=0.1),
    "html": Reply(body=b"<!doctype html><title>Sign in</title>"),
    "cut": Reply(body=b'{"status":"success","data"', promised=9999),
    "elsewhere": Reply(status=302, headers={"Location": "/login"}),
    "unauthorised": Reply(status=401),
    "refused": refusal(422, "execution", "query processing would load too many samples"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_back_end_that_fails_is_13_in_time(space: Path, fault: str) -> None:
    """The policy's timeout holds for all reading, and missing data that may pass is another."""
    with Loopback([FAULTS[fault]]) as server:
        ending = gate(
            space,
            server.url,
            *("apps", "--app", "ticketing", "--policy", "allowing.yaml", "--format", "json"),
        )
        assert server.asked
    assert 13 == ending.code, ending.stdout
    assert ending.seconds < 15
    assert ("indeterminate", False) == (ending.json["decision"], ending.json["allowed"])
    (record,) = (space / "audit.ndjson").read_text(encoding="utf-8").splitlines()
    assert ending.json["id"] == json.loads(record)["id"]


def test_a_refused_connection_is_13(space: Path) -> None:
    """Nobody listens there, and that is said with the address."""
    ending = gate(space, "http://127.0.0.1:9", "apps", "--app", "ticketing")
    assert 13 == ending.code
    assert "INDETERMINATE" == ending.stdout.splitlines()[0]
    assert "cannot be reached" in " ".join(ending.stdout.split())


def test_an_empty_answer_is_12(space: Path, server: Loopback) -> None:
    """There never was anything: a policy may let that pass, the built-in one does not."""
    assert 12 == gate(space, server.url, "apps", "--app", "ticketing").code
    lenient = ("apps", "--app", "ticketing", "--policy", "allowing.yaml")
    assert 0 == gate(space, server.url, *lenient).code
    assert 2 == len((space / "audit.ndjson").read_text(encoding="utf-8").splitlines())
    assert () == verify(space / "audit.ndjson")


def test_evaluations_follow_each_other_in_the_log(space: Path, server: Loopback) -> None:
    """Of any app, of any answer: one line each, numbered and chained, in the state folder."""
    for app in ("ticketing", "cargo", "ticketing"):
        flags = ("--prometheus", server.url, "--at", AT, "--format", "json")
        assert 12 == headroom("gate", "apps", "--app", app, *flags, cwd=space).code
    log = space / ".state" / "headroom" / "audit.ndjson"
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert ["ticketing", "cargo", "ticketing"] == [line["subject"]["app"] for line in lines]
    assert () == verify(log)


def test_an_answer_that_cannot_be_written_to_a_file_is_wrong_usage(
    space: Path, server: Loopback
) -> None:
    """It was decided and recorded; nothing is printed that could be taken for an allowance."""
    flags = ("--output", "json=missing/gate.json", "--policy", "allowing.yaml")
    ending = gate(space, server.url, "apps", "--app", "ticketing", *flags)
    assert (2, "") == (ending.code, ending.stdout)
    assert "the decision was recorded" in ending.stderr
