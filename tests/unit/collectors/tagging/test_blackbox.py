"""Objectives of kind ``probe`` get their probes, and the probes' series are what they select."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml

from collectors.tagging.blackbox import files
from collectors.tagging.model import Plan
from slo.model import Probe
from slo.promql import Query, parse_query
from slo.units import Duration
from tests.unit.collectors.tagging.examples import plan_of
from tests.unit.collectors.tagging.graphs.prometheus import jobs, static_targets
from tests.unit.collectors.tagging.metrics_examples import TICKETING, metrics_plan


def probing(*selectors: str, environments: str = "[{name: prod}]") -> Plan:
    """An application with an objective for each selector: a, b, …"""
    slos = "".join(
        f"\n    - {{name: {chr(97 + at)}, objective: 99, indicator: {{probe: '{each}'}}}}"
        for at, each in enumerate(selectors)
    )
    head = TICKETING.split("  environments:")[0]
    (plan,) = plan_of(f"{head}  environments: {environments}\n  slos:{slos}\n")
    return plan


def test_the_files_read_as_reviewed(golden: Callable[[str, str], None]) -> None:
    """The exporter's modules and the jobs of Prometheus."""
    for name, text in files(metrics_plan()).items():
        golden(f"collectors/blackbox/{name}", text)


@pytest.mark.parametrize(
    ("address", "module", "target"),
    [
        ("https://a.example/x?y=z", "http_2xx", "https://a.example/x?y=z"),
        ("tcp://a.example:5432", "tcp_connect", "a.example:5432"),
        ("a.example:5432", "tcp_connect", "a.example:5432"),
        ("a.example", "icmp", "a.example"),
        ("grpc://a.example:90", "grpc", "a.example:90"),
    ],
)
def test_the_module_follows_from_the_address(address: str, module: str, target: str) -> None:
    """The series carry the address as the objective has it, the exporter is asked its own way."""
    plan = probing(f'probe_success{{instance="{address}",job="web"}}')
    written = files(plan)
    assert [module] == list(yaml.safe_load(written["blackbox.yml"])["modules"])
    (job,) = jobs(written["scrape.yaml"]).values()
    (found,) = static_targets(job)
    assert [module] == job["params"]["module"]
    assert target == found["__param_target"]
    assert "127.0.0.1:9115" == found["__address__"]
    expected = {"instance": address, "job": "web", "app": "ticketing", "env": "prod", "slo": "a"}
    assert {**expected, "team": "bookings", "tier": "1"}.items() <= found.items()


def test_labels_of_the_selector_and_of_the_only_cluster_are_on_the_series() -> None:
    """Otherwise the rules, which select both, would find nothing."""
    plan = probing(
        'probe_success{instance="https://a",zone="x",other!="y"}',
        environments="[{name: prod, match: {cluster: eu}}]",
    )
    (job,) = jobs(files(plan)["scrape.yaml"]).values()
    (found,) = static_targets(job)
    assert ("x", "eu", "blackbox") == (found["zone"], found["cluster"], found["job"])
    assert "other" not in found


def test_an_address_of_two_objectives_is_probed_once() -> None:
    """Two series of it would count twice."""
    selector = 'probe_success{instance="https://a"}'
    (job,) = jobs(files(probing(selector, selector))["scrape.yaml"]).values()
    (found,) = static_targets(job)
    assert "slo" not in found


@pytest.mark.parametrize(
    "selector", ['up{job="x"}', 'probe_success{job="x"}', 'probe_success{instance=~"a|b"}']
)
def test_what_cannot_be_probed_is_said(selector: str) -> None:
    """Another gauge, no address, or a pattern."""
    written = files(probing('probe_success{instance="https://a"}', selector))
    assert "# Not probed here: ticketing/b: " in written["scrape.yaml"]
    assert {} == files(probing(selector))


def test_a_claim_on_another_application_is_not_followed() -> None:
    """The owner's tags win over the selector's."""
    plan = probing('probe_success{instance="https://a",app="cargo",team="x",slo="y"}')
    (job,) = jobs(files(plan)["scrape.yaml"]).values()
    (found,) = static_targets(job)
    assert ("ticketing", "bookings", "a") == (found["app"], found["team"], found["slo"])


@pytest.mark.parametrize(
    "text", ["https://a/${X}?b=%20{{c}}", "https://a/'q'\\\\back", "https://ä/#on"]
)
def test_hostile_addresses_mean_themselves(text: str) -> None:
    """Through YAML and back."""
    plan = probing('probe_success{instance="https://a"}')
    (app,) = plan.apps
    (environment,) = app.environments
    query = parse_query(f'probe_success{{instance="{text}"}}')
    assert isinstance(query, Query)
    (slo,) = environment.slos
    measure = Probe(selector=query, slice=Duration.parse("1m"))
    changed = replace(slo, indicator=replace(slo.indicator, measure=measure))
    app = replace(app, environments=(replace(environment, slos=(changed,)),))
    (job,) = jobs(files(replace(plan, apps=(app,)))["scrape.yaml"]).values()
    (found,) = static_targets(job)
    expected = text.replace("\\\\", "\\")
    assert (expected, expected) == (found["instance"], found["__param_target"])
