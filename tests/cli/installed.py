"""The installed `headroom` as a pipeline would call it: a process, its two streams, its code."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = Path(sys.executable).parent / "headroom"
WIDTH = "80"
BYTECODE = Path(__file__).parents[2] / ".pytest_cache" / "bytecode"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a command left behind, and how long it took."""

    code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def json(self) -> Any:
        """The standard output as data."""
        return json.loads(self.stdout)


def headroom(
    *argv: str | Path,
    cwd: Path,
    environment: Mapping[str, str] | None = None,
    timeout: float = 60,
) -> Ending:
    """Run the command in a folder; whatever it does, a traceback is a failure of the test.

    Settings and state of the user are out of its reach: without a workspace its state is below
    the folder, in `.state`.
    """
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("HEADROOM")}
    for name in ("PYTHONWARNINGS", "PYTHONDONTWRITEBYTECODE"):
        inherited.pop(name, None)
    own = {
        "XDG_STATE_HOME": str(cwd / ".state"),
        "HOME": str(cwd),
        "COLUMNS": WIDTH,
        # Compiled once for all runs, which takes half of each, and never beside the sources.
        "PYTHONPYCACHEPREFIX": str(BYTECODE),
    }
    began = time.monotonic()
    done = subprocess.run(
        [PROGRAM, *map(str, argv)],
        cwd=cwd,
        env={**inherited, **own, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    ending = Ending(
        code=done.returncode,
        stdout=done.stdout.decode(),
        stderr=done.stderr.decode(),
        seconds=time.monotonic() - began,
    )
    assert "Traceback" not in ending.stderr, ending.stderr
    assert "this is a bug" not in ending.stderr, ending.stderr
    return ending


def app_text(
    name: str = "ticketing",
    *,
    objective: str = "99.9",
    job: str | None = None,
    environments: str | None = None,
    gate: str | None = None,
    slos: str = "",
) -> str:
    """An app file with the SLO `availability`; further ones may follow as lines of YAML."""
    selector = f'http_requests_total{{job="{job or f"{name}-api"}"'
    lines = [
        "apiVersion: headroom/v1",
        "kind: App",
        f"metadata: {{name: {name}, team: bookings}}",
        "spec:",
        *([] if environments is None else [f"  environments: {environments}"]),
        *([] if gate is None else [f"  gate: {gate}"]),
        "  slos:",
        "    - name: availability",
        f"      objective: {objective}",
        "      window: 30d",
        "      indicator:",
        "        events:",
        f"          total: '{selector}}}'",
        f"""          bad: '{selector},code=~"5.."}}'""",
    ]
    return "\n".join([*lines, ""]) + slos


def write(folder: Path, **files: str) -> Path:
    """Write app files by the name of their app, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder by its relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
