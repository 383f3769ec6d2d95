"""What is put into a cluster follows from plans alone, and keeps applications apart."""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.artefacts.names import clashes, fault
from collectors.elastic.comparing import difference, flat, normal, overlap
from collectors.elastic.fitting import fitted
from collectors.elastic.flavors import Flavor
from collectors.elastic.pipelines import processors
from collectors.elastic.resources import Kind, Resource, is_ours
from collectors.elastic.templates import files, patterns, resources
from slo.errors import UsageError
from slo.naming import data_stream_part
from slo.serving import Retention
from slo.units import Duration
from tests.unit.collectors.tagging.examples import CARGO, TICKETING, plan_of

KEPT = {"logs": Retention(age=Duration.of(days=30)), "spans": Retention(age=Duration.of(hours=36))}
NAMES = st.from_regex(r"[a-z0-9](?:[-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)


def made(flavor: Flavor) -> tuple[Resource, ...]:
    """What both example applications need."""
    return resources(plan_of(TICKETING, CARGO), flavor, KEPT)


def an_app(name: str, component: str = "api", path: str = "/x") -> str:
    """An application of one component."""
    return TICKETING.split("  components:")[0].replace("ticketing", name, 1) + (
        "  components:\n"
        f"    - {{name: {component}, kind: service, logs: [{{path: {json.dumps(path)}}}]}}\n"
        "  slos:" + CARGO.split("  slos:")[1]
    )


@pytest.mark.parametrize("flavor", Flavor)
def test_the_resources_of_a_workspace_are_as_reviewed(
    flavor: Flavor, golden: Callable[[str, str], None]
) -> None:
    """One golden file for each flavour, with every body."""
    text = "".join(f"=== {each.title}\n{each.text}" for each in made(flavor))
    golden(f"elastic/{flavor}.txt", text)


@pytest.mark.parametrize("flavor", Flavor)
def test_everything_is_marked_as_ours_and_made_the_same_twice(flavor: Flavor) -> None:
    """A later run knows by the mark what it may change."""
    found = made(flavor)

    assert found == made(flavor)
    assert [] == [each.title for each in found if not is_ours(each.body)]
    assert list(Kind) == list(dict.fromkeys(each.kind for each in found)) or (
        flavor is Flavor.ELASTICSEARCH
    )
    owners = {each.owner for each in found}
    assert {"ticketing", "cargo", None} == owners


@pytest.mark.parametrize("flavor", Flavor)
def test_an_index_template_is_put_after_what_it_is_composed_of(flavor: Flavor) -> None:
    """So that no run is refused for its order."""
    seen: set[str] = set()
    for each in made(flavor):
        if each.kind is Kind.INDEX:
            assert set(each.body["composed_of"]) <= seen
        seen.add(each.name)


def test_each_flavour_gets_only_the_processors_it_knows() -> None:
    """OpenSearch has no reroute."""
    steps = {
        flavor: frozenset.union(*(processors(each.body) for each in made(flavor)))
        for flavor in Flavor
    }

    assert {"reroute"} == steps[Flavor.ELASTICSEARCH] - steps[Flavor.OPENSEARCH]
    assert "lifecycle" not in json.dumps([dict(each.body) for each in made(Flavor.OPENSEARCH)])


def test_retention_follows_the_workspace_in_each_flavour() -> None:
    """Logs by days, traces by the age of spans, metrics for ever."""
    elastic = {each.name: each.body for each in made(Flavor.ELASTICSEARCH)}
    policies = {
        each.name: each.body for each in made(Flavor.OPENSEARCH) if each.kind is Kind.POLICY
    }

    assert [{"data_retention": "30d"}, {"data_retention": "36h"}, {}] == [
        elastic[f"headroom-{signal}-cargo-prod"]["template"]["lifecycle"]
        for signal in ("logs", "traces", "metrics")
    ]
    (leaving,) = policies["headroom-logs"]["policy"]["states"][0]["transitions"]
    assert {"min_rollover_age": "30d"} == leaving["conditions"]
    assert [] == policies["headroom-metrics"]["policy"]["states"][0]["transitions"]


@pytest.mark.parametrize("name", ["security", "unattributed", "apm", "generic"])
def test_an_app_may_not_have_the_streams_of_others(name: str) -> None:
    """Its name is refused with the reason."""
    with pytest.raises(UsageError, match=f"an app called {name}"):
        resources(plan_of(an_app(name)), Flavor.ELASTICSEARCH)


@given(st.lists(NAMES, min_size=2, max_size=4, unique=True), st.sampled_from(list(Flavor)))
def test_no_name_gives_an_app_the_streams_of_another(names: list[str], flavor: Flavor) -> None:
    """Whatever hyphens names have: patterns do not meet, files do not clash."""
    texts = [an_app(name, path=f"/{name}") for name in names]
    try:
        found = resources(plan_of(*texts), flavor)
    except UsageError:
        assert {"security", "unattributed", "apm", "generic"} & set(names)
        return
    templates = [each for each in found if each.kind is Kind.INDEX]
    for at, one in enumerate(templates):
        for other in templates[at + 1 :]:
            for a in one.body["index_patterns"]:
                assert not any(overlap(a, b) for b in other.body["index_patterns"])
    paths = files(found, "default")
    assert ({}, set()) == (clashes(paths), {fault(path) for path in paths} - {None})
    assert len(found) == len(paths)


@given(st.text(min_size=1, max_size=30).filter(str.isprintable))
def test_a_hostile_path_stays_data(path: str) -> None:
    """It is a parameter of a script whose text is the same for everybody."""
    try:
        plans = plan_of(an_app("a", path=f"/{path}"))
    except AssertionError:
        # The loader refuses some, such as one that leaves its folder.
        assume(False)  # noqa: FBT003 - hypothesis's own way
    for flavor in Flavor:
        (route,) = (
            each
            for each in resources(plans, flavor)
            if each.kind is Kind.PIPELINE and each.name.endswith("-prod")
        )
        script = route.body["processors"][1]["script"]
        rule = next(each for each in script["params"]["rules"] if "parts" in each)
        literal = "".join(rule["parts"])
        assert set(literal) <= set(f"/{path}")
        plain = made(flavor)
        assert script["source"] == next(
            each.body["processors"][1]["script"]["source"]
            for each in plain
            if each.name == "headroom-unattributed-prod"
        )
        json.loads(route.text)


@given(
    st.text(alphabet="ab*", max_size=7),
    st.text(alphabet="ab*", max_size=7),
    st.text(alphabet="ab", max_size=7),
)
def test_patterns_that_a_name_meets_overlap(one: str, other: str, name: str) -> None:
    """And the answer is the same from either side."""
    if fnmatchcase(name, one) and fnmatchcase(name, other):
        assert overlap(one, other)
    assert overlap(one, other) == overlap(other, one)


def test_patterns_that_no_name_meets_do_not_overlap() -> None:
    """Such as those of two applications, one of whose names begins with the other's."""
    assert not overlap("logs-pay.*-prod", "logs-payments.*-prod")
    assert not overlap("logs-a.*-prod", "logs-a.*-staging")
    assert overlap("logs-*-*", patterns("logs", "pay", "prod")[0])
    assert not overlap("a*b", "a*c")


def test_stream_names_are_those_that_collectors_write() -> None:
    """The patterns meet every stream of a plan and no other application's."""
    for plan in plan_of(TICKETING, CARGO):
        for stream in plan.streams:
            name = f"logs-{stream.dataset}-{stream.namespace}"
            met = [
                app
                for app in ("ticketing", "cargo")
                if any(fnmatchcase(name, each) for each in patterns("logs", app, plan.env))
            ]
            assert [stream.app] == met
            assert data_stream_part(stream.env) == stream.namespace


def test_what_a_cluster_adds_by_itself_is_no_difference() -> None:
    """Settings come back as texts, a stream's and a lifecycle's defaults filled in."""
    found = {each.title: each for each in made(Flavor.ELASTICSEARCH)}
    settings = found["component-templates/headroom@settings"]
    template = found["index-templates/headroom-logs-cargo-prod"]
    role = found["roles/headroom-cargo-reader"]
    there = {
        **template.body,
        "data_stream": {"hidden": False, "allow_custom_routing": False},
        "template": {"lifecycle": {"enabled": True, "data_retention": "30d"}},
        "created_date_millis": 3,
    }

    assert "" == difference(template, there)
    spelt = {"index": {"mapping": {"total_fields": {"limit": "1000"}}}}
    more = {"index.mapping.total_fields.ignore_dynamic_beyond_limit": "true"}
    assert "" == difference(
        settings, {**settings.body, "template": {"settings": {**spelt, **more}}}
    )
    assert "" == difference(role, {**role.body, "transient_metadata": {"enabled": True}})
    assert {"index.a.b": "true", "index.c": "1"} == flat({"a": {"b": True}, "index.c": 1})


def test_what_somebody_changed_is_a_difference() -> None:
    """Also what was added to a template."""
    template = next(each for each in made(Flavor.ELASTICSEARCH) if each.kind is Kind.INDEX)
    added = {**template.body, "template": {"settings": {"index.number_of_replicas": "0"}}}

    assert '-      "index.number_of_replicas": "0"' in difference(template, added)
    assert "--- /dev/null" == difference(template, None).splitlines()[0]
    assert "priority" in normal(Kind.INDEX, template.body, template.body)


def test_what_a_cluster_lacks_is_left_out_and_told() -> None:
    """Nothing stands in its place."""
    found = made(Flavor.ELASTICSEARCH)

    whole = fitted(found, (8, 19, 0), lacking={}, known=None)
    old = fitted(found, (8, 15, 5), lacking={Kind.ROLE: "off"}, known=frozenset({"set"}))

    assert (found, {}, ()) == (whole.resources, whole.skipped, whole.notes)
    assert "off" == old.skipped["roles/headroom-cargo-reader"]
    assert "no ingest processor date" in old.skipped["pipelines/headroom-logs"]
    logs = next(each for each in old.resources if each.name == "headroom-logs@mappings")
    assert {} == logs.body["template"]["settings"]
    assert "component-templates/headroom-logs@mappings: without index.mode, which needs 8.17" in (
        old.notes
    )
