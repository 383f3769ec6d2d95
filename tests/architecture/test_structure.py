"""The house: who may import whom, and how large a room may grow."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("slo", "collectors", "dashboards", "alerts", "app")
LONGEST_MODULE = 500
LONGEST_FUNCTION = 60


def modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_imports_point_inwards_only() -> None:
    """The layers of pyproject.toml hold: app, then alerts, collectors and dashboards, then slo."""
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == result.returncode, result.stdout + result.stderr


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_outgrows_its_idea(package: str) -> None:
    """A module past 500 lines holds two ideas."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in sorted((ROOT / package).rglob("*.py"))
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }

    assert {} == long


def test_no_function_is_longer_than_a_screen() -> None:
    """A function past 60 lines does two things."""
    long = {
        f"{path.relative_to(ROOT)}:{node.name}": length
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }

    assert {} == long


@pytest.mark.parametrize("command", ["validate", "gate", "status", "generate"])
def test_a_command_loads_no_heavy_library(command: str) -> None:
    """A pipeline waits for none of pandas, Streamlit, DuckDB or the Elasticsearch client."""
    heavy = ("pandas", "streamlit", "duckdb", "elasticsearch", "pyarrow", "numpy")
    script = (
        "import sys; from app.cli.main import main; "
        f"code = main([{command!r}, 'examples/minimal/ticketing.yaml', *sys.argv[1:]]); "
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    arguments = {
        "validate": [],
        "generate": ["--check", "--out", "/nonexistent/out"],
        "status": ["--prometheus", "http://127.0.0.1:9"],
        "gate": ["--app", "ticketing", "--prometheus", "http://127.0.0.1:9"],
    }
    result = subprocess.run(
        [sys.executable, "-c", script, *arguments[command]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "[]" == result.stderr.splitlines()[-1], result.stderr


NOT_FOR_A_GATE = {
    "alerts": "rules are written by generate",
    "dashboards": "so are dashboards",
    "grafana_foundation_sdk": "and so is what builds them",
    "app.artefacts": "nothing is generated",
    "app.generation": "nothing is generated",
    "app.publishing": "nothing is published",
    "app.scaffold": "init proposes app files",
    "slo.templates": "the app file uses no template",
    "slo.loader.shapes_workspace": "there is no workspace file",
    "slo.loader.shapes_sources": "nor any source in one",
    "slo.loader.shapes_receivers": "nor any receiver",
    "slo.receivers": "nor any receiver",
    "collectors.readers.prometheus.sigv4": "the source signs nothing",
    "configparser": "it reads the profiles that sign",
    "zoneinfo": "the policy has no calendar",
    "ulid": "a library that takes a tenth of the start; app.ulid does without",
    "pandas": "prometheus-api-client wants it for frames only",
    "matplotlib": "and this for plots",
    "dateparser": "and this for times in words; ours are instants",
}
"""What `headroom gate` must not import for an app file without a workspace, and why."""


def test_the_server_loads_no_client_that_its_extra_does_not_bring() -> None:
    """What asks Elasticsearch or AWS is installed, and loaded, by those who have them."""
    others = ("elasticsearch", "elastic_transport", "boto3", "botocore", "grafana_client")
    script = (
        "import sys, app.server, app.api.every, app.services.opening, app.console_server; "
        f"print(*(m for m in {others!r} if m in sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "" == found.stdout.strip()


def test_a_gate_imports_what_it_needs_only() -> None:
    """Cold start is a feature, guarded by what is imported: time would depend on the machine."""
    script = (
        "import sys; from app.cli.main import main; "
        "main(['gate', 'examples/minimal/ticketing.yaml', '--app', 'ticketing', "
        "'--prometheus', 'http://127.0.0.1:9', '--audit', sys.argv[1] + '/audit.jsonl']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    with TemporaryDirectory() as folder:
        result = subprocess.run(
            [sys.executable, "-c", script, folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    loaded = result.stderr.splitlines()[-1].split()

    assert "collectors.readers.prometheus.transport" in loaded, result.stderr
    assert [] == [name for name in NOT_FOR_A_GATE if name in loaded]


def test_what_a_gate_imports_defines_its_classes_quickly() -> None:
    """Frozen dataclasses come from `slo.records`, which compiles one method instead of six."""
    standard = {
        str(path.relative_to(ROOT))
        for package in ("slo", "collectors")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "dataclasses"
        if any(name.name == "dataclass" for name in node.names)
    }

    assert {"slo/records.py"} == standard
