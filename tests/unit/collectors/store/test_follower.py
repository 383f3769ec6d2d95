"""Commits are kept, in order, for as long as their follower needs them."""

from pathlib import Path

import pytest

from collectors.signals import Signal, table
from collectors.store import Follower, StoreWriter
from collectors.store.compaction import GRACE
from slo.errors import StoreError

NOW = 1_772_366_400_000_000_000


def append(writer: StoreWriter, *bodies: str) -> None:
    for body in bodies:
        writer.append(Signal.LOGS, table(Signal.LOGS, {"time": [NOW], "body": [body]}))


def follow(path: Path) -> Follower:
    return Follower(path, "forward/sink", [Signal.LOGS])


def bodies(follower: Follower) -> list[str]:
    return [
        str(body)
        for commit in follower.waiting(Signal.LOGS)
        for body in follower.rows(commit).column("body").to_pylist()
    ]


def finish_one(follower: Follower) -> None:
    follower.done(follower.waiting(Signal.LOGS)[0])


def test_commits_outlive_compaction_until_they_are_done(tmp_path: Path) -> None:
    """Their own files are deleted; what was done is not kept again."""
    with StoreWriter(tmp_path) as writer:
        follower = follow(tmp_path)
        append(writer, "a", "b", "c")
        assert 3 == follower.keep()
        writer.compact(NOW)
        writer.compact(NOW + 2 * GRACE)
        assert [] == list((tmp_path / "fresh" / "logs").iterdir())

        assert ["a", "b", "c"] == bodies(follower)
        finish_one(follower)
        assert ["b", "c"] == bodies(follower)
        assert 0 == follower.keep()
        append(writer, "d")
        follower.keep()
        assert ["b", "c", "d"] == bodies(follower)


def test_another_process_goes_on_after_the_last_that_is_done(tmp_path: Path) -> None:
    """What was committed and never kept, since the process was killed, is kept now."""
    with StoreWriter(tmp_path) as writer:
        follower = follow(tmp_path)
        append(writer, "a", "b")
        follower.keep()
        finish_one(follower)
        append(writer, "killed before it was kept")
        writer.compact(NOW)
    with StoreWriter(tmp_path) as writer:
        follower = follow(tmp_path)
        writer.compact(NOW + 2 * GRACE)

        assert ["b", "killed before it was kept"] == bodies(follower)


def test_the_first_follower_begins_with_what_no_segment_holds(tmp_path: Path) -> None:
    """History stays where it is."""
    with StoreWriter(tmp_path) as writer:
        append(writer, "old")
        writer.compact(NOW)
        append(writer, "new")

        assert ["new"] == bodies(follow(tmp_path))


def test_a_half_copied_file_and_one_that_is_done_are_removed(tmp_path: Path) -> None:
    """A process may be killed between the cursor and the file."""
    with StoreWriter(tmp_path) as writer:
        follower = follow(tmp_path)
        append(writer, "a", "b")
        follower.keep()
        first = follower.waiting(Signal.LOGS)[0]
        folder = follower.folder / "commits" / "logs"
        content = (folder / first.name).read_bytes()
        follower.done(first)
        (folder / first.name).write_bytes(content)
        (folder / "torn.tmp").write_bytes(b"PAR1")

        again = follow(tmp_path)

        assert ["b"] == bodies(again)
        assert 1 == len(list(folder.iterdir()))


def test_damage_is_told(tmp_path: Path) -> None:
    """Of the cursor when it is read, of a commit when its rows are."""
    with StoreWriter(tmp_path) as writer:
        follower = follow(tmp_path)
        append(writer, "a")
        follower.keep()
        (commit,) = follower.waiting(Signal.LOGS)
        path = follower.folder / "commits" / "logs" / commit.name
        path.unlink()
        path.write_bytes(b"nothing")
        with pytest.raises(StoreError, match="cannot be read"):
            follower.rows(commit)
        (follower.folder / "cursor.json").write_text("{")
        with pytest.raises(StoreError, match="is damaged"):
            follow(tmp_path)
