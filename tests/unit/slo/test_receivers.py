"""The table of receiver kinds and the checks that follow it."""

import pytest

from slo.problems import Span
from slo.receivers import RECEIVER_KINDS, Form, receiver_problems

SECRET = "https://hooks.example.com/services/T0/B0/s3cr3t"


def _ids(kind: str, **settings: str) -> list[str]:
    given = {key.rstrip("_"): value for key, value in settings.items()}
    found = receiver_problems("r", kind, given)
    assert "s3cr3t" not in str(found)
    return [problem.id.removeprefix("alertmanager/") for problem in found]


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("pagerduty", {"routingKeyFile": "/run/pd"}),
        ("pagerduty", {"serviceKeyFile": "pd"}),
        ("slack", {"apiUrlFile": "/run/slack", "channel": "#ops"}),
        ("webhook", {"url": "http://127.0.0.1:8080/hook"}),
        ("webhook", {"url": "https://[::1]/hook", "bearerTokenFile": "/run/token"}),
        ("opsgenie", {"apiKeyFile": "/run/og", "apiUrl": "https://api.eu.opsgenie.com/"}),
        ("victorops", {"apiKeyFile": "/run/vo", "routingKey": "team"}),
        ("email", {"to": "a@b.c", "from": "d@e.f", "smarthost": "[::1]:25", "requireTls": "true"}),
    ],
)
def test_complete_receivers_have_no_problems(kind: str, settings: dict[str, str]) -> None:
    """Each is one that Alertmanager accepts."""
    assert [] == _ids(kind, **settings)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("pagerduty", {"routingKey": "s3cr3t"}),
        ("slack", {"apiUrl": SECRET}),
        ("slack", {"apiUrlFile": SECRET}),
        ("opsgenie", {"apiKey": "s3cr3t"}),
        ("telegram", {"botToken": "s3cr3t", "chatId": "1"}),
        ("msteams", {"webhookUrl": SECRET}),
        ("webhook", {"url": "https://h.example.com", "bearerToken": "s3cr3t"}),
        ("webhook", {"url": "https://user:s3cr3t@h.example.com/"}),
    ],
)
def test_a_secret_in_the_workspace_file_is_found_and_never_repeated(
    kind: str, settings: dict[str, str]
) -> None:
    """Neither as a key of its own nor where a file is named."""
    assert ["inline-secret"] == _ids(kind, **settings)


def test_an_inline_secret_names_the_setting_to_use() -> None:
    """The hint is the way out."""
    (found,) = receiver_problems("r", "slack", {"apiUrl": SECRET})
    assert "keep the secret in a file that Alertmanager can read: set apiUrlFile" == found.hint


@pytest.mark.parametrize(
    ("expected", "kind", "settings"),
    [
        ("missing-setting", "pagerduty", {}),
        ("bad-setting", "pagerduty", {"routingKeyFile": "a", "serviceKeyFile": "b"}),
        ("missing-setting", "slack", {"channel": "#ops"}),
        ("bad-setting", "slack", {"apiUrlFile": ""}),
        ("bad-setting", "slack", {"apiUrlFile": "/run/slack", "channel": "#ops "}),
        ("missing-setting", "webhook", {}),
        ("bad-setting", "webhook", {"url": "ftp://h.example.com"}),
        ("bad-setting", "webhook", {"url": "https:///path"}),
        ("bad-setting", "webhook", {"url": "https://h.example.com:x"}),
        ("bad-setting", "webhook", {"url": "https://[h.example.com"}),
        ("bad-setting", "email", {"to": "a@b.c", "from": "d@e.f", "smarthost": "mail"}),
        ("unknown-kind", "pagerdutty", {}),
        ("unknown-setting", "slack", {"apiUrlFile": "/run/slack", "chanel": "#ops"}),
    ],
)
def test_what_alertmanager_would_refuse_is_a_problem(
    expected: str, kind: str, settings: dict[str, str]
) -> None:
    """Each is one problem and not two."""
    assert [expected] == _ids(kind, **settings)


def test_numbers_and_flags_have_one_spelling() -> None:
    """YAML 1.1 words and exponents are refused."""
    assert ["bad-setting"] == _ids(
        "email", to="a@b.c", from_="d@e.f", smarthost="h:25", requireTls="yes"
    )
    assert ["needs-version", "bad-setting"] == _ids("telegram", botTokenFile="/t", chatId="1e3")


def test_a_setting_that_needs_a_newer_alertmanager_says_which() -> None:
    """A note, as nobody knows which one runs."""
    (found,) = receiver_problems("teams", "msteams", {"webhookUrlFile": "/run/teams"})
    expected = 'webhookUrlFile of receiver "teams" needs Alertmanager 0.28 or newer'
    assert expected == found.message


def test_unknown_kinds_and_settings_come_with_what_was_meant() -> None:
    """Like any misspelt key."""
    (kind,) = receiver_problems("r", "pager_duty", {})
    assert kind.message.endswith('of the unknown kind "pager_duty"; did you mean "pagerduty"?')
    (setting,) = receiver_problems("r", "slack", {"apiUrlFile": "/s", "chanel": "#ops"})
    assert setting.message.endswith('; did you mean "channel"?')


def test_each_problem_stands_where_its_setting_stands() -> None:
    """A missing setting stands where the receiver does."""
    spans = {
        None: Span.at("headroom.yaml", 3, 5),
        "chanel": Span.at("headroom.yaml", 4, 9),
    }
    found = receiver_problems("r", "slack", {"chanel": "#ops"}, spans.get)
    assert [spans[None], spans["chanel"]] == [problem.span for problem in found]


def test_names_of_the_table_hold_together() -> None:
    """The suffix File and the form of a file go together."""
    for name, kind in RECEIVER_KINDS.items():
        keys = [setting.key for setting in kind.settings]
        assert name == kind.name
        assert len(set(keys)) == len(keys)
        assert set(kind.one_of) <= set(keys)
        assert all(s.key.endswith("File") == (s.form is Form.FILE) for s in kind.settings)
