"""A host's rsyslog has the inputs of that host, and of no other."""

import re
from pathlib import Path

import pytest

from collectors.tagging import rsyslog as generator
from tests.servers.processes import run_tool
from tests.unit.collectors.tagging.examples import airline


def _loaded(rsyslog_bin: Path, main: Path, folder: Path) -> str:
    """The whole configuration as the real rsyslog reads it, what it includes included."""
    whole = folder / "whole"
    outcome = run_tool(rsyslog_bin / "rsyslogd", "-N1", "-f", main, "-o", whole)
    assert outcome.ok, outcome.output
    return whole.read_text()


@pytest.mark.parametrize("host", ["tick-1.example", "cargo-1", "another", ""])
def test_only_a_host_s_own_files_are_read(
    rsyslog_bin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A host that nobody named, or whose name is not set, reads none of them."""
    files = generator.files(airline())
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    variables = {
        line.partition("=")[0]: line.partition("=")[2]
        for line in files["headroom-rsyslog.env"].splitlines()
        if not line.startswith("#")
    }
    places = {"HEADROOM_CONFIG": str(tmp_path), "HEADROOM_STATE": str(tmp_path)}
    for name, value in (variables | places | {"HEADROOM_HOST": host}).items():
        monkeypatch.setenv(name, value)
    loaded = _loaded(rsyslog_bin, tmp_path / generator.CONFIG, tmp_path)
    assert ([host] if f"What only {host} has" in "".join(files.values()) else []) == re.findall(
        r"What only (\S+) has", loaded
    )
