"""Run a command and write down how long it took and how much memory it had: run by path.

A process of its own, because Linux hands a parent's peak memory down to what it starts: this one
is small. ``child.py REPORT OUTPUT COMMAND…`` writes JSON to REPORT.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path


def main() -> None:
    report, output, *command = sys.argv[1:]
    with Path(output).open("wb") as sink:
        began = time.perf_counter()
        code = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, check=False
        ).returncode
        seconds = time.perf_counter() - began
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    figures = {
        "code": code,
        "seconds": seconds,
        "cpu": used.ru_utime + used.ru_stime,
        "peak": used.ru_maxrss * unit,
    }
    Path(report).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main()
