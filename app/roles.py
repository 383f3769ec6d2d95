"""Who somebody is to an installation: the roles file, and the scope of one request.

People are signed in by a proxy, which names them and their groups in headers. Those mean something
only when they come from the proxy's own addresses. Who has no role sees nothing: roles are given,
never assumed. A roles file looks like this::

    roles:
      - {role: admin, groups: [platform]}
      - {role: sre, groups: [on-call], environments: [prod]}
      - {role: developer, groups: [bookings, cargo]}
      - {role: viewer, people: [ana@example.com], apps: [ticketing]}

An entry is for its people and groups. It gives the apps it names and those of the teams it names;
a developer's entry without either gives the apps of the teams that are called as the developer's
groups; any other one gives all apps. Who fits several entries gets the first one in the file, and
the apps of those after it that give the same role in the same environments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from app.access import OPEN, Forbidden, Role, Scope
from app.project import Project
from slo.errors import SpecError, UsageError
from slo.loader.documents import SourceFile
from slo.loader.leaves import NAME
from slo.model import Catalog
from slo.printable import printable, quote
from slo.problems import Problem, Span, error, has_errors, in_order, warning
from slo.records import dataclass
from slo.serving import Serving, TrustedProxy
from slo.shape import UNREADABLE, Choice, Field, Fields, ListOf, Record, Text
from slo.source import parse_documents
from slo.suggest import did_you_mean

_WORDS = ListOf(shape=Text(max_length=256, literal=True), min_items=1, max_items=1000, unique=True)
_NAMES = ListOf(shape=NAME, min_items=1, max_items=1000, unique=True)

GRANT = Record(
    description="A role, whose it is, and what it lets them see.",
    fields={
        "role": Field(shape=Choice(choices=tuple(Role)), required=True, description="The role."),
        "people": Field(shape=_WORDS, description="People as the proxy names them."),
        "groups": Field(shape=_WORDS, description="Groups as the proxy names them."),
        "apps": Field(shape=_NAMES, description="The apps they see."),
        "teams": Field(shape=_WORDS, description="The teams whose apps they see."),
        "environments": Field(shape=_NAMES, description="The environments; without it all."),
    },
    at_least_one_of=(("people", "groups"),),
)

ROLES = Record(
    description="Who may see what.",
    fields={
        "roles": Field(
            shape=ListOf(shape=GRANT, min_items=1, max_items=1000),
            required=True,
            description="The roles that are given; the first that fits somebody counts.",
        )
    },
)
"""A whole roles file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One entry of a roles file; ``environments`` ``None`` means all."""

    role: Role
    people: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    apps: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    environments: frozenset[str] | None = None

    def fits(self, user: str, groups: Iterable[str]) -> bool:
        """Whether somebody is meant."""
        return user in self.people or not self.groups.isdisjoint(groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Every role that is given, and the applications of each team."""

    grants: tuple[Grant, ...] = ()
    teams: Mapping[str, frozenset[str]]

    def scope(self, user: str, groups: frozenset[str]) -> Scope | None:
        """What somebody may see; ``None`` for those without a role."""
        fitting = [grant for grant in self.grants if grant.fits(user, groups)]
        if not fitting:
            return None
        first = fitting[0]
        # A scope has one role and one set of environments: others would say too much together.
        alike = [
            self._apps(grant, groups)
            for grant in fitting
            if (grant.role, grant.environments) == (first.role, first.environments)
        ]
        limited = [apps for apps in alike if apps is not None]
        return Scope(
            user=user,
            role=first.role,
            apps=frozenset().union(*limited) if len(limited) == len(alike) else None,
            environments=first.environments,
        )

    def _apps(self, grant: Grant, groups: frozenset[str]) -> frozenset[str] | None:
        if grant.apps or grant.teams:
            return grant.apps | self._of_teams(grant.teams)
        return self._of_teams(groups) if grant.role is Role.DEVELOPER else None

    def _of_teams(self, teams: Iterable[str]) -> frozenset[str]:
        return frozenset(app for team in teams for app in self.teams.get(team, ()))


def load_roles(file: SourceFile, catalog: Catalog) -> tuple[Roles | None, tuple[Problem, ...]]:
    """Read a roles file; without a model when a problem is an error. Never raises.

    Apps, teams and environments that the catalogue lacks are warnings: an app that goes must not
    lock everybody out.
    """
    documents, syntax = parse_documents(file.text, file.name)
    problems = list(syntax)
    if len(documents) != 1 and not has_errors(problems):
        message = f"a roles file is one document, and this file has {len(documents)}"
        problems.append(error("spec/no-document", message, Span.at(file.name)))
    fields = ROLES.read(documents[0].root, problems) if documents else UNREADABLE
    if fields is UNREADABLE or has_errors(problems):
        return None, in_order(problems)
    _check_known(fields, catalog, problems)
    grants = tuple(_grant(each) for each in fields.each("roles", Fields))
    return Roles(grants=grants, teams=_teams(catalog)), in_order(problems)


def read_roles(project: Project) -> Roles:
    """Read the roles file that the workspace names; without one nobody has a role.

    Raises ``UsageError`` for a file that cannot be read and ``SpecError`` for one with an error.
    """
    named = project.workspace.serving.roles
    if named is None:
        return Roles(teams={})
    path = project.path(named)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        reason = getattr(cause, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"the roles file {named} cannot be read: {reason}") from cause
    roles, problems = load_roles(SourceFile(name=named, text=text), project.catalog)
    if roles is None:
        raise SpecError(problems)
    return roles


def scope_of(
    serving: Serving, roles: Roles, headers: Mapping[str, str], client_address: str | None
) -> Scope:
    """What the sender of a request may see.

    Everything where no proxy is configured. Otherwise raises ``Forbidden`` for a request that did
    not come from the proxy, that names nobody or somebody twice, and for somebody without a role.
    ``headers`` may have any case; a mapping whose ``items`` repeat a name shows both.
    """
    proxy = serving.trusted_proxy
    if proxy is None:
        return OPEN
    if not is_from(proxy, client_address):
        raise Forbidden(
            f"nobody is signed in: the request came from {client_address or 'no address'}, "
            "which is not the proxy that signs people in"
        )
    users = _values(headers, proxy.user_header)
    if len(users) != 1:
        how = "does not say who asks" if not users else "says more than once who asks"
        raise Forbidden(f"nobody is signed in: the proxy {how} in {proxy.user_header}")
    listed = () if proxy.groups_header is None else _values(headers, proxy.groups_header)
    groups = frozenset(name for text in listed for name in _split(text))
    scope = roles.scope(users[0], groups)
    if scope is None:
        raise Forbidden(
            f"{printable(users[0])} has no role here, and so sees nothing; an administrator can "
            "give one in the roles file"
        )
    if scope.apps is not None and not scope.apps:
        raise Forbidden(
            f"{printable(users[0])} is a {scope.role} of no app: no team is called as one of "
            "their groups, and the roles file names none for them"
        )
    return scope


def is_from(proxy: TrustedProxy, client_address: str | None) -> bool:
    """Whether an address is one the proxy speaks from; these may be networks such as 10.0.0.0/8."""
    client = _address(client_address)
    return client is not None and any(_holds(text, client) for text in proxy.addresses)


def _holds(text: str, client: IPv4Address | IPv6Address) -> bool:
    try:
        return client in ip_network(text, strict=False)
    except ValueError:
        return False


def _address(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text or "")
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _values(headers: Mapping[str, str], name: str) -> list[str]:
    wanted = name.lower()
    found = (value.strip() for key, value in headers.items() if key.lower() == wanted)
    return [value for value in found if value]


def _split(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _grant(fields: Fields) -> Grant:
    environments = fields.each("environments", str)
    return Grant(
        role=Role(fields.need("role", str)),
        people=frozenset(fields.each("people", str)),
        groups=frozenset(fields.each("groups", str)),
        apps=frozenset(fields.each("apps", str)),
        teams=frozenset(fields.each("teams", str)),
        environments=frozenset(environments) or None,
    )


def _teams(catalog: Catalog) -> dict[str, frozenset[str]]:
    teams = dict.fromkeys(app.team for app in catalog.apps)
    return {team: frozenset(app.name for app in catalog.apps if app.team == team) for team in teams}


def _check_known(fields: Fields, catalog: Catalog, problems: list[Problem]) -> None:
    known: dict[str, Sequence[str]] = {
        "apps": [app.name for app in catalog.apps],
        "teams": sorted(_teams(catalog)),
        "environments": sorted({env.name for app in catalog.apps for env in app.environments}),
    }
    for grant in fields.each("roles", Fields):
        for key, names in known.items():
            for item in grant.items(key, str):
                if item.value not in names:
                    what = f"there is no {key.removesuffix('s')} {quote(item.value)}"
                    message = f"{what}{did_you_mean(item.value, names)}"
                    problems.append(warning("spec/bad-choice", message, item.span))
