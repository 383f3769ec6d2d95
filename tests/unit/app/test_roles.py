"""Who may see what: a strict file, a trusted proxy, and nothing without a role."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from starlette.datastructures import Headers

from app.access import OPEN, Forbidden, Role, Scope
from app.project import open_project
from app.roles import Roles, load_roles, read_roles, scope_of
from slo.errors import SpecError, UsageError
from slo.loader import SourceFile, built_in_defaults, load_catalog
from slo.model import Catalog
from slo.problems import Severity
from slo.serving import Serving, TrustedProxy

FILE = """\
roles:
  - {role: admin, groups: [platform]}
  - {role: sre, groups: [on-call], environments: [prod]}
  - {role: developer, groups: [bookings, freight, newcomers]}
  - {role: developer, people: [dan@example.com], teams: [freight], apps: [crew]}
  - {role: viewer, people: [vera@example.com], apps: [ticketing]}
  - {role: viewer, groups: [everybody], environments: [staging]}
"""
PROXY = TrustedProxy(user_header="X-Forwarded-User", groups_header="X-Forwarded-Groups")
SERVING = Serving(trusted_proxy=PROXY, roles="roles.yaml")


def app_file(name: str, team: str) -> SourceFile:
    text = f"""\
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: {team}}}
spec:
  environments: [{{name: prod, match: {{env: prod}}}}, {{name: staging, match: {{env: staging}}}}]
  slos: [{{name: up, objective: 99, indicator: {{events: {{total: a, bad: b}}}}}}]
"""
    return SourceFile(name=f"{name}.yaml", text=text)


def catalog() -> Catalog:
    files = [app_file(*each) for each in (("ticketing", "bookings"), ("loyalty", "bookings"))]
    files += [app_file("cargo", "freight"), app_file("crew", "ops")]
    return load_catalog(files, built_in_defaults()).catalog


def roles(text: str = FILE) -> Roles:
    found, problems = load_roles(SourceFile(name="roles.yaml", text=text), catalog())
    assert found is not None, problems
    return found


def scope(user: str, groups: str = "", *, of: Roles | None = None) -> Scope:
    headers = {"x-forwarded-user": user, "x-forwarded-groups": groups}
    return scope_of(SERVING, of or roles(), headers, "127.0.0.1")


def test_without_a_proxy_everybody_sees_everything_and_that_is_said() -> None:
    assert OPEN == scope_of(Serving(), Roles(teams={}), {}, "203.0.113.9")
    assert OPEN.open


@pytest.mark.parametrize(
    ("user", "groups", "expected"),
    [
        ("ada", "platform", Scope(user="ada", role=Role.ADMIN)),
        ("sam", "on-call", Scope(user="sam", role=Role.SRE, environments=frozenset({"prod"}))),
        (
            "ben",
            "bookings",
            Scope(user="ben", role=Role.DEVELOPER, apps=frozenset({"ticketing", "loyalty"})),
        ),
        (
            "ben",
            "bookings, freight",
            Scope(
                user="ben",
                role=Role.DEVELOPER,
                apps=frozenset({"ticketing", "loyalty", "cargo"}),
            ),
        ),
        (
            "dan@example.com",
            "",
            Scope(user="dan@example.com", role=Role.DEVELOPER, apps=frozenset({"cargo", "crew"})),
        ),
        (
            "vera@example.com",
            "",
            Scope(user="vera@example.com", apps=frozenset({"ticketing"})),
        ),
    ],
    ids=["admin", "sre", "own team", "two teams", "named teams and apps", "named apps"],
)
def test_a_role_gives_what_its_entry_says(user: str, groups: str, expected: Scope) -> None:
    assert expected == scope(user, groups)


def test_entries_of_the_same_role_add_up() -> None:
    """Ben's own team, and what the file gives him besides."""
    found = scope("dan@example.com", "bookings")

    assert frozenset({"ticketing", "loyalty", "cargo", "crew"}) == found.apps


def test_the_first_entry_counts_where_two_say_different_things() -> None:
    """All apps in staging and two apps everywhere are not all apps everywhere."""
    found = scope("ben", "bookings,everybody")

    assert (Role.DEVELOPER, frozenset({"ticketing", "loyalty"}), None) == (
        found.role,
        found.apps,
        found.environments,
    )
    assert not found.sees("crew", "prod")


def test_who_has_no_role_sees_nothing_and_is_told() -> None:
    with pytest.raises(Forbidden, match="eve has no role here, and so sees nothing"):
        scope("eve", "strangers")


def test_without_a_roles_file_nobody_has_a_role() -> None:
    with pytest.raises(Forbidden, match="ada has no role here"):
        scope("ada", "platform", of=Roles(teams={}))


def test_a_developer_of_no_team_is_told_so() -> None:
    with pytest.raises(Forbidden, match="nell is a developer of no app"):
        scope("nell", "newcomers")


def test_an_app_that_is_new_in_a_team_is_seen_without_a_change_of_the_file() -> None:
    wider = Catalog(
        apps=(
            *catalog().apps,
            *load_catalog([app_file("fares", "bookings")], built_in_defaults()).catalog.apps,
        )
    )
    found, _ = load_roles(SourceFile(name="roles.yaml", text=FILE), wider)
    assert found is not None

    assert scope("ben", "bookings", of=found).sees("fares")


@pytest.mark.parametrize(
    "address", ["203.0.113.9", "10.0.0.1", None, "", "localhost", "127.0.0.1.evil", "::2"]
)
def test_the_headers_mean_nothing_from_anywhere_but_the_proxy(address: str | None) -> None:
    with pytest.raises(Forbidden, match="nobody is signed in: the request came from"):
        scope_of(SERVING, roles(), {"X-Forwarded-User": "ada"}, address)


@pytest.mark.parametrize(
    ("addresses", "client"),
    [
        (("10.1.0.0/16",), "10.1.2.3"),
        (("192.0.2.7",), "192.0.2.7"),
        (("192.0.2.7",), "::ffff:192.0.2.7"),
        (("2001:db8::/32",), "2001:db8::5"),
        (("no address", "::1"), "::1"),
    ],
)
def test_the_proxy_may_speak_from_a_network(addresses: tuple[str, ...], client: str) -> None:
    serving = Serving(
        trusted_proxy=TrustedProxy(
            user_header="X-Forwarded-User", groups_header="Groups", addresses=addresses
        )
    )
    headers = {"X-Forwarded-User": "ada", "Groups": "platform"}

    assert Role.ADMIN == scope_of(serving, roles(), headers, client).role


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-User": "  "}, {"X-Other": "ada"}])
def test_a_request_that_names_nobody_is_nobodys(headers: Mapping[str, str]) -> None:
    with pytest.raises(Forbidden, match="does not say who asks in X-Forwarded-User"):
        scope_of(SERVING, roles(), headers, "127.0.0.1")


def test_a_user_header_that_comes_twice_is_not_believed() -> None:
    """A proxy that adds its header to the visitor's own would let anybody be anybody."""
    headers = Headers(raw=[(b"x-forwarded-user", b"eve"), (b"x-forwarded-user", b"ada")])

    with pytest.raises(Forbidden, match="says more than once who asks"):
        scope_of(SERVING, roles(), headers, "127.0.0.1")


def test_groups_mean_nothing_where_the_proxy_names_none() -> None:
    serving = Serving(trusted_proxy=TrustedProxy(user_header="X-Forwarded-User"))
    headers = {"X-Forwarded-User": "eve", "X-Forwarded-Groups": "platform"}

    with pytest.raises(Forbidden, match="eve has no role"):
        scope_of(serving, roles(), headers, "127.0.0.1")


def test_a_name_is_shown_without_its_control_characters() -> None:
    with pytest.raises(Forbidden) as caught:
        scope("eve\x1b[31m")

    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "id_", "line"),
    [
        ("roles:\n  - {role: king, people: [a]}\n", "spec/bad-choice", 2),
        ("roles:\n  - {role: admin}\n", "spec/missing-key", 2),
        ("roles:\n  - {role: admin, peple: [a]}\n", "spec/unknown-key", 2),
        ("roles:\n  - {people: [a]}\n", "spec/missing-key", 2),
        ("roles: []\n", "spec/too-few-items", 1),
        ("roles:\n  - {role: viewer, people: [a], apps: []}\n", "spec/too-few-items", 2),
        ("roles:\n  - {role: viewer, people: []}\n", "spec/too-few-items", 2),
        ("roles:\n  - {role: viewer, people: [a, a]}\n", "spec/duplicate-item", 2),
        ("roles:\n  - {role: viewer, people: a}\n", "spec/wrong-type", 2),
        ("roles:\n  - role: viewer\n    role: admin\n    people: [a]\n", "yaml/duplicate-key", 3),
        ("", "spec/no-document", 1),
        ("a: 1\n---\nb: 2\n", "spec/no-document", 1),
        ("roles: [\n", "yaml/syntax", 2),
    ],
)
def test_a_file_with_a_mistake_is_refused_at_its_place(text: str, id_: str, line: int) -> None:
    found, problems = load_roles(SourceFile(name="roles.yaml", text=text), catalog())

    assert found is None
    assert (id_, line) in [(each.id, each.span.line) for each in problems if each.span is not None]


def test_an_app_that_has_gone_is_a_warning_and_locks_nobody_out() -> None:
    text = "roles:\n  - {role: viewer, people: [a], apps: [ticketting], teams: [nobody]}\n"

    found, problems = load_roles(SourceFile(name="roles.yaml", text=text), catalog())

    assert found is not None
    assert {Severity.WARNING} == {each.severity for each in problems}
    assert 'there is no app "ticketting"; did you mean "ticketing"?' == problems[0].message
    assert (2, 40) == (problems[0].span and (problems[0].span.line, problems[0].span.column))


def workspace(folder: Path, *, text: str | None) -> None:
    (folder / "headroom.yaml").write_text(
        "apiVersion: headroom/v1\nkind: Workspace\nmetadata: {name: test}\nspec:\n"
        "  serve: {roles: roles.yaml, trustedProxy: {userHeader: X-User}}\n"
    )
    (folder / "app.yaml").write_text(app_file("ticketing", "bookings").text)
    if text is not None:
        (folder / "roles.yaml").write_text(text)


def test_the_file_is_found_beside_the_workspace_and_read_each_time(tmp_path: Path) -> None:
    """Who loses a role loses it at once."""
    workspace(tmp_path, text="roles:\n  - {role: admin, people: [ada]}\n")
    project = open_project([str(tmp_path)], environment={})
    before = read_roles(project)
    (tmp_path / "roles.yaml").write_text("roles:\n  - {role: viewer, people: [ada]}\n")

    after = read_roles(project)

    assert (Role.ADMIN, Role.VIEWER) == (before.grants[0].role, after.grants[0].role)


def test_a_file_that_is_missing_or_wrong_is_an_error_and_opens_nothing(tmp_path: Path) -> None:
    workspace(tmp_path, text=None)
    project = open_project([str(tmp_path)], environment={}, strict=False)
    with pytest.raises(UsageError, match=r"roles file roles\.yaml cannot be read"):
        read_roles(project)
    (tmp_path / "roles.yaml").write_text("roles: [}")
    with pytest.raises(SpecError):
        read_roles(project)
