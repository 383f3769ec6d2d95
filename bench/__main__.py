"""Measure against peers and the raw engine: ``python -m bench [NAME…] [--quick] [--json FILE]``."""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.machine import about
from bench.model import Bench, FailedError, Result, Row, Run, UnavailableError
from bench.registry import BENCHES
from bench.table import as_json, table
from tests.servers.server import ServerError

FAILED = "failed"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen benchmarks and print their figures; 1 when one went wrong.

    A missed target is a figure, and no failure.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in BENCHES]:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    chosen = [BENCHES[name] for name in options.names or BENCHES]
    began = time.monotonic()

    def tell(progress: str) -> None:
        print(f"bench [{time.monotonic() - began:4.0f} s] {progress}", file=sys.stderr, flush=True)

    results = [run_one(bench, quick=options.quick, tell=tell) for bench in chosen]
    rows = [row for result in results for row in result.rows]
    details = [result.detail for result in results if result.detail]
    versions = about()
    print("\n\n".join([table(rows), *details, _versions(versions)]))
    if options.json:
        options.json.write_text(as_json(rows, versions), encoding="utf-8")
    return 1 if any(row.figures.startswith(FAILED) for row in rows) else 0


def run_one(bench: Bench, *, quick: bool, tell: Callable[[str], None]) -> Result:
    """Run one benchmark in its own folder; what is missing or went wrong becomes its only row."""
    with tempfile.TemporaryDirectory(prefix=f"headroom-bench-{bench.name}-") as folder:
        run = Run(quick=quick, folder=Path(folder), tell=lambda said: tell(f"{bench.name}: {said}"))
        run.tell(bench.about)
        try:
            return bench.run(run)
        except UnavailableError as missing:
            figures = f"skipped: {missing}"
        except (FailedError, ServerError, subprocess.CalledProcessError) as error:
            figures = f"{FAILED}: {error}"
        run.tell(figures)
        row = Row(bench=bench.name, what=bench.about, value=None, figures=figures.splitlines()[0])
        return Result(rows=[row])


def _versions(found: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in found.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure against peers and the raw engine. Every ratio is ours divided by the "
        "peer's, from one run on one machine; smaller is better.",
        epilog="Benchmarks: "
        + "; ".join(f"{each.name}: {each.about}" for each in BENCHES.values()),
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="only these benchmarks; all of them without a name",
    )
    parser.add_argument("--quick", action="store_true", help="smaller input and fewer rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
