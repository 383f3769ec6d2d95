"""What is shipped: exactly the five packages, and a command that runs from it alone."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"slo", "collectors", "dashboards", "alerts", "app"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


@pytest.mark.xdist_group("wheel")
def test_the_wheel_holds_the_five_packages_and_nothing_else(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert PACKAGES == {name for name in names if not name.endswith(".dist-info")}


@pytest.mark.xdist_group("wheel")
def test_the_wheel_holds_its_data_files(wheel: Path) -> None:
    """Window pairs and indicator templates are data, and data is easily forgotten."""
    names = zipfile.ZipFile(wheel).namelist()

    assert "slo/windows.yaml" in names
    assert any(name.startswith("slo/templates/") and name.endswith(".yaml") for name in names)
    assert "slo/py.typed" in names


@pytest.mark.xdist_group("wheel")
def test_every_file_of_the_wheel_is_of_the_packages_or_the_demos(wheel: Path) -> None:
    """What lies elsewhere in the checkout is the demo's workspace, and all of it is there."""
    demo, airline = "app/demo/workspace/", ROOT / "examples" / "airline"
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    expected = {
        demo + str(path.relative_to(airline))
        for path in (airline / "headroom.yaml", *airline.glob("*/*.yaml"))
    }

    assert expected == {name for name in names if name.startswith(demo)}
    assert [] == [each for each in sorted(names - expected) if not (ROOT / each).is_file()]


@pytest.mark.xdist_group("wheel")
def test_the_wheel_passes_its_linter(wheel: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "check_wheel_contents", wheel],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == result.returncode, result.stdout + result.stderr


@pytest.mark.xdist_group("wheel")
def test_the_command_runs_from_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    """Installed without the checkout, the command validates an app file."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel],
        check=True,
        capture_output=True,
    )
    spec = tmp_path / "ticketing.yaml"
    spec.write_text((ROOT / "examples" / "minimal" / "ticketing.yaml").read_text())

    result = subprocess.run(
        [tmp_path / "env" / "bin" / "headroom", "validate", spec],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == result.returncode, result.stdout + result.stderr
