"""The Alertmanager configuration as data and text; tests/servers shows what it does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from alerts.alertmanager import alertmanager_config, problems, render
from alerts.alertmanager.matchers import equals
from alerts.alertmanager.receivers import _MESSAGES
from slo.loader import SourceFile, load_catalog
from slo.model import Catalog
from slo.problems import Severity
from slo.receivers import RECEIVER_KINDS
from slo.workspace import Receiver, Workspace
from tests.unit.alerts.installations import (
    AIRLINE,
    AIRLINE_WORKSPACE,
    app,
    catalog,
    mail,
    pager,
    receiver,
    slack,
    workspace,
)

Golden = Callable[[str, str], None]


def _config(apps: Catalog, installation: Workspace) -> dict[str, Any]:
    return dict(alertmanager_config(apps, installation))


def _receiver(written: Receiver) -> dict[str, Any]:
    """Return the only integration that the configuration holds for a receiver."""
    config = _config(catalog(), workspace(written))
    entry: Mapping[str, Any] = next(
        each for each in config["receivers"] if each["name"] == written.name
    )
    (section,) = (key for key in entry if key != "name")
    (integration,) = entry[section]
    return {"section": section, **integration}


def _found(apps: Catalog, installation: Workspace) -> list[tuple[str, Severity, str]]:
    return [(each.id, each.severity, each.message) for each in problems(apps, installation)]


def test_the_airlines_configuration_reads_as_reviewed(golden: Golden) -> None:
    """The golden file is what users deploy."""
    golden("alertmanager/alertmanager.yaml", render(_config(AIRLINE, AIRLINE_WORKSPACE)))


def test_text_does_not_depend_on_the_order_of_apps_and_receivers() -> None:
    """The same installation gives the same bytes."""
    expected = render(_config(AIRLINE, AIRLINE_WORKSPACE))
    shuffled = replace(AIRLINE_WORKSPACE, receivers=AIRLINE_WORKSPACE.receivers[::-1])
    assert expected == render(_config(Catalog(apps=AIRLINE.apps[::-1]), shuffled))


@given(team=st.text(min_size=1), name=st.text(min_size=1), channel=st.text(min_size=1))
def test_any_text_survives_the_yaml(team: str, name: str, channel: str) -> None:
    """A YAML reader gets back every character of the data."""
    config = _config(catalog(app("a", team, page=name)), workspace(slack(name, channel)))
    assert config == yaml.safe_load(render(config))


@pytest.mark.parametrize("text", ["1.10", "no", "0x10", "12:30:00", "null", "~", "2026-01-01"])
def test_text_that_yaml_takes_for_something_else_stays_text(text: str) -> None:
    """Names that look like numbers, times or nothing are quoted."""
    config = _config(catalog(app("a", "t", page=text)), workspace(pager(text)))
    assert config == yaml.safe_load(render(config))


def test_matchers_escape_backslashes_before_quotes_and_line_ends() -> None:
    """No escape is escaped again."""
    assert r'team="a\\\"b\nc"' == equals("team", 'a\\"b\nc')


def test_a_receiver_named_default_takes_the_place_of_the_silent_one() -> None:
    """The workspace decides who hears of the rest."""
    config = _config(catalog(), workspace(slack("default", "#all")))
    assert ["default"] == [each["name"] for each in config["receivers"]]
    assert "slack_configs" in config["receivers"][0]


def test_without_receivers_everything_goes_to_a_silent_default() -> None:
    """Contacts that lead nowhere leave no trace."""
    config = _config(AIRLINE, workspace())
    assert [{"name": "default"}] == config["receivers"]
    assert "pagerduty" not in render(config)


def test_an_address_is_mailed_through_the_workspaces_mail_server() -> None:
    """Only the address differs from the email receiver."""
    config = _config(catalog(app("a", "t", email="a@example.com")), workspace(mail()))
    own = next(each for each in config["receivers"] if each["name"] == "mailto:a@example.com")
    (integration,) = own["email_configs"]
    assert ("a@example.com", "mail.example.com:587", "/run/secrets/smtp") == (
        integration["to"],
        integration["smarthost"],
        integration["auth_password_file"],
    )


def test_an_address_that_no_ticket_goes_to_makes_no_receiver() -> None:
    """The ticket contact comes before the address."""
    apps = catalog(app("a", "t", ticket="mail", email="a@example.com"))
    config = _config(apps, workspace(mail()))
    assert ["default", "mail"] == [each["name"] for each in config["receivers"]]


def test_an_app_that_has_its_teams_contacts_is_not_named() -> None:
    """Routes name apps only where they differ."""
    apps = catalog(app("one", "t", page="p"), app("two", "t", page="p"))
    assert 'app="' not in render(_config(apps, workspace(pager("p"))))


def test_every_kind_has_its_message() -> None:
    """A kind added to the table must get its message."""
    assert set(RECEIVER_KINDS) == set(_MESSAGES)


def test_settings_become_the_fields_and_types_that_alertmanager_knows() -> None:
    """Numbers and flags are no text in the file."""
    telegram = _receiver(receiver("t", "telegram", botTokenFile="/run/t", chatId="-100"))
    assert ("telegram_configs", "/run/t", -100) == (
        telegram["section"],
        telegram["bot_token_file"],
        telegram["chat_id"],
    )
    email = _receiver(
        receiver("e", "email", to="a@b.c", from_="d@e.f", smarthost="h:25", requireTls="false")
    )
    assert email["require_tls"] is False


def test_teams_uses_the_integration_that_microsoft_still_serves() -> None:
    """The plain integration posts to retired connectors."""
    teams = _receiver(receiver("m", "msteams", webhookUrlFile="/run/m"))
    assert "msteamsv2_configs" == teams["section"]


def test_a_webhooks_token_is_read_from_its_file() -> None:
    """Alertmanager 0.25 can read this secret from a file."""
    hook = _receiver(receiver("h", "webhook", url="https://h.example.com", bearerTokenFile="/t"))
    authorization = {"type": "Bearer", "credentials_file": "/t"}
    assert {"authorization": authorization} == hook["http_config"]


def test_every_receiver_tells_when_it_is_over() -> None:
    """Some integrations keep quiet about that by default."""
    config = _config(AIRLINE, AIRLINE_WORKSPACE)
    integrations = [
        integration
        for each in config["receivers"]
        for section, listed in each.items()
        if section != "name"
        for integration in listed
    ]
    assert integrations
    assert all(integration["send_resolved"] is True for integration in integrations)


def test_the_airline_is_told_of_the_team_that_nobody_hears() -> None:
    """Its other teams have receivers and are not mentioned."""
    message = (
        'no app of team "office" names a receiver: alerts of intranet go to the default '
        "receiver, which tells nobody"
    )
    expected = [("alertmanager/no-receiver", Severity.WARNING, message)]
    assert expected == _found(AIRLINE, AIRLINE_WORKSPACE)


def test_a_team_that_falls_to_a_receiver_named_default_is_a_note() -> None:
    """Somebody hears of it, so nothing is wrong."""
    found = _found(catalog(app("a", "t")), workspace(slack("default", "#all")))
    message = 'no app of team "t" names a receiver: alerts of a go to the default receiver'
    assert [("alertmanager/no-receiver", Severity.NOTE, message)] == found


def test_a_misspelt_contact_is_an_error_that_names_the_receiver_meant() -> None:
    """The team is not reported once more as silent."""
    apps = catalog(app("ticketing", "bookings", page="pagerduty-bokings"))
    message = (
        'the page contact of ticketing names the receiver "pagerduty-bokings", which the '
        'workspace does not have; did you mean "pagerduty-bookings"?'
    )
    expected = [("alertmanager/unknown-receiver", Severity.ERROR, message)]
    assert expected == _found(apps, workspace(pager("pagerduty-bookings")))


def test_a_problem_with_a_contact_stands_where_the_contact_does() -> None:
    """The name is what has to be corrected, not the application's."""
    text = (
        "apiVersion: headroom/v1\nkind: App\nmetadata: {name: one, team: t}\nspec:\n"
        "  contacts: {page: p, ticket: nobody, email: one@example.com}\n"
        "---\n"
        "apiVersion: headroom/v1\nkind: App\nmetadata: {name: two, team: t}\nspec:\n"
        "  contacts: {page: p, email: two@example.com}\n"
    )
    file = SourceFile(name="apps.yaml", text=text)
    loaded = load_catalog([file], workspace().defaults)
    found = problems(loaded.catalog, workspace(pager("p")))

    assert [
        ("alertmanager/unknown-receiver", "apps.yaml:5:31"),
        ("alertmanager/no-mail-server", "apps.yaml:11:30"),
    ] == [(each.id, each.span and each.span.location) for each in found]


def test_a_workspace_without_receivers_is_one_warning_for_all_apps() -> None:
    """An app file alone is enough to begin with."""
    apps = catalog(*(app(f"app-{i}", f"team-{i}", page="nobody") for i in range(20)))
    assert [("alertmanager/no-receiver", Severity.WARNING)] == [
        found[:2] for found in _found(apps, workspace())
    ]


def test_an_address_without_a_mail_server_is_a_note() -> None:
    """Its tickets still reach the pager."""
    apps = catalog(app("a", "t", page="p", email="a@example.com"))
    message = 'tickets of a are not mailed to "a@example.com"'
    expected = [("alertmanager/no-mail-server", Severity.NOTE, message)]
    assert expected == _found(apps, workspace(pager("p")))


def test_problems_of_receivers_are_reported_with_those_of_contacts() -> None:
    """All at once, and without the secret."""
    broken = receiver("p", "pagerduty", routingKey="s3cr3t")
    found = _found(catalog(app("a", "t", page="q")), workspace(broken))
    assert ["alertmanager/inline-secret", "alertmanager/unknown-receiver"] == [
        identity for identity, _, _ in found
    ]
    assert "s3cr3t" not in str(found)
