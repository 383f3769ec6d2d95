"""Publishing to a ruler's store, on a loopback server that keeps the documented contract."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from app.cli.commands import Command
from app.publishing import PublishRefusedError, publisher, read_rules
from slo.errors import PublishError
from slo.publishing import MimirRuler, RulerFlavor
from tests.cli.fakes.terminals import call
from tests.servers.ruler import Ruler, serving
from tests.unit.app.publishing import PATH, generated, rules_in, rules_text, server_at, wait

NAMESPACE = "headroom.prod.ticketing"
TENANT = "shop"


@pytest.fixture
def ruler() -> Iterator[Ruler]:
    """A ruler without any rules."""
    with serving(Ruler()) as running:
        yield running


def _target(ruler: Ruler, **settings: str) -> MimirRuler:
    return MimirRuler(server=server_at(ruler.url, tenant=TENANT), **settings)  # type: ignore[arg-type]  # the prefix


def _expressions(ruler: Ruler) -> dict[str, str]:
    found = ruler.groups(TENANT)
    return {f"{ns}: {name}": group["rules"][0]["expr"] for (ns, name), group in found.items()}


def _theirs(ruler: Ruler) -> None:
    group = {"name": "theirs", "rules": [{"record": "x", "expr": "vector(1)"}]}
    ruler.stored[TENANT, "payments", "theirs"] = group
    ruler.stored["other", NAMESPACE, "of another tenant"] = {**group, "name": "of another tenant"}


def test_groups_are_stored_changed_and_removed(ruler: Ruler, tmp_path: Path) -> None:
    """Other namespaces and other tenants are left alone."""
    _theirs(ruler)
    publish = publisher(_target(ruler)).publish

    report = publish(
        rules_in(tmp_path, {PATH: rules_text("one", "two")}), dry_run=False, wait=wait()
    )
    assert (f"{NAMESPACE}: one/base", f"{NAMESPACE}: two/base") == report.done

    text = rules_text("one", expr="vector(2)") + rules_text("three").removeprefix("groups:\n")
    report = publish(rules_in(tmp_path, {PATH: text}), dry_run=False, wait=wait())

    assert (f"{NAMESPACE}: one/base", f"{NAMESPACE}: three/base") == report.done
    assert (f"{NAMESPACE}: two/base",) == report.removed
    expected = {
        "payments: theirs": "vector(1)",
        f"{NAMESPACE}: one/base": "vector(2)",
        f"{NAMESPACE}: three/base": "vector(1)",
    }
    assert expected == _expressions(ruler)
    assert ("other", NAMESPACE, "of another tenant") in ruler.stored


@pytest.mark.parametrize("interval", ["1s", "90s", "5m"])
def test_nothing_changed_means_nothing_sent(ruler: Ruler, tmp_path: Path, interval: str) -> None:
    """A server that writes 90 s as 1m30s still holds the same group."""
    publish = publisher(_target(ruler)).publish
    files = rules_in(tmp_path, {PATH: rules_text("one", interval=interval)})
    publish(files, dry_run=False, wait=wait())
    ruler.requests.clear()

    report = publish(files, dry_run=False, wait=wait())

    assert report.is_current
    assert {"GET"} == {method for method, _ in ruler.requests}


def test_a_dry_run_only_reads(ruler: Ruler, tmp_path: Path) -> None:
    """It names what would be stored."""
    report = publisher(_target(ruler)).publish(
        rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=True, wait=wait()
    )

    assert (f"{NAMESPACE}: one/base",) == report.done
    assert {"GET"} == {method for method, _ in ruler.requests}
    assert {} == ruler.stored


def test_a_refused_group_takes_back_those_before_it(ruler: Ruler, tmp_path: Path) -> None:
    """Changed groups have their former content, new ones are gone, and the reason is told."""
    publish = publisher(_target(ruler)).publish
    publish(rules_in(tmp_path, {PATH: rules_text("b", "gone")}), dry_run=False, wait=wait())
    before = dict(ruler.stored)
    ruler.refused = frozenset({"c/base"})
    files = rules_in(tmp_path, {PATH: rules_text("a", "b", "c", expr="vector(3)")})

    with pytest.raises(PublishRefusedError, match="rules per rule group limit") as e:
        publish(files, dry_run=False, wait=wait())

    assert before == ruler.stored
    assert {f"{NAMESPACE}: a/base", f"{NAMESPACE}: b/base"} <= set(e.value.report.rolled_back)


def test_a_group_that_cannot_be_evaluated_is_taken_back(ruler: Ruler, tmp_path: Path) -> None:
    """The ruler stores it and then reports it unhealthy."""
    publish = publisher(_target(ruler)).publish
    publish(rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait())
    before = dict(ruler.stored)
    ruler.unhealthy = frozenset({"two/base"})

    with pytest.raises(PublishRefusedError, match="cannot be evaluated: two: many-to-many"):
        publish(rules_in(tmp_path, {PATH: rules_text("two")}), dry_run=False, wait=wait())

    assert before == ruler.stored


def test_a_ruler_that_loads_late_is_waited_for(ruler: Ruler, tmp_path: Path) -> None:
    """Storing is not loading."""
    ruler.loads_after = 1
    files = rules_in(tmp_path, {PATH: rules_text("one")})

    publisher(_target(ruler)).publish(files, dry_run=False, wait=wait())

    assert "one/base" in ruler.loaded(TENANT)


def test_groups_that_are_stored_and_not_loaded_in_time_stay_and_are_told(
    ruler: Ruler, tmp_path: Path
) -> None:
    """The next run, once they are loaded, finds all well."""
    ruler.loads_after = 3600
    publish = publisher(_target(ruler)).publish
    files = rules_in(tmp_path, {PATH: rules_text("one")})

    with pytest.raises(PublishError, match="stored, and not yet loaded") as e:
        publish(files, dry_run=False, wait=wait(1))

    assert not isinstance(e.value, PublishRefusedError)
    assert {f"{NAMESPACE}: one/base": "vector(1)"} == _expressions(ruler)
    ruler.loads_after = 0
    assert publish(files, dry_run=False, wait=wait()).is_current


def test_a_busy_ruler_is_asked_again(ruler: Ruler, tmp_path: Path) -> None:
    """429 passes."""
    ruler.busy = 2

    publisher(_target(ruler)).publish(
        rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
    )

    assert {f"{NAMESPACE}: one/base": "vector(1)"} == _expressions(ruler)


def test_a_missing_tenant_is_named(ruler: Ruler, tmp_path: Path) -> None:
    """The ruler's own words are in the message."""
    target = MimirRuler(server=server_at(ruler.url))
    with pytest.raises(PublishError, match="no org id") as e:
        publisher(target).publish(
            rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )
    assert e.value.hint == "check the tenant and the credentials"


def test_every_request_carries_the_credentials_of_the_source(ruler: Ruler, tmp_path: Path) -> None:
    """Those that read and those that write."""
    (tmp_path / "token").write_text("sesame\n")
    server = replace(server_at(ruler.url, tenant=TENANT), bearer_token_file=str(tmp_path / "token"))

    publisher(MimirRuler(server=server)).publish(
        rules_in(tmp_path / "out", {PATH: rules_text("one")}), dry_run=False, wait=wait()
    )

    assert {"Bearer sesame"} == ruler.credentials


def test_what_a_killed_run_left_undone_is_done_by_the_next(ruler: Ruler, tmp_path: Path) -> None:
    """The ruler's own list says what is missing."""
    publish = publisher(_target(ruler)).publish
    publish(rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait())

    report = publish(
        rules_in(tmp_path, {PATH: rules_text("one", "two")}), dry_run=False, wait=wait()
    )

    assert (f"{NAMESPACE}: two/base",) == report.done
    assert (f"{NAMESPACE}: one/base",) == report.unchanged


def test_an_address_without_the_api_is_no_empty_store(ruler: Ruler, tmp_path: Path) -> None:
    """404 means no rules only where the ruler says so."""
    target = MimirRuler(server=server_at(ruler.url, tenant=TENANT), flavor=RulerFlavor.CORTEX)
    with pytest.raises(PublishError, match="404 page not found"):
        publisher(target).publish(
            rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )


def test_cortex_has_other_paths(tmp_path: Path) -> None:
    """The contract is the same."""
    with serving(Ruler(flavor="cortex")) as ruler:
        target = MimirRuler(server=server_at(ruler.url, tenant=TENANT), flavor=RulerFlavor.CORTEX)
        publisher(target).publish(
            rules_in(tmp_path, {PATH: rules_text("one")}), dry_run=False, wait=wait()
        )
        assert {f"{NAMESPACE}: one/base": "vector(1)"} == _expressions(ruler)


def test_a_prefix_keeps_two_workspaces_apart(ruler: Ruler, tmp_path: Path) -> None:
    """What one publishes the other does not remove."""
    for prefix in ("a.", "b."):
        files = rules_in(tmp_path, {PATH: rules_text("one")})
        publisher(_target(ruler, prefix=prefix)).publish(files, dry_run=False, wait=wait())
    assert {"a.prod.ticketing", "b.prod.ticketing"} == {ns for ns, _ in ruler.groups(TENANT)}


def test_what_is_sent_is_the_group_as_it_was_generated(ruler: Ruler, tmp_path: Path) -> None:
    """Texts that look like numbers stay texts, and long expressions stay on one line."""
    rule = {
        "alert": "A",
        "expr": " + ".join(["vector(1)"] * 50),
        "for": "1h30m",
        "labels": {"tier": "1.10", "on": "no"},
        "annotations": {"summary": "zwei\n飛行機: {{ $value }}"},
    }
    group = {"name": "x", "interval": "30s", "limit": 5, "rules": [rule]}
    text = yaml.safe_dump({"groups": [group]}, allow_unicode=True)
    files = rules_in(tmp_path, {PATH: text})

    publisher(_target(ruler)).publish(files, dry_run=False, wait=wait())

    assert {(NAMESPACE, "x"): group} == ruler.groups(TENANT)


def test_the_layout_for_rulers_gives_the_same_namespaces(ruler: Ruler, tmp_path: Path) -> None:
    """Its own key `namespace` is for other tools."""
    text = "namespace: whatever\n" + rules_text("one")
    out = generated(tmp_path, {"mimir/prod/ticketing.yaml": text})

    report = publisher(_target(ruler)).publish(
        read_rules(out, below="mimir"), dry_run=False, wait=wait()
    )

    assert (f"{NAMESPACE}: one/base",) == report.done


def test_the_command_publishes_to_a_ruler(ruler: Ruler, tmp_path: Path) -> None:
    """The layout made for rulers is taken where it was generated."""
    files = {PATH: rules_text("plain"), "mimir/prod/ticketing.yaml": rules_text("one")}
    out = generated(tmp_path, files)
    commands = {"publish": Command(module="app.cli.publish", summary="publish", group="main")}
    argv = ["publish", "rules", "--out", str(out), "--mimir", ruler.url, "--tenant", TENANT]

    ending = call(argv, commands=commands)

    assert (0, f"published: {NAMESPACE}: one/base\n") == (ending.code, ending.stdout)
    assert {f"{NAMESPACE}: one/base": "vector(1)"} == _expressions(ruler)
