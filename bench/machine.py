"""What the figures were measured with."""

import os
import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.servers.provision.cache import Missing, find
from tests.servers.provision.recipes import load_recipes


def about() -> Mapping[str, str]:
    """Versions and the machine, by name."""
    found = {
        "headroom": _own_version(),
        "python": platform.python_version(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory()}",
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()) + " (1, 5, 15 minutes)",
        "system": f"{platform.system()} {platform.release()}",
    }
    parts = {name: isinstance(find(name), Missing) for name in load_recipes()}
    found["servers and peers"] = ", ".join(name for name, missing in parts.items() if not missing)
    if any(parts.values()):
        found["missing"] = ", ".join(name for name, missing in parts.items() if missing)
    return found


def _own_version() -> str:
    try:
        return version("headroom")
    except PackageNotFoundError:
        return "from the checkout, not installed"


def _processor() -> str:
    lines = _read("/proc/cpuinfo")
    named = re.search(r"^model name\s*:\s*(.+)$", lines, flags=re.MULTILINE)
    return named[1] if named else platform.machine()


def _memory() -> str:
    found = re.search(r"^MemTotal:\s*(\d+) kB", _read("/proc/meminfo"), flags=re.MULTILINE)
    return f"{int(found[1]) / 2**20:.0f} GiB" if found else "memory unknown"


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text(encoding="utf-8") if file.exists() else ""
