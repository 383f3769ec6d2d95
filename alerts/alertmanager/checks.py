"""What is wrong between the contacts of applications and the receivers of the workspace."""

from collections.abc import Iterator

from alerts.alertmanager.destinations import DEFAULT_RECEIVER, AddressBook, Directory, Team
from slo.model import App, Catalog
from slo.printable import quote
from slo.problems import Problem, Severity, error, in_order, warning
from slo.receivers import receiver_problems
from slo.suggest import did_you_mean
from slo.workspace import Workspace

_LISTED = 5


def problems(catalog: Catalog, workspace: Workspace) -> tuple[Problem, ...]:
    """Return what keeps alerts from the people who should hear of them, in order."""
    receivers = [
        problem
        for each in workspace.receivers
        for problem in receiver_problems(each.name, each.kind, each.settings)
    ]
    if not workspace.receivers:
        return (_no_receivers(),) if catalog.apps else ()
    book = AddressBook.of(workspace)
    contacts = [problem for app in catalog.apps for problem in _contacts(app, book)]
    # A team whose contacts are misspelt has been told so.
    told = {app.team for app in catalog.apps if any(_misspelt(app, book))}
    teams = [
        _silent(team, catalog, book)
        for team in Directory.of(catalog, workspace).teams
        if team.usual.ticket is None and team.name not in told
    ]
    return in_order([*receivers, *contacts, *teams])


def _no_receivers() -> Problem:
    return warning(
        "alertmanager/no-receiver",
        "the workspace has no receivers, so Alertmanager tells nobody of any alert",
        hint="add receivers to the workspace file and name them under contacts of each app",
    )


def _misspelt(app: App, book: AddressBook) -> Iterator[tuple[str, str]]:
    for role, name in (("page", app.contacts.page), ("ticket", app.contacts.ticket)):
        if name is not None and book.named(name) is None:
            yield role, name


def _contacts(app: App, book: AddressBook) -> Iterator[Problem]:
    for role, name in _misspelt(app, book):
        yield error(
            "alertmanager/unknown-receiver",
            f"the {role} contact of {app.name} names the receiver {quote(name)}, "
            f"which the workspace does not have{did_you_mean(name, book.receivers)}",
            app.contacts.spans.get(role, app.span),
            hint=f"its receivers are {_listed(sorted(book.receivers))}",
        )
    address = app.contacts.email
    if address is not None and app.contacts.ticket is None and book.mailbox(address) is None:
        yield Problem(
            id="alertmanager/no-mail-server",
            severity=Severity.NOTE,
            message=f"tickets of {app.name} are not mailed to {quote(address)}",
            span=app.contacts.spans.get("email", app.span),
            hint="the workspace needs one email receiver, whose mail server is then used",
        )


def _silent(team: Team, catalog: Catalog, book: AddressBook) -> Problem:
    apps = [app for app in catalog.apps if app.team == team.name]
    has_default = DEFAULT_RECEIVER in book.receivers
    return Problem(
        id="alertmanager/no-receiver",
        severity=Severity.NOTE if has_default else Severity.WARNING,
        message=f"no app of team {quote(team.name)} names a receiver: alerts of "
        f"{_listed([app.name for app in apps])} go to the default receiver"
        f"{'' if has_default else ', which tells nobody'}",
        span=apps[0].span,
        hint="name receivers of the workspace under contacts",
    )


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"
