"""Vector's programs and conditions, by the crate of its language."""

import json
from pathlib import Path

import pytest

from collectors.tagging import vector
from slo.collecting import MASK, Collecting, Destination
from tests.servers.grammars import run_vrl
from tests.servers.programs import Document
from tests.unit.collectors.tagging.examples import airline
from tests.unit.collectors.tagging.graphs.vector import configuration


@pytest.mark.parametrize("destination", ["otlp", "elasticsearch"])
def test_every_program_of_vector_compiles(vrl_bin: Path, tmp_path: Path, destination: str) -> None:
    """Those of hosts and nodes, conditions included, by their own and with earlier types."""
    files = vector.files(airline(Collecting(destination=Destination(destination))))
    for file in ("vector.yaml", "vector-kubernetes.yaml"):
        steps = configuration(files[file])["transforms"]
        programs = [step["source"] for step in steps.values() if step["type"] == "remap"]
        # Vector compiles a program with all types that the ones before it leave.
        programs += [
            step["source"] + steps["records"]["source"]
            for name, step in steps.items()
            if name.endswith("_tags")
        ]
        programs += [
            route["condition"]["source"]
            for step in steps.values()
            for route in step.get("routes", [])
        ]
        programs += [
            step[key]["source"]
            for step in steps.values()
            for key in ("condition", "starts_when")
            if key in step
        ]
        for program in programs:
            (tmp_path / "program.vrl").write_text(program)
            done = run_vrl(vrl_bin, tmp_path / "program.vrl")
            assert 0 == done.returncode, f"{program}\n{done.stderr}"


def test_conditions_of_vector_choose_the_owner(vrl_bin: Path, tmp_path: Path) -> None:
    """Of a message by program and host, of a service by name and environment."""
    steps = configuration(vector.files(airline())["vector.yaml"])["transforms"]
    routes = {
        route["name"]: route["condition"]["source"]
        for step in steps.values()
        for route in step.get("routes", [])
    }
    mine = {"service.name": "ticketing-api", "service.namespace": "ticketing"}
    cases: list[tuple[str, Document, bool]] = [
        ("ticketing_gateway_syslog_1", {"appname": "haproxy-ticketing"}, True),
        ("ticketing_gateway_syslog_1", {"appname": "haproxy"}, False),
        ("ticketing_api_otlp", {"resources": mine}, True),
        ("ticketing_api_otlp", {"resources": {"service.name": "ticketing-api"}}, True),
        ("ticketing_api_otlp", {"resources": {**mine, "service.namespace": "cargo"}}, False),
        ("ticketing_api_otlp", {"resources": {**mine, "deployment.environment": "dev"}}, False),
    ]
    for name, event, expected in cases:
        program = tmp_path / "program.vrl"
        program.write_text(f"{steps['otlp_senders']['source']}.found = {routes[name]}\n")
        done = run_vrl(vrl_bin, program, [event])
        assert expected is json.loads(done.stdout)["found"], (name, event, done.stderr)


def test_what_a_program_fails_on_is_kept_without_secrets(vrl_bin: Path, tmp_path: Path) -> None:
    """With its reason, which Vector puts beside it."""
    steps = configuration(vector.files(airline())["vector.yaml"])["transforms"]
    program = tmp_path / "program.vrl"
    program.write_text(steps["rejected"]["source"])
    event = {"text": "Bearer abc", "metadata": {"dropped": {"message": "why"}}}

    found = json.loads(run_vrl(vrl_bin, program, [event]).stdout)

    assert "why" == found["reason"]
    assert "abc" not in found["message"]
    assert MASK in found["message"]
