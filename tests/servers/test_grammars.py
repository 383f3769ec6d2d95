"""Collectors' own parsers accept what is right and say where the rest is wrong."""

import json
from pathlib import Path

import yaml
from jsonschema import Draft7Validator

from tests.servers.grammars import alloy_blocks, run_vrl

ALLOY = """
loki.process "air" {
  forward_to = [loki.write.out.receiver]
  stage.static_labels { values = { app = "air\\"s" } }
}
"""


def test_alloy_s_parser_gives_blocks_with_their_places(
    alloy_syntax_bin: Path, tmp_path: Path
) -> None:
    """Names, labels, lines and expressions come back as they were written."""
    file = tmp_path / "config.alloy"
    file.write_text(ALLOY)

    done = alloy_blocks(alloy_syntax_bin, file)

    assert done.ok, done.output
    (process,) = json.loads(done.output)["blocks"]
    assert ("loki.process", "air", 2) == (process["name"], process["label"], process["line"])
    assert {"forward_to": "[loki.write.out.receiver]"} == process["attributes"]
    (stage,) = process["blocks"]
    assert "stage.static_labels" == stage["name"]
    assert r'"air\"s"' in stage["attributes"]["values"]


def test_alloy_s_parser_says_where_a_text_is_wrong(alloy_syntax_bin: Path, tmp_path: Path) -> None:
    """The line and column are in the message."""
    file = tmp_path / "config.alloy"
    file.write_text('loki.process "air" {\n  forward_to = [\n}\n')

    done = alloy_blocks(alloy_syntax_bin, file)

    assert 1 == done.code
    assert "config.alloy:3:1" in done.output


def test_a_program_for_vector_is_compiled_and_run(vrl_bin: Path, tmp_path: Path) -> None:
    """Tags are set, and a secret is redacted."""
    program = tmp_path / "program.vrl"
    program.write_text(
        '.labels.app = "air"\n'
        ".message = redact(string!(.message), filters: [r'key=\\w+'])\n"
        '.host = get_env_var("NO_SUCH") ?? "unknown"\n'
    )

    done = run_vrl(vrl_bin, program, [{"message": "key=abc took off"}])

    assert 0 == done.returncode, done.stderr
    assert {
        "labels": {"app": "air"},
        "message": "[REDACTED] took off",
        "host": "unknown",
    } == json.loads(done.stdout)


def test_a_program_that_ignores_an_error_does_not_compile(vrl_bin: Path, tmp_path: Path) -> None:
    """Vector's rule that every failure is handled holds here too."""
    program = tmp_path / "program.vrl"
    program.write_text(".parsed = parse_json(.message)\n")

    done = run_vrl(vrl_bin, program)

    assert 1 == done.returncode
    assert "unhandled" in done.stderr


def test_a_definition_of_the_operator_knows_a_monitor_from_a_typing_error(
    prometheus_operator_crds: Path,
) -> None:
    """The schema inside a definition refuses a wrong type; pruning of unknown keys is the API's."""
    file = prometheus_operator_crds / "monitoring.coreos.com_servicemonitors.yaml"
    definition = yaml.safe_load(file.read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    validator = Draft7Validator(schema)
    endpoint = {"port": "http", "interval": "15s"}
    monitor = {"spec": {"selector": {}, "endpoints": [endpoint]}}

    assert validator.is_valid(monitor)
    endpoint["interval"] = "soon"
    assert not validator.is_valid(monitor)
