"""Whether Python, Headroom and its libraries are what they should be."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata, util
from pathlib import Path

from app.doctor.model import Check, fail, ok, warn

DISTRIBUTION = "headroom"
PACKAGES = ("slo", "collectors", "dashboards", "alerts", "app")
"""Our top-level packages, whose names are so plain that others may use them too."""

_OLDEST = (3, 11)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def installation() -> list[Check]:
    """Look at the running interpreter and what is installed beside it."""
    owners = metadata.packages_distributions()
    return [
        python_check(sys.version_info[:3]),
        headroom_check(_version),
        libraries_check(_requirements(), _version),
        packages_check(owners, {name: _folder(name) for name in PACKAGES}),
        *shared_module_checks(owners),
    ]


def python_check(version: Sequence[int]) -> Check:
    """Judge the interpreter's version, as numbers."""
    text = ".".join(map(str, version))
    if tuple(version[:2]) < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        return fail("python", f"{text} is too old", f"install Python {oldest} or newer")
    return ok("python", text)


def headroom_check(version_of: Callable[[str], str | None]) -> Check:
    """Tell which version of Headroom is installed."""
    version = version_of(DISTRIBUTION)
    if version is None:
        return warn(
            "headroom",
            "it runs from a folder and is not installed",
            "install it with pipx, uv tool or pip, so that its libraries come along",
        )
    return ok("headroom", version)


def libraries_check(names: Sequence[str], version_of: Callable[[str], str | None]) -> Check:
    """Tell the versions of the required libraries, and which are missing."""
    versions = {name: version_of(name) for name in names}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return fail(
            "libraries",
            f"not installed: {', '.join(missing)}",
            f"pip install {' '.join(missing)}, or install headroom again",
        )
    found = ", ".join(f"{name} {version}" for name, version in versions.items())
    return ok("libraries", found or "none are declared")


def packages_check(
    owners: Mapping[str, Sequence[str]], folders: Mapping[str, Path | None]
) -> Check:
    """Tell whether our packages are ours: ``owners`` are distributions, ``folders`` where they are.

    A distribution that is installed in place may own no files; then the folders decide.
    """
    name = "packages"
    advice = "install headroom into an environment of its own, with pipx or uv tool"
    foreign = {
        package: sorted(set(owners.get(package, ())) - {DISTRIBUTION}) for package in PACKAGES
    }
    taken = [f"{package} ({', '.join(by)})" for package, by in foreign.items() if by]
    if taken:
        return fail(name, f"another distribution has these too: {', '.join(taken)}", advice)
    missing = [package for package in PACKAGES if folders.get(package) is None]
    if missing:
        return fail(name, f"cannot be found: {', '.join(missing)}", advice)
    places = sorted({str(folder) for folder in folders.values()})
    if len(places) > 1:
        return fail(name, f"they come from several folders: {', '.join(places)}", advice)
    return ok(name, f"{', '.join(PACKAGES)} from {places[0]}")


def shared_module_checks(owners: Mapping[str, Sequence[str]]) -> list[Check]:
    """Find a fork that was installed over urllib3, which our connections are made with."""
    found = sorted(set(owners.get("urllib3", ())))
    if len(found) < 2:  # noqa: PLR2004 - one owner is the usual
        return []
    return [
        warn(
            "urllib3",
            f"several distributions install it: {', '.join(found)}",
            "leave out the extra grafana where only Prometheus is read",
        )
    ]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _requirements() -> list[str]:
    """Return the names of what Headroom always needs, without what only extras bring."""
    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return []
    matches = (_REQUIREMENT.match(line) for line in sorted(lines) if "extra ==" not in line)
    return [match[0] for match in matches if match]


def _folder(package: str) -> Path | None:
    """Return the folder that a package stands in."""
    spec = util.find_spec(package)
    places = [] if spec is None else list(spec.submodule_search_locations or ())
    return Path(places[0]).resolve().parent if places else None
