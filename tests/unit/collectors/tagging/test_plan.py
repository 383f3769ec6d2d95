"""Plans say whose records are whose; nobody's record is claimed twice."""

import re

import pytest

from collectors.joining.pods import pod_names
from collectors.tagging.model import Convention, FileSource, OtlpSource, Plan, PodSource
from collectors.tagging.plan import plans
from collectors.tagging.registry import GENERATORS
from slo.collecting import COLLECTORS, SECRETS, Collecting
from slo.errors import UsageError
from slo.loader.catalog import load_catalog
from slo.loader.documents import SourceFile
from slo.loader.windows import built_in_defaults


def app(name: str, components: str, environments: str = "[{name: prod}]") -> str:
    """An application's file."""
    return f"""
apiVersion: headroom/v1
kind: App
metadata: {{name: {name}, team: '{name}s "crew"', labels: {{tier: "1"}}}}
spec:
  environments: {environments}
  components: {components}
  slos:
    - name: a
      objective: 99
      indicator: {{events: {{total: 't{{job="x"}}', bad: 'b{{job="x"}}'}}}}
"""


def planned(*texts: str) -> tuple[Plan, ...]:
    """Plans out of files, which must be without a mistake."""
    files = [SourceFile(name=f"{at}.yaml", text=text) for at, text in enumerate(texts)]
    loaded = load_catalog(files, built_in_defaults())
    assert () == loaded.problems
    return plans(loaded.catalog, Collecting())


def test_a_stream_carries_every_static_tag_by_each_convention() -> None:
    """Its team and tier included, as the application's file spells them."""
    (plan,) = planned(app("ticketing", "[{name: api, kind: service, service: t-api}]"))
    (stream,) = plan.streams

    assert {
        "service.namespace": "ticketing",
        "service.name": "t-api",
        "deployment.environment.name": "prod",
        "org.team": 'ticketings "crew"',
        "service.criticality": "1",
    } == stream.tags(Convention.OTEL)
    assert "ticketing" == stream.tags(Convention.ECS)["labels.app"]
    assert {"app", "service", "env", "team", "tier"} == set(stream.tags(Convention.LABEL))
    assert ("ticketing.api", "prod", "ticketing_api") == (
        stream.dataset,
        stream.namespace,
        stream.identifier,
    )
    assert SECRETS == plan.secrets


def test_sources_follow_the_environment() -> None:
    """A cluster that names its namespace has the pods there; a plan for each environment."""
    prod, staging = planned(
        app(
            "ticketing",
            "[{name: api, kind: service,"
            " kubernetes: {namespace: ticketing, workload: deployment/api},"
            " logs: [{kubernetes: true, container: main}]}]",
            "[{name: prod}, {name: staging, clusters: [{name: eu, match: {namespace: tick-stg}}]}]",
        )
    )

    (pods,) = prod.streams[0].of(PodSource)
    assert ("ticketing", "main") == (pods.namespace, pods.container)
    assert "/var/log/pods/ticketing_api*_*/main/*.log" == pods.path
    assert ["tick-stg"] == [each.namespace for each in staging.streams[0].of(PodSource)]


def test_a_service_that_two_claim_is_nobody_s() -> None:
    """It is shown, and neither gets its records."""
    part = "[{name: pdf, kind: service, service: renderer}]"
    (plan,) = planned(app("check-in", part), app("ticketing", part))

    (dispute,) = plan.disputes
    assert "check-in/pdf and ticketing/pdf claim the service renderer" == str(dispute)
    assert () == plan.of(OtlpSource)


@pytest.mark.parametrize(
    "part",
    [
        "[{name: x, kind: host, logs: [{path: /var/log/x.log}]}]",
        "[{name: x, kind: host, hosts: [a], logs: [{path: /var/log/x.log}]}]",
        "[{name: x, kind: host, logs: [{journald: x.service}]}]",
        "[{name: x, kind: host, logs: [{syslog: xd}]}]",
        "[{name: x, kind: host, kubernetes: {namespace: n}, logs: [{kubernetes: true}]}]",
    ],
)
def test_records_that_two_claim_are_an_error(part: str) -> None:
    """They could not be collected once and rightly."""
    with pytest.raises(UsageError, match="check-in/x and ticketing/x both claim"):
        planned(app("check-in", part), app("ticketing", part))


def test_the_same_path_on_other_hosts_is_another_file() -> None:
    """Each host's file has its own owner."""
    part = "[{{name: x, kind: host, hosts: [{0}], logs: [{{path: /var/log/x.log}}]}}]"
    (plan,) = planned(app("check-in", part.format("a")), app("ticketing", part.format("b")))

    assert [("a",), ("b",)] == [source.hosts for _, source in plan.of(FileSource)]


def test_identifiers_differ_where_names_would_collide() -> None:
    """And do not depend on who else is there in what order: collectors keep states by them."""
    one, other = app("a", "[{name: b-c, kind: host}]"), app("a-b", "[{name: c, kind: host}]")
    numbered = app("a-b-c", "[{name: '2', kind: host}]")
    (plan,) = planned(one, other, numbered)
    (again,) = planned(numbered, other, one)

    names = {stream.app: stream.identifier for stream in plan.streams}
    assert 3 == len(set(names.values()))
    assert names == {stream.app: stream.identifier for stream in again.streams}
    assert "a_b_c_2" == names["a-b-c"]
    assert names["a"].startswith("a_b_c_")


@pytest.mark.parametrize(
    ("kind", "pod", "is_one"),
    [
        ("deployment", "api-7d4f9c6b5d-x2x4z", True),
        ("deployment", "api-worker-7d4f9c6b5d-x2x4z", False),
        ("statefulset", "api-0", True),
        ("statefulset", "api-x", False),
        ("cronjob", "api-29384756-abcde", True),
        ("pod", "api", True),
    ],
)
def test_pods_are_known_by_their_workload(kind: str, pod: str, is_one: bool) -> None:  # noqa: FBT001 - a table
    """By what Kubernetes appends to its name."""
    assert is_one == bool(re.search(pod_names(kind, "api"), pod))


def test_every_collector_has_a_generator() -> None:
    """The names that files may use are those that something is made for."""
    assert set(COLLECTORS) == set(GENERATORS)
