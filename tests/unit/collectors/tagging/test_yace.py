"""CloudWatch's metrics stand under the application that owns the load balancer or database."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from collectors.tagging.model import Convention
from collectors.tagging.terraform import quoted
from collectors.tagging.yace import files
from tests.unit.collectors.tagging.examples import plan_of
from tests.unit.collectors.tagging.graphs.prometheus import jobs, series, static_targets
from tests.unit.collectors.tagging.metrics_examples import CARGO, TICKETING, metrics_plan

PLAN = metrics_plan()
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=40)


def static(*texts: str) -> dict[str, dict[str, Any]]:
    """The static jobs by name."""
    plan = plan_of(*texts)[0] if texts else PLAN
    found = yaml.safe_load(files(plan)["config.yaml"])["static"]
    return {job["name"]: job for job in found}


def scraped(job: dict[str, Any]) -> dict[str, str]:
    """The labels of a series of a job once Prometheus has it."""
    exposed = {"name": job.get("name", "arn"), "app": "someone"}
    exposed |= {f"custom_tag_{tag['key']}": tag["value"] for tag in job["customTags"]}
    exposed |= {f"dimension_{each['name']}": each["value"] for each in job.get("dimensions", ())}
    (scrape,) = jobs(files(PLAN)["scrape.yaml"]).values()
    (target,) = static_targets(scrape)
    labels = series(target, scrape, exposed)
    assert labels is not None
    assert not any(name.startswith("custom_tag_") for name in labels)
    return labels


def test_the_files_read_as_reviewed(golden: Callable[[str, str], None]) -> None:
    """The exporter's configuration, Prometheus' job and the tags for Terraform."""
    for name, text in files(PLAN).items():
        golden(f"collectors/yace/{name}", text)


def test_every_tag_reaches_the_series_of_an_own_database() -> None:
    """By its dimensions, or by the tags of its resource where none are given."""
    tags = {each.component.name: each.tags(Convention.LABEL) for each in PLAN.streams}
    assert tags["ledger"].items() <= scraped(static()["ticketing-ledger"]).items()
    (inbox,) = yaml.safe_load(files(PLAN)["config.yaml"])["discovery"]["jobs"]
    assert tags["inbox"].items() <= scraped(inbox).items()
    searched = {each["key"]: each["value"] for each in inbox["searchTags"]}
    assert {"app": "^ticketing$", "env": "^prod$", "component": "^inbox$"} == searched


def test_of_a_shared_load_balancer_an_application_has_its_target_group() -> None:
    """Nothing of the other's; what the balancer counts as a whole is nobody's."""
    found = static()
    mine, theirs = found["ticketing-alb"], found["cargo-wan"]
    whole = found["app/shared/0123456789abcdef"]
    assert ("ticketing", "targetgroup/tickets/0123456789abcdef") == (
        scraped(mine)["app"],
        scraped(mine)["dimension_TargetGroup"],
    )
    assert ("cargo", "targetgroup/freight/0123456789abcdef") == (
        scraped(theirs)["app"],
        scraped(theirs)["dimension_TargetGroup"],
    )
    assert {"app", "team", "tier", "service"}.isdisjoint(scraped(whole))
    assert "app/shared/0123456789abcdef" == scraped(whole)["infra_id"]
    assert ["LoadBalancer"] == [each["name"] for each in whole["dimensions"]]


def test_a_balancer_with_another_s_target_group_is_shared() -> None:
    """Even where its first owner says nothing of sharing."""
    whole = TICKETING.replace(
        "      share: {target-group: targetgroup/tickets/0123456789abcdef}\n", ""
    ).replace("address: shared-1.eu", "address: other.eu")
    part = CARGO.replace(
        "dimensions: {LoadBalancer: app/shared/0123456789abcdef}",
        "dimensions: {LoadBalancer: app/shared/0123456789abcdef, TargetGroup: targetgroup/f/1}",
    ).replace("      share: {target-group: targetgroup/freight/0123456789abcdef}\n", "")
    found = static(whole, part)
    assert "ticketing-alb" not in found
    assert "app" not in scraped(found["app/shared/0123456789abcdef"])


@pytest.mark.parametrize(
    ("address", "regions"),
    [
        ("x.abc.eu-central-1.rds.amazonaws.com:5432", ["eu-central-1"]),
        ("x.us-gov-west-1.elb.amazonaws.com", ["us-gov-west-1"]),
        ("ledger.example:5432", ["us-east-1"]),
    ],
)
def test_the_region_follows_from_the_address(address: str, regions: list[str]) -> None:
    """Where it does not, the file says that a default stands there."""
    text = TICKETING.replace("ledger.abc.eu-west-1.rds.amazonaws.com:5432", address)
    assert regions == static(text)["ticketing-ledger"]["regions"]


def test_what_cannot_be_collected_is_said() -> None:
    """Namespaces whose metrics are not known; shares without dimensions."""
    text = TICKETING.replace("namespace: AWS/RDS", "namespace: AWS/Nothing")
    written = files(plan_of(text)[0])["config.yaml"]
    assert "# Not collected here: ticketing/ledger of AWS/Nothing, its metrics" in written
    assert "ticketing-ledger" not in static(text)


def unquoted(text: str) -> str:
    """Read a quoted template of HCL that must hold no interpolation."""
    assert (text[0], text[-1]) == ('"', '"')
    found = ""
    pieces = re.compile(r'\\(["\\nrt])|(\$\$\{|%%\{)|(\$\{|%\{|["\\])|(.)', re.DOTALL)
    for match in pieces.finditer(text[1:-1]):
        escape, literal, bad, plain = match.groups()
        assert bad is None, "a template, or the end, within the string"
        if escape is not None:
            found += {"n": "\n", "r": "\r", "t": "\t"}.get(escape, escape)
        else:
            found += literal[1:] if literal is not None else plain
    return found


@given(TEXT)
def test_texts_in_terraform_mean_themselves(text: str) -> None:
    """Quotes, backslashes and templates are escaped as HCL's grammar has it."""
    assert text == unquoted(quoted(text))


@pytest.mark.parametrize("text", ["${a}", "$${a}", "%{if}", "%%{", "$", '"', "\\", "$$$${x}"])
def test_templates_in_terraform_mean_themselves(text: str) -> None:
    """What Terraform would evaluate, or end the string at."""
    assert text == unquoted(quoted(text))
