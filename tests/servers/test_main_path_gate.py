"""The gate through the installed command, on a real server: every answer and every exit code."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.cli.installed import app_text, headroom
from tests.servers.answers import SCHEMA, decided, records
from tests.servers.stage import BUDGET, SLOW, Stage, instant, policy
from tests.servers.traffic_scenarios import HOUR


@pytest.mark.parametrize(
    ("app", "source", "code", "decision"),
    [
        ("healthy", "recorded", 0, "allow"),
        ("healthy", "raw", 0, "allow"),
        ("burning", "recorded", 10, "deny"),
        ("burning", "raw", 10, "deny"),
        ("slow", "auto", 0, "warn"),
        ("silent", "recorded", 0, "allow"),
        ("silent", "raw", 0, "allow"),
        ("quiet", "auto", 0, "allow"),
        ("failing", "auto", 10, "deny"),
        ("lost", "recorded", 12, "indeterminate"),
        ("lost", "raw", 12, "indeterminate"),
        ("never", "recorded", 12, "indeterminate"),
        ("never", "raw", 12, "indeterminate"),
    ],
)
def test_each_application_gets_its_answer(
    stage: Stage, audit: Path, app: str, source: str, code: int, decision: str
) -> None:
    """The built-in policy decides, says that it does, and leaves one line in the log."""
    ending = stage.gate(app, audit=audit, source=source)
    found = decided(ending)
    assert (code, decision) == (ending.code, found["decision"]), ending.stderr
    assert found["allowed"] is (code == 0)
    assert "built-in" == found["policy"]["name"]
    assert instant(stage.at) == found["evaluatedAt"]
    (record,) = records(audit)
    assert (found["id"], decision) == (record["id"], record["decision"])
    assert found["audit"]["seq"] == 1


def test_a_warning_is_11_for_the_strict(stage: Stage, audit: Path) -> None:
    """And 0 for everybody else; an answer that allows stays 0."""
    assert 11 == stage.gate("slow", "--strict", audit=audit).code
    assert 0 == stage.gate("healthy", "--strict", audit=audit).code
    assert 10 == stage.gate("burning", "--strict", audit=audit).code
    assert 3 == len(records(audit))


def test_incomplete_coverage_is_no_data(stage: Stage, audit: Path) -> None:
    """A quarter of the slots were recorded; raw series, which are whole, allow."""
    recorded = stage.gate("gappy", audit=audit, source="recorded")
    assert (12, 0) == (recorded.code, stage.gate("gappy", audit=audit, source="raw").code)
    (budget,) = [one for one in decided(recorded)["rules"] if one["id"] == "budget"]
    assert ("no_data", None) == (budget["outcome"], budget["observed"])
    assert ["incomplete"] == [one["reason"] for one in budget["findings"]]


def test_zero_traffic_and_few_events_pass_with_a_note(stage: Stage, audit: Path) -> None:
    """An idle app and a quiet one are not held up, and it is said why."""
    silent = decided(stage.gate("silent", audit=audit))
    assert "no traffic" in silent["rules"][0]["message"]
    assert any("no traffic" in note for note in silent["rules"][0]["findings"][0]["notes"])
    quiet = decided(stage.gate("quiet", audit=audit))
    assert "insufficient_data" == quiet["rules"][0]["outcome"]
    assert any("judged as 1,000" in note for note in quiet["rules"][0]["findings"][0]["notes"])


def test_a_denial_says_what_would_turn_it(stage: Stage, audit: Path) -> None:
    """The number of failures that are too many is the exact one."""
    decision = decided(stage.gate("burning", "--policy", "budget-only", audit=audit))
    (change,) = decision["counterfactual"]["changes"]
    data = decision["rules"][0]["findings"][0]["data"]
    assert change["data"]["fewerBad"] == int(data["bad"] - data["total"] / 1000) + 1
    assert decision["rules"][0]["observed"] < decision["rules"][0]["threshold"]


def test_an_earlier_time_gets_the_answer_of_then(stage: Stage, audit: Path) -> None:
    """Before the outage the burning app might ship; asked twice the answer is the same."""
    first, second = (
        decided(stage.gate("burning", audit=audit, at=stage.at - 3 * HOUR)) for _ in range(2)
    )
    assert "allow" == first["decision"]
    own = {"id", "audit"}
    assert {k: v for k, v in first.items() if k not in own} == {
        k: v for k, v in second.items() if k not in own
    }


def test_the_present_is_meant_when_no_time_is_given(stage: Stage, audit: Path) -> None:
    """Raw series of the burning app go on to now; an hour of nothing is not now."""
    flags = ("--prometheus", stage.server.url, "--audit", audit, "--source", "raw")
    ending = headroom("gate", "--app", "lost", *flags, cwd=stage.folder)
    assert 12 == ending.code
    assert "INDETERMINATE" == ending.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("name", "app", "code", "decision"),
    [
        ("observing", "burning", 0, "deny"),
        ("observing", "lost", 0, "indeterminate"),
        ("warning", "burning", 0, "warn"),
        ("warning", "lost", 12, "indeterminate"),
        ("lenient", "lost", 0, "allow"),
        ("lenient", "burning", 10, "deny"),
        ("strict-data", "lost", 0, "warn"),
        ("budget-only", "burning", 10, "deny"),
    ],
)
def test_a_policy_is_taken_by_its_name(
    stage: Stage, audit: Path, name: str, app: str, code: int, decision: str
) -> None:
    """Modes and what missing data amounts to, as the policy has them."""
    ending = stage.gate(app, "--policy", name, audit=audit)
    found = decided(ending)
    assert (code, decision) == (ending.code, found["decision"])
    assert (code == 0) is found["allowed"]
    assert name == found["policy"]["name"]


def test_a_policy_is_taken_from_a_file(stage: Stage, audit: Path, tmp_path: Path) -> None:
    """It need not be in the workspace; a warning at 25 % becomes one that is strict."""
    path = tmp_path / "mine.yaml"
    path.write_text(policy("mine", SLOW), encoding="utf-8")
    ending = stage.gate("slow", "--policy", path, "--strict", audit=audit)
    assert (11, "mine") == (ending.code, decided(ending)["policy"]["name"])


def test_a_policy_applies_by_what_it_matches(stage: Stage, tmp_path: Path) -> None:
    """Without a flag the one for the environment decides, and the file is named by its app."""
    (tmp_path / "app.yaml").write_text(app_text("burning"), encoding="utf-8")
    text = policy("house", mode="observe", match="{environments: [default]}")
    (tmp_path / "house.yaml").write_text(text, encoding="utf-8")
    flags = ("--prometheus", stage.server.url, "--at", str(stage.at), "--format", "json")
    ending = headroom("gate", "--app", "burning", *flags, cwd=tmp_path)
    assert (0, "house") == (ending.code, decided(ending)["policy"]["name"])
    assert 1 == len(records(tmp_path / ".state" / "headroom" / "audit.ndjson"))


def test_a_freeze_stops_everything_until_its_last_day_is_over(
    stage: Stage, audit: Path, tmp_path: Path
) -> None:
    """The last day belongs to it; the instant after it the healthy app may ship again."""
    today = datetime.fromtimestamp(stage.at, UTC).date()
    first = today - timedelta(days=2)
    for last, code in ((today, 10), (today - timedelta(days=1), 0)):
        rule = (
            "{id: freeze, type: freeze_window, windows: "
            f"[{{from: {first}, to: {last}, timezone: UTC}}]}}"
        )
        path = tmp_path / f"{last}.yaml"
        path.write_text(policy("frozen", BUDGET, rule), encoding="utf-8")
        ending = stage.gate("healthy", "--policy", path, audit=audit)
        assert code == ending.code
        (freeze,) = [one for one in decided(ending)["rules"] if one["id"] == "freeze"]
        assert ("fail" if code else "pass") == freeze["outcome"]
    frozen = tmp_path / f"{today}.yaml"
    rollback = stage.gate("burning", "--policy", frozen, "--change-type", "rollback", audit=audit)
    assert 10 == rollback.code, "a freeze is no rule that reads data"


def test_a_rollback_passes_with_a_warning(stage: Stage, audit: Path) -> None:
    """It is recorded as what it was, with its reason."""
    flags = ("--change-type", "rollback", "--reason", "back to 1.4")
    ending = stage.gate("burning", *flags, audit=audit)
    found = decided(ending)
    assert (0, "warn") == (ending.code, found["decision"])
    assert {"exempt"} == {one["outcome"] for one in found["rules"]}
    (record,) = records(audit)
    assert ("rollback", "back to 1.4") == (
        record["subject"]["changeType"],
        record["subject"]["reason"],
    )
    assert 11 == stage.gate("burning", *flags, "--strict", audit=audit).code


def test_metrics_that_died_do_not_keep_a_rollback_away(stage: Stage, audit: Path) -> None:
    """No data is excused as a spent budget is."""
    assert 0 == stage.gate("lost", "--change-type", "rollback", audit=audit).code


def test_a_reliability_fix_needs_a_ticket(stage: Stage, audit: Path) -> None:
    """Without one it is wrong usage, with one it passes and the ticket is on record."""
    fix = ("--change-type", "reliability_fix")
    without = stage.gate("burning", *fix, audit=audit)
    assert (2, "") == (without.code, without.stdout)
    assert "ticket" in without.stderr
    assert not audit.exists()
    ending = stage.gate("burning", *fix, "--ticket", "OPS-7", audit=audit)
    assert (0, "warn") == (ending.code, decided(ending)["decision"])
    assert "OPS-7" == records(audit)[0]["subject"]["ticket"]


@pytest.mark.parametrize("kind", ["rollback", "first_deploy"])
def test_a_policy_without_exemptions_excuses_nothing(stage: Stage, audit: Path, kind: str) -> None:
    """The claim is told to be none, and the change judged like any other."""
    flags = ("--policy", "no-way-out", "--change-type", kind)
    assert 10 == stage.gate("burning", *flags, audit=audit).code
    assert 12 == stage.gate("never", *flags, audit=audit).code


def test_a_first_deploy_is_allowed_once(stage: Stage, audit: Path) -> None:
    """Refusals before it do not count; a deploy that was let through does."""
    first = ("--change-type", "first_deploy")
    assert 12 == stage.gate("never", audit=audit).code
    assert 0 == stage.gate("never", *first, audit=audit).code
    again = stage.gate("never", *first, audit=audit)
    assert 10 == again.code
    assert "no first deploy" in decided(again)["summary"]
    assert [False, True, False] == [record["allowed"] for record in records(audit)]


@pytest.mark.parametrize("app", ["lost", "healthy", "silent", "gappy"])
def test_a_first_deploy_of_what_had_data_is_refused(stage: Stage, audit: Path, app: str) -> None:
    """Data now, data once, or series without traffic: something was there before."""
    ending = stage.gate(app, "--change-type", "first_deploy", audit=audit)
    assert 10 == ending.code
    assert "had data before" in decided(ending)["summary"]


def test_several_formats_are_written_at_once(stage: Stage, tmp_path: Path, audit: Path) -> None:
    """The same decision as text on the terminal and as files beside it."""
    files = {form: tmp_path / f"gate.{form}" for form in ("json", "markdown", "text")}
    flags = [flag for form, path in files.items() for flag in ("--output", f"{form}={path}")]
    ending = stage.run("gate", "--app", "burning", "--audit", audit, *flags)
    assert 10 == ending.code
    assert ending.stdout == files["text"].read_text(encoding="utf-8")
    decision = json.loads(files["json"].read_text(encoding="utf-8"))
    Draft202012Validator(SCHEMA).validate(decision)
    assert decision["id"] in ending.stdout
    assert decision["id"] in files["markdown"].read_text(encoding="utf-8")
    assert 1 == len(records(audit))
    assert max(map(len, ending.stdout.splitlines())) <= 80


def test_evidence_names_the_source_and_the_query(stage: Stage, audit: Path) -> None:
    """Whoever doubts an answer can ask the server the same thing."""
    for source in ("recorded", "raw"):
        decision = decided(stage.gate("burning", audit=audit, source=source))
        evidence = [one for rule in decision["rules"] for one in rule["evidence"]]
        assert {"prometheus/flag"} == {one["source"] for one in evidence}
        for one in evidence:
            stage.server.query(one["query"], stage.at)
