"""`headroom validate` as a process: every problem at once, in every format, without a network."""

import json
from pathlib import Path

import pytest

from tests.cli.installed import app_text, contents, headroom, write

ROOT = Path(__file__).parents[2]


def test_a_sound_folder_is_told_in_one_line(tmp_path: Path) -> None:
    """What was checked is counted."""
    write(tmp_path, ticketing=app_text(), cargo=app_text("cargo"))
    ending = headroom("validate", cwd=tmp_path)
    assert (0, "2 apps with 2 SLOs: no problems\n", "") == (
        ending.code,
        ending.stdout,
        ending.stderr,
    )
    assert {"cargo.yaml", "ticketing.yaml"} == set(contents(tmp_path)), "nothing was written"


@pytest.mark.parametrize("example", ["minimal", "full", "prometheus_demo"])
def test_every_example_validates(example: str, tmp_path: Path) -> None:
    """From any folder; what the examples say is right."""
    ending = headroom("validate", ROOT / "examples" / example, "--format", "json", cwd=tmp_path)
    assert 0 == ending.code, ending.stdout
    assert "error" not in {one["severity"] for one in ending.json}


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """Each with its place, its line and a caret, in the order of files and lines."""
    wrong = app_text("cargo").replace("objective", "objectve")
    also = app_text("ticketing", objective="100").replace("30d", "30 days")
    write(tmp_path, cargo=wrong, ticketing=also)
    ending = headroom("validate", cwd=tmp_path)
    assert (1, "") == (ending.code, ending.stderr)
    heads = [line for line in ending.stdout.splitlines() if ": error: " in line]
    assert [
        "cargo.yaml:7:7",
        "ticketing.yaml:7:18",
        "ticketing.yaml:8:15",
    ] == [line.partition(": error: ")[0] for line in heads]
    assert "7 |       objectve: 99.9\n  |       ^^^^^^^^\n" in ending.stdout
    assert ending.stdout.endswith("3 errors in 2 files\n")


def test_the_same_app_in_two_files_names_both_places(tmp_path: Path) -> None:
    """Neither file is wrong by itself."""
    write(tmp_path, one=app_text(), two=app_text())
    ending = headroom("validate", cwd=tmp_path)
    assert 1 == ending.code
    assert "[spec/duplicate-app]" in ending.stdout
    assert "one.yaml:3" in ending.stdout
    assert "two.yaml:3" in ending.stdout


def test_other_formats_say_the_same(tmp_path: Path) -> None:
    """JSON and SARIF for programs, annotations for pull requests; the code is the same."""
    write(tmp_path, ticketing=app_text(objective="100"))
    endings = {
        form: headroom("validate", "--format", form, cwd=tmp_path)
        for form in ("json", "sarif", "github")
    }
    assert {1} == {ending.code for ending in endings.values()}
    (problem,) = endings["json"].json
    assert ("spec/bad-objective", 7, 18) == (
        problem["id"],
        problem["location"]["line"],
        problem["location"]["column"],
    )
    (run,) = endings["sarif"].json["runs"]
    assert ["spec/bad-objective"] == [one["ruleId"] for one in run["results"]]
    start = "::error file=ticketing.yaml,line=7,endLine=7,col=18"
    assert endings["github"].stdout.startswith(start)


def test_a_sound_folder_is_empty_to_programs(tmp_path: Path) -> None:
    """An empty list, an empty run, no annotation."""
    write(tmp_path, ticketing=app_text())
    assert [] == headroom("validate", "--format", "json", cwd=tmp_path).json
    assert "" == headroom("validate", "--format", "github", cwd=tmp_path).stdout


def test_files_of_other_tools_are_passed_over_in_a_folder(tmp_path: Path) -> None:
    """But a file that was named has to be one of ours."""
    write(tmp_path, ticketing=app_text(), values="image: {tag: 1}\n")
    assert 0 == headroom("validate", cwd=tmp_path).code
    named = headroom("validate", "values.yaml", cwd=tmp_path)
    assert 1 == named.code
    assert "values.yaml:1:1: error:" in named.stdout


def test_no_path_and_no_file_is_wrong_usage(tmp_path: Path) -> None:
    """Nothing checked is not nothing wrong."""
    empty = headroom("validate", cwd=tmp_path)
    assert (2, "") == (empty.code, empty.stdout)
    missing = headroom("validate", "apps", cwd=tmp_path)
    assert (2, "") == (missing.code, missing.stdout)
    assert "there is no file or folder apps" in missing.stderr


def test_output_is_the_same_from_run_to_run(tmp_path: Path) -> None:
    """Whatever order Python's sets are in."""
    for number in range(6):
        write(tmp_path, **{f"app{number}": app_text(f"app{number}", objective="100")})
    seeds = ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2"})
    first, second = (
        headroom("validate", "--format", "json", cwd=tmp_path, environment=seed) for seed in seeds
    )
    assert first.stdout == second.stdout
    assert 6 == len(json.loads(first.stdout))


def test_a_gate_that_will_find_no_policy_is_told_before_the_deploy(tmp_path: Path) -> None:
    """A warning, at the name: the policy's file may be kept elsewhere."""
    environments = "[{name: dev, match: {a: b}}, {name: prod, gate: prodd}]"
    write(tmp_path, ticketing=app_text(environments=environments), policies=_policies("prod"))
    ending = headroom("validate", cwd=tmp_path)
    assert 0 == ending.code
    assert 'warning: there is no policy "prodd"; did you mean "prod"? [policy/unknown]' in (
        ending.stdout
    )
    line = next(each for each in ending.stdout.splitlines() if "gate: prodd" in each)
    carets = next(each for each in ending.stdout.splitlines() if "^^^^^" in each)
    assert line.index("prodd") == carets.index("^")


def test_two_policies_that_fit_equally_well_are_an_error(tmp_path: Path) -> None:
    """The gate would answer nothing but this."""
    policies = f"{_policies('one')}---\n{_policies('two')}"
    write(tmp_path, ticketing=app_text(), policies=policies)
    ending = headroom("validate", cwd=tmp_path)
    assert 1 == ending.code
    assert "[policy/conflict]" in ending.stdout


def _policies(name: str) -> str:
    return (
        f"apiVersion: headroom/v1\nkind: GatePolicy\nmetadata: {{name: {name}}}\n"
        "spec: {rules: [{id: budget, type: error_budget}]}\n"
    )


def test_a_file_in_another_encoding_is_not_called_empty(tmp_path: Path) -> None:
    """One problem, and the one that is true."""
    (tmp_path / "ticketing.yaml").write_bytes(app_text().encode("utf-16"))
    ending = headroom("validate", "ticketing.yaml", "--format", "json", cwd=tmp_path)
    assert 1 == ending.code
    assert ["yaml/encoding"] == [each["id"] for each in ending.json]
