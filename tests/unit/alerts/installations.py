"""Small installations for tests of the Alertmanager configuration."""

from collections.abc import Mapping

from slo.model import App, Catalog, Contacts, Environment
from slo.units import Duration
from slo.windows import Catalogue
from slo.workspace import Defaults, Receiver, Workspace


def app(
    name: str,
    team: str,
    *,
    page: str | None = None,
    ticket: str | None = None,
    chat: str | None = None,
    email: str | None = None,
) -> App:
    """Return an application whose contacts are the keywords."""
    environment = Environment(name="prod", clusters=(), slos=())
    return App(
        name=name,
        team=team,
        title=name.title(),
        environments=(environment,),
        contacts=Contacts(page=page, ticket=ticket, chat=chat, email=email),
    )


def catalog(*apps: App) -> Catalog:
    """Return a catalog, sorted as the loader sorts it."""
    return Catalog(apps=tuple(sorted(apps, key=lambda each: each.name)))


def receiver(name: str, kind: str, **settings: str) -> Receiver:
    """Return a receiver whose settings are the keywords; a final underscore is dropped."""
    return Receiver(
        name=name,
        kind=kind,
        settings={key.rstrip("_"): value for key, value in settings.items()},
    )


def workspace(*receivers: Receiver) -> Workspace:
    """Return a workspace of these receivers."""
    defaults = Defaults(
        window=Duration.parse("30d"),
        scrape_interval=Duration.parse("30s"),
        catalogue=Catalogue(pairs=()),
    )
    return Workspace(defaults=defaults, receivers=receivers)


def pager(name: str) -> Receiver:
    """Return a pagerduty receiver."""
    return receiver(name, "pagerduty", routingKeyFile=f"/run/secrets/{name}")


def slack(name: str, channel: str) -> Receiver:
    """Return a slack receiver."""
    return receiver(name, "slack", apiUrlFile="/run/secrets/slack", channel=channel)


def mail() -> Receiver:
    """Return an email receiver that logs in."""
    return receiver(
        "mail",
        "email",
        to="sre@example.com",
        from_="headroom@example.com",
        smarthost="mail.example.com:587",
        authUsername="headroom",
        authPasswordFile="/run/secrets/smtp",
    )


AIRLINE = catalog(
    app("ticketing", "bookings", page="pagerduty-bookings", email="bookings@example.com"),
    app("seatmap", "bookings", page="pagerduty-bookings", email="bookings@example.com"),
    app("loyalty", "bookings"),
    app("refunds", "bookings", page="pagerduty-refunds", ticket="slack-refunds"),
    app("cargo", "freight", page="pagerduty-freight"),
    app("customs", "freight", ticket="slack-customs"),
    app("intranet", "office"),
)
"""Apps with their team's contacts, with their own, with some and with none."""

AIRLINE_WORKSPACE = workspace(
    pager("pagerduty-bookings"),
    pager("pagerduty-refunds"),
    pager("pagerduty-freight"),
    slack("slack-refunds", "#refunds"),
    slack("slack-customs", "#customs"),
    mail(),
    receiver(
        "audit", "webhook", url="https://audit.example.com/alerts", bearerTokenFile="/run/audit"
    ),
)
"""The receivers that the airline's apps name, and two that nobody names."""

AIRLINE_ROUTES: Mapping[str, tuple[str, str]] = {
    "ticketing": ("pagerduty-bookings", "mailto:bookings@example.com"),
    "seatmap": ("pagerduty-bookings", "mailto:bookings@example.com"),
    "loyalty": ("pagerduty-bookings", "mailto:bookings@example.com"),
    "refunds": ("pagerduty-refunds", "slack-refunds"),
    "cargo": ("pagerduty-freight", "pagerduty-freight"),
    "customs": ("pagerduty-freight", "slack-customs"),
    "intranet": ("default", "default"),
}
"""Where each app's page and ticket must arrive."""
