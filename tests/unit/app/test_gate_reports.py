"""The gate's answer as text, Markdown and JSON."""

import json
import re
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from app.reports.gate_json import gate_json
from app.reports.gate_markdown import escape, gate_markdown
from app.reports.gate_text import gate_text
from slo.gate.decide import decide
from slo.gate.decision import Decision
from slo.gate.findings import Finding
from slo.gate.policy import Exemptions, Mode, ReliabilityFixExemption
from slo.gate.subject import ChangeType
from slo.model import Contacts
from slo.ports import NoDataReason
from tests.unit.slo.gate.world import SCHEMA, counts, facts, judged, level, missing, policy

DENIED = decide(
    facts(
        judged(period=counts(1_000_000, 1120)),
        judged(level("latency"), missing(NoDataReason.LOST, "the series ended 2 h ago")),
    ),
    policy(exempt=Exemptions(reliability_fix=ReliabilityFixExemption(approvers=("sre",)))),
)
ALLOWED = decide(facts(judged()), policy())
CONTACTS = Contacts(page="pagerduty-bookings", chat="#bookings", email="bookings@example.com")
HOSTILE = (
    "\x1b[31mred\x1b]8;;http://x\x07 \u202egnp.exe\u200b <script>alert(1)</script> "
    "[link](javascript:alert(1)) ![i](http://x/i.png) | cell | `code` *em* ~~x~~ "
    "\n::add-mask::secret\n##vso[task] http://evil.example www.evil.example @team #12 $x$"
)


def hostile() -> Decision:
    """Return a decision whose every sentence holds hostile text."""
    first = DENIED.rules[0]
    found: Finding = replace(first.deciding, message=HOSTILE, remediation=HOSTILE, notes=(HOSTILE,))
    result = replace(first, message=HOSTILE, findings=(found,))
    return replace(DENIED, summary=HOSTILE, rules=(result,), notes=(HOSTILE,), approvers=(HOSTILE,))


def test_a_denial_reads_well_at_eighty_columns() -> None:
    expected = """\
DENY
  ticketing may not ship to prod: availability: -12 % of the 30d error budget is
  left, deploys stop at 0 %

     FAIL  budget  availability: -12 % of the 30d error budget is left, deploys
                   stop at 0 %
                   - no data: latency: the data was lost: the series ended 2 h
                     ago
  no data  burn    latency: the data was lost: the series ended 2 h ago

what would turn it
  - 121 bad events fewer, or 120,001 good events more, would put availability
    above 0 %; without another bad event it is there by 2026-12-23T12:00:00Z at
    the latest
  - latency can be judged once there is such data

what to do
  - ship only what makes availability more reliable until the budget recovers
  - find out why the series ended: a target, its labels, or the rules

who can say so
  - a rollback to what ran before: --change-type rollback
  - a change that mends, with a ticket: --change-type reliability_fix --ticket T
  - who can vouch for a reliability fix: sre
  - on call: pagerduty-bookings
  - chat: #bookings
  - mail: bookings@example.com

by the built-in policy (no other one applies), sha256:DIGEST; at
2026-11-23T12:00:00Z, good until 2026-11-23T12:15:00Z
decision 01JD5B8Q6V0000000000000000
"""
    actual = gate_text(DENIED, contacts=CONTACTS)
    assert expected == re.sub(r"sha256:[0-9a-f]{12}", "sha256:DIGEST", actual)


def test_a_long_rule_id_stands_on_a_line_of_its_own() -> None:
    first = replace(DENIED.rules[0], id="the-budget-of-every-slo-there-is")
    lines = gate_text(replace(DENIED, rules=(first,))).splitlines()
    assert "     FAIL  the-budget-of-every-slo-there-is" == lines[4]
    assert lines[5].startswith(" " * 29 + "availability")


def test_an_allow_is_short() -> None:
    lines = gate_text(ALLOWED, contacts=CONTACTS).splitlines()
    assert "ALLOW" == lines[0]
    assert not [line for line in lines if "who can say so" in line]
    assert 9 == len(lines)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = gate_text(DENIED, contacts=CONTACTS, width=width).splitlines()
    assert not [line for line in lines if len(line) > width]


def test_colour_adds_nothing_that_is_not_there_without_it() -> None:
    painted = gate_text(DENIED, color=True)
    assert "\x1b[" in painted
    assert gate_text(DENIED) == re.sub(r"\x1b\[[0-9;]*m", "", painted)


def test_observing_is_told() -> None:
    decision = decide(facts(judged(period=counts(10**6, 5000))), policy(mode=Mode.OBSERVE))
    text = gate_text(decision)
    assert "only observed: ticketing may not ship" in text
    assert "mode observe" in text


def test_an_exemption_is_told() -> None:
    asked = facts(judged(period=counts(10**6, 5000)), change_type=ChangeType.ROLLBACK)
    text = gate_text(decide(asked, policy()))
    assert "exempt  budget" in text
    assert "excused for a rollback" in text


def test_hostile_text_cannot_steer_a_terminal_or_a_pipeline() -> None:
    text = gate_text(hostile(), contacts=CONTACTS)
    assert "\x1b" not in text
    assert not {"\u202e", "\u200b", "\x07"} & set(text)
    assert not [line for line in text.splitlines() if line.lstrip().startswith(("::", "##vso"))]


def test_hostile_text_is_only_text_in_markdown() -> None:
    text = gate_markdown(hostile(), contacts=CONTACTS)
    assert "<script" not in text
    assert not re.search(r"(?<!\\)[\[\]`*]", text)
    assert not re.search(r"(?<!\\)!\\?\[", text)
    assert "://" not in text
    assert "@" not in text
    assert not [line for line in text.splitlines() if line.lstrip().startswith(("::", "##vso"))]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [4] * len(rows) == [len(re.findall(r"(?<!\\)\|", row)) for row in rows]


@pytest.mark.parametrize("text", ["# x", "- x", "1. x", "= x", "a_b", "\\", "<!--", "&amp;"])
def test_markdown_marks_are_escaped(text: str) -> None:
    assert text != escape(text)


def test_json_is_the_document_of_the_schema() -> None:
    document = json.loads(gate_json(DENIED))
    Draft202012Validator(SCHEMA).validate(document)
    assert "deny" == document["decision"]
    assert gate_json(DENIED).endswith("}\n")


def test_a_first_deploy_is_offered_only_where_it_would_be_granted() -> None:
    """Nobody is sent on a way that is bound to be refused."""
    never = decide(
        facts(judged(level("fresh"), missing(NoDataReason.NEVER, "never seen"))), policy()
    )

    assert "--change-type first_deploy" in gate_text(never)
    assert "--change-type first_deploy" not in gate_text(DENIED)


def test_a_note_about_several_slos_is_said_once_with_their_names() -> None:
    first = DENIED.rules[0]
    both = tuple(replace(each, notes=("history is short",)) for each in first.findings)
    noted = replace(DENIED, rules=(replace(first, findings=both),))

    assert 1 == gate_text(noted).count("history is short")
    assert "- availability, latency: history is short" in gate_text(noted)
