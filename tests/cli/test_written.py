"""What writing generated files did, told at the terminal."""

from pathlib import Path

from app.artefacts import apply, check, plan
from app.cli.written import report_check, report_conflicts, report_written
from tests.cli.fakes.terminals import terminal_in_memory, written


def test_each_file_that_was_touched_is_named_and_all_are_counted(tmp_path: Path) -> None:
    """Someone whose edits were overwritten is told so."""
    apply(plan(tmp_path, {"rules": {"a": "1", "b": "1", "c": "1", "d": "1"}}))
    (tmp_path / "a").write_text("edited")
    planned = plan(tmp_path, {"rules": {"a": "2", "b": "2", "d": "1", "e": "1"}})
    terminal = terminal_in_memory()
    report_written(terminal, planned)
    expected = (
        f"created {tmp_path}/e\n"
        f"changed {tmp_path}/a (it had been edited by hand)\n"
        f"changed {tmp_path}/b\n"
        f"removed {tmp_path}/c\n"
    )
    assert expected == written(terminal.stdout)
    counts = f"1 created, 2 changed, 1 removed, 1 unchanged in {tmp_path}\n"
    assert counts == written(terminal.stderr)


def test_conflicts_are_named_with_what_to_do(tmp_path: Path) -> None:
    """All at once."""
    (tmp_path / "a").write_text("mine")
    terminal = terminal_in_memory()
    report_conflicts(terminal, plan(tmp_path, {"rules": {"a": "1", "CON": "1"}}))
    expected = (
        f"{tmp_path}/CON: error: a part is a device on Windows [unsafe-name]\n"
        f"{tmp_path}/a: error: the file is there, and Headroom did not write it [foreign]\n"
        "hint: move the file away, or overwrite it with --force\n"
        "2 conflicts; nothing was written\n"
    )
    assert expected == written(terminal.stderr)


def test_a_check_names_the_files_that_are_out_of_date(tmp_path: Path) -> None:
    """Or says that none are."""
    planned = plan(tmp_path, {"rules": {"a": "1"}})
    terminal = terminal_in_memory()
    report_check(terminal, planned, check(planned))
    assert f"{tmp_path}/a: missing\n" == written(terminal.stdout)
    assert written(terminal.stderr) == "1 file out of date; run headroom generate\n"
    apply(planned)
    terminal = terminal_in_memory()
    report_check(terminal, planned, check(plan(tmp_path, {"rules": {"a": "1"}})))
    assert f"{tmp_path} is up to date\n" == written(terminal.stderr)
