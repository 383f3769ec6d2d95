"""What the routes of one server work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from threading import Event
from typing import TYPE_CHECKING

from starlette.requests import Request

from app.access import OPEN, Scope
from app.api.tokens import Tokens
from app.services.alerts import Board
from app.services.world import World
from app.telemetry import Telemetry
from slo.records import dataclass

if TYPE_CHECKING:
    from app.api.intake import Intake

ScopeOf = Callable[[Mapping[str, str], str | None], Scope]
"""Who asks, by the headers of a request (names in lower case) and the address it came from."""


def everybody(headers: Mapping[str, str], address: str | None) -> Scope:
    """Return the scope of a server that asks nobody who they are."""
    del headers, address
    return OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One server: its sources, its way in, and who may do what.

    ``intake`` is ``None`` without a store. ``clock`` tells Unix nanoseconds. ``draining`` is set
    once the server is about to end. ``access_log`` gets a line for each request. ``board`` has
    the alerts of the rules that this server evaluates.
    """

    world: World
    intake: Intake | None
    tokens: Tokens
    telemetry: Telemetry
    clock: Callable[[], int]
    draining: Event
    scope_of: ScopeOf = everybody
    hosts: frozenset[str] | None = None
    access_log: Callable[[str], None] | None = None
    board: Board = field(default_factory=Board)

    def scope(self, request: Request) -> Scope:
        """Who asks; raises ``Forbidden`` for somebody without a role."""
        return self.scope_of(request.headers, address_of(request))


def address_of(request: Request) -> str | None:
    """Where a request came from, as the network says; headers are not believed."""
    return None if request.client is None else request.client.host
