"""``make demo-prometheus``: a real Prometheus with generated rules, and the gate on it."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from examples.prometheus_demo.history import load
from examples.prometheus_demo.traffic import Exporter, worlds
from tests.servers.processes import Prometheus
from tests.servers.provision.cache import Missing, find

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).parent / "headroom"
HOURS = 24
SEED = 7


def main() -> int:
    """Set the stage, play it, and leave it open until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="make demo-prometheus", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after the answers")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where its files go")
    arguments = parser.parse_args()
    binaries = find("prometheus-2.42")
    if isinstance(binaries, Missing):
        print(binaries, file=sys.stderr)
        return 1
    # A shell starts background jobs with SIGINT ignored; both signals end the demo tidily.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    try:
        play(binaries, arguments.folder.resolve(), once=arguments.once)
    except KeyboardInterrupt:
        say("stopped; nothing is left running")
    return 0


def play(binaries: Path, folder: Path, *, once: bool) -> None:
    """Simulate, record, serve, and ask."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    now = int(time.time())
    simulated = worlds(now, seed=SEED, hours=HOURS)
    generated = folder / "generated"
    say("generating rules, routes and dashboards from two app files")
    headroom(folder, "generate", str(HERE), "--out", str(generated), quiet=True)
    rules = sorted((generated / "prometheus").rglob("*.rules.yaml"))
    load(binaries, folder / "data", simulated, rules, now, say)
    exporter = Exporter(simulated)
    scrape = {
        "job_name": "demo",
        "scrape_interval": "15s",
        "honor_labels": True,
        "static_configs": [{"targets": [exporter.address]}],
    }
    try:
        with Prometheus(
            binaries,
            data=folder / "data",
            scrape_configs=[scrape],
            rules=rules,
        ) as server:
            ask(server.url, folder)
            if not once:
                say("Prometheus keeps running with live traffic. Ctrl-C ends it.")
                signal.pause()
    finally:
        exporter.close()


def ask(url: str, folder: Path) -> None:
    """Print budgets, then both answers of the gate, then where to look."""
    target = ("--prometheus", url)
    show(folder, "status", str(HERE), *target)
    for app in ("cargo", "ticketing"):
        show(folder, "gate", str(HERE), "--app", app, "--env", "prod", *target)
    print("Try next:")
    print(f"  Prometheus          {url}/graph")
    print(f"  alerts              {url}/alerts")
    print(f"  the generated files {near(folder / 'generated')}")
    print(f"  {near(PROGRAM)} status {near(HERE)} --prometheus {url}")


def show(folder: Path, command: str, *arguments: str) -> None:
    """Print a command as one would type it, and run it."""
    shown = " ".join(near(Path(text)) if text.startswith("/") else text for text in arguments)
    print(f"\n$ headroom {command} {shown}", flush=True)
    code = headroom(folder, command, *arguments)
    if command == "gate":
        print(f"(exit code {code})", flush=True)
    print(flush=True)


def headroom(folder: Path, command: str, *arguments: str, quiet: bool = False) -> int:
    """Run the installed command and return its exit code."""
    output = subprocess.DEVNULL if quiet else None
    # The demo's decisions stay out of the user's own audit log.
    environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
    return subprocess.run(
        [PROGRAM, command, *arguments], check=False, stdout=output, stderr=output, env=environment
    ).returncode


def near(path: Path) -> str:
    """Return a path as one would type it here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def say(text: str) -> None:
    """Tell what is going on, on stderr."""
    print(f"demo: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
