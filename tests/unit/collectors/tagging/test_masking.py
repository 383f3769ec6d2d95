"""Secrets leave a line, and a line of JSON stays one."""

import json
import re
from dataclasses import replace

import pytest

from collectors.tagging.masking import maskings, uncaptured
from slo.collecting import MASK, SECRETS, Secret
from tests.unit.collectors.tagging.examples import airline


def masked(line: str) -> str:
    """A line after every replacement."""
    for rule in maskings(airline()):
        line = re.sub(rule.pattern, rule.replacement(r"\{}"), line)
    return line


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"password": "opens, all doors", "n": 1}, {"password": MASK, "n": 1}),
        ({"db_password": 12345, "n": 1}, {"db_password": MASK, "n": 1}),
        ({"a": {"secret": 'x"y\\z'}}, {"a": {"secret": MASK}}),
        ({"message": "password=x1 no"}, {"message": f"password={MASK} no"}),
        ({"message": '{"api_key": "k1"}'}, {"message": f'{{"api_key": "{MASK}"}}'}),
        ({"auth": "Bearer abc.def"}, {"auth": MASK}),
    ],
)
def test_a_line_of_json_stays_one(record: object, expected: object) -> None:
    """Names and quotes of fields are kept, what they hold is not."""
    assert expected == json.loads(masked(json.dumps(record)))


def test_a_secret_ends_with_its_line() -> None:
    """What stands on the next lines of a joined record is not part of a password."""
    joined = "login failed: password=x1\n  at auth.Check\tpin\r\nsecret: y2\nCaused by"

    assert f"login failed: password={MASK}\n  at auth.Check\tpin\r\nsecret: {MASK}\nCaused by" == (
        masked(joined)
    )


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret.name)
def test_no_built_in_pattern_runs_over_a_line_break(secret: Secret) -> None:
    """In any collector: the patterns themselves are what most of them are given."""
    texts = ("password=", "password: 'x", "://joe:", "://joe:pw", "Bearer ", "4111 1111 1111 ")
    found = (re.search(secret.pattern, f"{text}\nnext@host 1111 ") for text in texts)

    assert [] == [each.group() for each in found if each is not None and "\n" in each.group()]


def test_a_mask_is_not_masked_into_something_else() -> None:
    """A second agent on the way changes nothing."""
    once = masked('{"password": "a b", "token": "secret: x", "url": "pg://u:p@h/d"}')

    assert once == masked(once)
    assert "u:p" not in once


def test_groups_of_a_pattern_capture_nothing() -> None:
    """But what stands in a class or behind a backslash is no group."""
    assert r"(?:a|b)[(]\((?:c)" == uncaptured(r"(a|b)[(]\((?:c)")


def test_patterns_of_the_workspace_are_masked_as_a_whole() -> None:
    """Nothing is known of their parts."""
    plan = replace(airline(), secrets=(Secret(name="pnr", pattern="PNR-([A-Z]{2})"),))
    (rule,) = maskings(plan)

    assert ("(?:PNR-(?:[A-Z]{2}))", MASK) == (rule.pattern, rule.replacement(r"\{}"))
