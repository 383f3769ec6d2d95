"""How a page gets what it draws from: Streamlit gives scripts no arguments.

The server installs one host for its process before the first visitor comes; a test installs its
own. It is the only state of the console that is not in an address, and it never changes meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from app.access import OPEN, Scope
from app.services.world import World
from app.telemetry import Telemetry
from slo.errors import UsageError
from slo.records import dataclass

Headers = Mapping[str, str]


def everybody(headers: Headers, address: str | None) -> Scope:  # noqa: ARG001 - asked of nobody
    """The scope of any visitor while no access is configured."""
    return OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What a process gives its pages.

    ``world`` returns the sources as they are configured now. ``scope_of`` says who asks, from a
    request's headers and the address it came from; it may raise ``Forbidden``. ``telemetry``
    measures the pages.
    """

    world: Callable[[], World]
    clock: Callable[[], datetime]
    telemetry: Telemetry
    scope_of: Callable[[Headers, str | None], Scope] = everybody


_HELD: list[Host] = []


def install(host: Host) -> None:
    """Make this the host of every page that is drawn from now on."""
    _HELD[:] = [host]


def installed() -> Host:
    """The host; raises ``UsageError`` when none was installed."""
    if not _HELD:
        raise UsageError("the console has nothing to show", hint="start it with headroom serve")
    return _HELD[0]
