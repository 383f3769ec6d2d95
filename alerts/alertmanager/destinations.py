"""Who hears of what: the receiver of each team and application, by severity."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from slo.model import AlertSeverity, App, Catalog, Contacts
from slo.records import dataclass
from slo.workspace import Receiver, Workspace

DEFAULT_RECEIVER = "default"
"""The receiver of alerts that nobody else wants; without settings it tells nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The names of the receivers for each severity; None where there is none."""

    page: str | None
    ticket: str | None

    def of(self, severity: AlertSeverity) -> str | None:
        """Return the receiver of a severity."""
        return self.page if severity is AlertSeverity.PAGE else self.ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team's usual destination and, by name, those of all its applications."""

    name: str
    usual: Destination
    apps: Mapping[str, Destination]

    def exceptions(self, severity: AlertSeverity) -> Mapping[str, str]:
        """Return the receivers, by application, that differ from the team's usual one."""
        usual = self.usual.of(severity)
        own = {name: destination.of(severity) for name, destination in self.apps.items()}
        return {name: to for name, to in own.items() if to is not None and to != usual}


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """The receivers of an installation, sorted by name, and the teams that use them."""

    receivers: tuple[Receiver, ...]
    teams: tuple[Team, ...]

    @classmethod
    def of(cls, catalog: Catalog, workspace: Workspace) -> Directory:
        """Return the directory of a catalog; addresses that tickets go to become receivers."""
        book = AddressBook.of(workspace)
        members: defaultdict[str, list[App]] = defaultdict(list)
        for app in catalog.apps:
            members[app.team].append(app)
        teams = tuple(_team(name, members[name], book) for name in sorted(members))
        used = {
            name
            for team in teams
            for destination in team.apps.values()
            for name in (destination.page, destination.ticket)
        }
        mailboxes = (book.mailbox(app.contacts.email) for app in catalog.apps if app.contacts.email)
        made = {box.name: box for box in mailboxes if box is not None and box.name in used}
        every = {**made, **book.receivers}
        return cls(receivers=tuple(every[name] for name in sorted(every)), teams=teams)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressBook:
    """What a contact may name: the workspace's receivers, and addresses if one can send mail."""

    receivers: Mapping[str, Receiver]
    mail_server: Receiver | None

    @classmethod
    def of(cls, workspace: Workspace) -> AddressBook:
        """Return the address book; the first email receiver by name sends to any address."""
        receivers = {each.name: each for each in workspace.receivers}
        servers = (receivers[name] for name in sorted(receivers))
        return cls(
            receivers=MappingProxyType(receivers),
            mail_server=next((each for each in servers if each.kind == "email"), None),
        )

    def named(self, contact: str | None) -> str | None:
        """Return the receiver that a contact names, or None if there is no such receiver."""
        return contact if contact in self.receivers else None

    def mailbox(self, address: str) -> Receiver | None:
        """Return the receiver that mails an address, or None if nothing can."""
        name = f"mailto:{address}"
        for known in (address, name):
            if known in self.receivers:
                return self.receivers[known]
        if self.mail_server is None:
            return None
        settings = {**self.mail_server.settings, "to": address}
        return replace(self.mail_server, name=name, settings=settings)

    def own(self, contacts: Contacts) -> Destination:
        """Return where an application's own contacts lead.

        Tickets go to the ticket contact, else to the mail address, else to whoever is paged.
        """
        page = self.named(contacts.page)
        box = None if contacts.email is None else self.mailbox(contacts.email)
        mail = None if box is None else box.name
        return Destination(page=page, ticket=self.named(contacts.ticket) or mail or page)


def _team(name: str, apps: Iterable[App], book: AddressBook) -> Team:
    own = {app.name: book.own(app.contacts) for app in apps}
    pager = _most_common(destination.page for destination in own.values())
    tickets = _most_common(destination.ticket for destination in own.values())
    return Team(
        name=name,
        usual=Destination(page=pager or tickets, ticket=tickets),
        apps={
            app: Destination(
                # A page wakes the team before it lands among somebody's tickets.
                page=destination.page or pager or destination.ticket or tickets,
                ticket=destination.ticket or tickets,
            )
            for app, destination in sorted(own.items())
        },
    )


def _most_common(names: Iterable[str | None]) -> str | None:
    counts = Counter(name for name in names if name is not None)
    return min(counts, key=lambda name: (-counts[name], name), default=None)
