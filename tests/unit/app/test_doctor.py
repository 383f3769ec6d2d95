"""The doctor's judgements that need no server."""

import ast
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import app.doctor
from app.cli.main import COMMANDS
from app.doctor import Check, Outcome, Patient, examine
from app.doctor.installation import (
    PACKAGES,
    headroom_check,
    libraries_check,
    packages_check,
    python_check,
    shared_module_checks,
)
from app.doctor.report import check_text, summary, to_json
from app.doctor.rules import judge
from app.doctor.sources import skew_check
from app.project import Project
from collectors.readers.prometheus.metadata import RuleGroup, RuleState
from slo.errors import UsageError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HERE = dict.fromkeys(PACKAGES, Path("/here"))


def group(*, name: str = "g", ago: float | None = 10, duration: str = "0.1") -> RuleGroup:
    """A group that is evaluated every minute."""
    at = None if ago is None else NOW - timedelta(seconds=ago)
    rule = RuleState(
        name="r", kind="recording", health="ok", last_error="", last_evaluation=at, labels={}
    )
    return RuleGroup(
        name=name,
        file="f",
        interval=Decimal(60),
        duration=Decimal(duration),
        last_evaluation=at,
        rules=(rule,),
    )


def test_advice_names_commands_that_exist_only() -> None:
    """Following it must be possible."""
    trees = [ast.parse(path.read_text()) for path in Path(app.doctor.__file__).parent.glob("*.py")]
    values = [node.value for tree in trees for node in ast.walk(tree) if type(node) is ast.Constant]
    texts = [value for value in values if isinstance(value, str)]
    named = {name for text in texts for name in re.findall(r"(?<!install )headroom ([a-z]+)", text)}

    assert {"generate", "publish"} <= named
    assert set() == named - set(COMMANDS)


def test_python_3_10_is_too_old() -> None:
    """The oldest is 3.11."""
    assert Outcome.FAIL is python_check((3, 10, 9)).outcome
    assert Outcome.OK is python_check((3, 11, 0)).outcome


def test_a_checkout_that_was_never_installed_is_a_warning() -> None:
    """It works as long as its libraries are there."""
    assert Outcome.WARN is headroom_check(lambda _: None).outcome


def test_missing_libraries_are_named_with_the_command_that_installs_them() -> None:
    """Those that are there are told with their versions."""
    check = libraries_check(["pyyaml", "requests"], {"pyyaml": "6.0"}.get)
    assert "not installed: requests" == check.message
    assert check.advice is not None
    assert check.advice.startswith("pip install requests")
    assert "pyyaml 6.0" == libraries_check(["pyyaml"], {"pyyaml": "6.0"}.get).message


def test_a_package_of_ours_that_another_distribution_has_is_a_failure() -> None:
    """Names such as `app` are anybody's."""
    assert Outcome.OK is packages_check({}, HERE).outcome
    assert Outcome.OK is packages_check({"app": ["headroom", "headroom"]}, HERE).outcome
    check = packages_check({"app": ["headroom", "flask-thing"]}, HERE)
    assert Outcome.FAIL is check.outcome
    assert "app (flask-thing)" in check.message


def test_packages_from_several_folders_or_from_none_are_a_failure() -> None:
    """Half of an old installation may be found first."""
    check = packages_check({}, {**HERE, "slo": Path("/there")})
    assert "they come from several folders: /here, /there" == check.message
    assert "cannot be found: slo" == packages_check({}, {**HERE, "slo": None}).message


def test_a_fork_over_urllib3_is_a_warning() -> None:
    """It changes how every connection is made."""
    assert [] == shared_module_checks({"urllib3": ["urllib3"]})
    (check,) = shared_module_checks({"urllib3": ["urllib3", "urllib3-future"]})
    assert Outcome.WARN is check.outcome


@pytest.mark.parametrize(
    ("seconds", "outcome"),
    [(30, Outcome.OK), (-31, Outcome.WARN), (300, Outcome.WARN), (-301, Outcome.FAIL)],
)
def test_clocks_may_differ_by_thirty_seconds(seconds: int, outcome: Outcome) -> None:
    """More is a warning, and past five minutes a failure, in either direction."""
    assert outcome is skew_check("clock", timedelta(seconds=seconds)).outcome


def test_groups_that_are_late_slow_or_new_are_told_apart() -> None:
    """Three intervals and a minute make a group late."""
    names = ["late", "new", "slow", "well"]
    groups = [
        group(name="late", ago=241),
        group(name="new", ago=None),
        group(name="slow", duration="61"),
        group(name="well", ago=239),
    ]
    found = judge("rules", names, {each.name: [each] for each in groups}, NOW)
    expected = [
        (Outcome.FAIL, "1 groups have not been evaluated for three intervals: late"),
        (Outcome.WARN, "1 groups have not been evaluated yet: new"),
        (Outcome.WARN, "1 groups take longer than their interval: slow"),
    ]
    assert expected == [(check.outcome, check.message) for check in found]


def test_a_project_that_cannot_be_opened_is_one_failing_check() -> None:
    """What was looked at before it stays said."""

    def broken() -> Project:
        raise UsageError("there is no file windows.yaml")

    *first, last = examine(Patient(open=broken, now=lambda: NOW))
    assert "python" == first[0].name
    assert ("workspace", Outcome.FAIL) == (last.name, last.outcome)


def test_a_report_has_a_line_for_each_check_and_its_advice_below() -> None:
    """Text of servers cannot steer the terminal."""
    check = Check(name="a", outcome=Outcome.FAIL, message="red \x1b[31m", advice="mend it")
    assert "fail     a: red \\x1b[31m\n           mend it\n" == check_text(check)
    assert check_text(check, color=True).startswith("\x1b[31mfail   \x1b[0m  a")
    fine = Check(name="b", outcome=Outcome.OK, message="fine")
    assert "1 ok, 1 fail" == summary([check, fine])
    expected = {
        "schema": "headroom/doctor/v1",
        "checkedAt": "2026-11-21T12:00:00Z",
        "ok": True,
        "checks": [{"name": "b", "outcome": "ok", "message": "fine", "advice": None}],
    }
    assert expected == to_json([fine], NOW)
