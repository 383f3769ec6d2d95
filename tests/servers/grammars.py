"""Collectors' own parsers as command-line tools: Alloy's syntax and Vector's language."""

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.servers.processes import Outcome, run_tool


def alloy_blocks(binaries: Path, config: Path) -> Outcome:
    """Parse a configuration of Alloy; prints ``{attributes, blocks}``, or errors with places.

    A block has ``name`` (dotted), ``label``, ``line``, ``attributes`` (expressions as text) and
    ``blocks``. Only the grammar is known to it: components and their arguments are not.
    """
    return run_tool(binaries / "alloy-syntax", config)


def run_vrl(
    binaries: Path, program: Path, events: Iterable[Mapping[str, Any]] = ()
) -> subprocess.CompletedProcess[str]:
    """Compile a program, then run it on events; one JSON event a line on the way out.

    Code 1 is a program that does not compile, 3 one that fails on an event.
    """
    return subprocess.run(
        [binaries / "vrl", program],
        input="".join(f"{json.dumps(event)}\n" for event in events),
        capture_output=True,
        text=True,
        check=False,
    )
