"""`headroom store` as a process: figures, soundness, compaction and export."""

import json
from pathlib import Path

import pytest

from collectors.signals import Signal
from collectors.store import StoreWriter
from tests.cli.installed import headroom
from tests.unit.collectors.store.telemetry import NOON, SECOND, logs, spans


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A store with logs of two apps and of none."""
    with StoreWriter(tmp_path / "data") as store:
        store.append(Signal.LOGS, logs("t0", "t1"))
        store.compact(NOON)
        store.append(Signal.LOGS, logs("c0", app="cargo", at=NOON + 2 * SECOND))
        store.append(Signal.LOGS, logs("u0", app=None, at=NOON + 3 * SECOND))
        store.append(Signal.SPANS, spans(1))
    return tmp_path / "data"


def test_stats_are_json_or_a_table(data: Path) -> None:
    """Both say the same."""
    ending = headroom("store", "stats", "--store", data, "--format", "json", cwd=data.parent)
    assert (0, "") == (ending.code, ending.stderr)
    assert 0 == ending.json["quarantined"]
    found = ending.json["signals"]["logs"]
    assert {
        "records": 4,
        "bytes": found["bytes"],
        "oldest": "2025-10-09T12:00:00Z",
        "newest": "2025-10-09T12:00:03Z",
        "segments": 1,
    } == found
    table = headroom("store", "stats", "--store", data, cwd=data.parent).stdout
    assert f"logs           4  {found['bytes']:,}" in table


def test_the_store_is_the_workspaces_unless_named(data: Path) -> None:
    """A path in the workspace is relative to it."""
    (data.parent / "headroom.yaml").write_text(
        "apiVersion: headroom/v1\nkind: Workspace\nspec:\n  sources:\n    store: {path: data}\n"
    )
    inner = data.parent / "inner"
    inner.mkdir()
    ending = headroom("store", "stats", "--format", "json", cwd=inner)
    assert (0, 4) == (ending.code, ending.json["signals"]["logs"]["records"])


def test_no_store_is_said(tmp_path: Path) -> None:
    """Neither a workspace that names none nor a folder that is none; and none is made."""
    ending = headroom("store", "stats", cwd=tmp_path)
    assert (2, "error: the workspace names no store") == (
        ending.code,
        ending.stderr.splitlines()[0],
    )
    for action in ("stats", "verify", "compact"):
        ending = headroom("store", action, "--store", "nothing", cwd=tmp_path)
        assert 1 == ending.code
        assert "error: there is no store in " in ending.stderr
    assert [] == list(tmp_path.glob("nothing*"))


def test_verify_finds_damage(data: Path) -> None:
    """Exit code 1 and a line for each problem; compacting sets the file aside."""
    ending = headroom("store", "verify", "--store", data, cwd=data.parent)
    assert (0, "the store is sound\n") == (ending.code, ending.stdout)
    (segment,) = data.rglob("segments/**/*.parquet")
    segment.write_bytes(segment.read_bytes()[:-9] + b"x" * 9)
    ending = headroom("store", "verify", "--store", data, cwd=data.parent)
    problem = f"{segment.relative_to(data)} is not as it was written"
    assert (1, [problem, "1 problem"]) == (ending.code, ending.stdout.splitlines())
    ending = headroom("store", "verify", "--store", data, "--format", "json", cwd=data.parent)
    assert (1, {"problems": [problem]}) == (ending.code, ending.json)
    ending = headroom("store", "compact", "--store", data, cwd=data.parent)
    warning = "warning: 1 damaged file set aside in quarantine\n"
    assert (0, warning) == (ending.code, ending.stderr)
    ending = headroom("store", "verify", "--store", data, cwd=data.parent)
    assert (0, "the store is sound\n") == (ending.code, ending.stdout)
    ending = headroom("store", "stats", "--store", data, cwd=data.parent)
    assert "1 file was set aside" in ending.stdout


def test_compact_absorbs_what_is_fresh(data: Path) -> None:
    """Nothing is lost; a writer that is at work is not disturbed."""
    before = headroom("store", "export", "logs", "--store", data, cwd=data.parent).stdout
    with StoreWriter(data):
        ending = headroom("store", "compact", "--store", data, cwd=data.parent)
        assert (1, "") == (ending.code, ending.stdout)
        assert "is being written by process" in ending.stderr
    ending = headroom("store", "compact", "--store", data, "--format", "json", cwd=data.parent)
    assert (0, {"segments": 3, "setAside": 0}) == (ending.code, ending.json)
    assert before == headroom("store", "export", "logs", "--store", data, cwd=data.parent).stdout


def test_export_prints_a_line_for_each_record(data: Path) -> None:
    """Nested JSON in the order of time, of one app, of nobody, or of a range."""

    def bodies(*flags: str) -> list[str]:
        ending = headroom("store", "export", "logs", "--store", data, *flags, cwd=data.parent)
        assert (0, "") == (ending.code, ending.stderr)
        return [json.loads(line)["body"] for line in ending.stdout.splitlines()]

    assert ["t0", "t1", "c0", "u0"] == bodies()
    assert ["c0", "u0"] == bodies("--app", "cargo", "--app", "")
    assert ["t1", "c0"] == bodies(
        "--since", "2025-10-09T12:00:01Z", "--until", "2025-10-09T12:00:03Z"
    )


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("export",), "export needs a signal"),
        (("export", "log"), 'unknown signal "log"; did you mean "logs"?'),
        (("stats", "logs"), "a signal is for export only"),
        (("verify", "--app", "cargo"), "--app is for export only"),
        (("repair",), "repair"),
    ],
)
def test_wrong_usage_is_said(data: Path, argv: tuple[str, ...], message: str) -> None:
    """With exit code 2."""
    ending = headroom("store", *argv, "--store", data, cwd=data.parent)
    assert (2, "") == (ending.code, ending.stdout)
    assert message in ending.stderr
