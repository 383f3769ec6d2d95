"""Pods are annotated with what their application's file says, workload by workload."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from collectors.tagging.kustomize import files
from collectors.tagging.model import Convention
from tests.unit.collectors.tagging.examples import plan_of
from tests.unit.collectors.tagging.metrics_examples import CARGO, TICKETING, metrics_plan

PLAN = metrics_plan()


def patches(app: str, *texts: str) -> list[dict[str, Any]]:
    """The patches of an application, with the patch itself read."""
    plan = plan_of(*texts)[0] if texts else PLAN
    found = yaml.safe_load(files(plan)[f"{app}/kustomization.yaml"])["patches"]
    return [{**each, "patch": yaml.safe_load(each["patch"])} for each in found]


def test_the_files_read_as_reviewed(golden: Callable[[str, str], None]) -> None:
    """A component of Kustomize for each application."""
    for name, text in files(PLAN).items():
        golden(f"collectors/kustomize/{name}", text)


def test_every_static_tag_is_an_annotation() -> None:
    """Under the names that OpenTelemetry's operator reads."""
    (patch,) = patches("ticketing")
    api = next(each for each in PLAN.streams if each.service == "ticketing-api")
    expected = {
        f"resource.opentelemetry.io/{name}": value
        for name, value in api.tags(Convention.OTEL).items()
    }
    template = patch["patch"]["spec"]["template"]
    assert expected == template["metadata"]["annotations"]
    assert {"group": "apps", "kind": "Deployment", "name": "^api$"}.items() <= patch[
        "target"
    ].items()
    # A label in the template could meet the workload's selector, which nobody may change.
    assert {"annotations"} == set(template["metadata"])
    assert {"app.kubernetes.io/part-of": "ticketing"} == patch["patch"]["metadata"]["labels"]


@pytest.mark.parametrize(
    ("workload", "kind", "path"),
    [
        ("statefulset/api", "StatefulSet", ["spec", "template"]),
        ("daemonset/api", "DaemonSet", ["spec", "template"]),
        ("rollout/api", "Rollout", ["spec", "template"]),
        ("job/api", "Job", ["spec", "template"]),
        ("cronjob/api", "CronJob", ["spec", "jobTemplate", "spec", "template"]),
        ("pod/api", "Pod", []),
    ],
)
def test_each_kind_of_workload_has_its_own_template(
    workload: str, kind: str, path: list[str]
) -> None:
    """A cron job's pods are made from a template within a template."""
    (patch,) = patches("ticketing", TICKETING.replace("deployment/api", workload))
    assert kind == patch["target"]["kind"] == patch["patch"]["kind"]
    inner = patch["patch"]
    for key in path:
        inner = inner[key]
    name = "resource.opentelemetry.io/service.namespace"
    assert "ticketing" == inner["metadata"]["annotations"][name]


def test_targets_are_exact() -> None:
    """Names and namespaces are patterns to Kustomize."""
    (patch,) = patches("ticketing", TICKETING.replace("deployment/api", "deployment/api.v1"))
    name, namespace = patch["target"]["name"], patch["target"]["namespace"]
    assert re.fullmatch(name, "api.v1")
    assert not re.fullmatch(name, "api-v1")
    assert re.fullmatch(namespace, "ticketing")
    assert not re.fullmatch(namespace, "cargo")


def test_what_others_claim_too_is_left_out_and_said() -> None:
    """Neither application's annotations would be right."""
    claimed = CARGO.replace(
        "{namespace: cargo, workload: statefulset/pricing}",
        "{namespace: ticketing, workload: deployment/api}",
    )
    assert {} == files(plan_of(TICKETING, claimed)[0])
    note = "# Not tagged here: ticketing/search, which names no workload."
    assert note in files(PLAN)["ticketing/kustomization.yaml"]
