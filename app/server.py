"""The server: receivers, API and console in one process, from its socket to its last answer.

It listens first, so that an address in use costs nothing; then it opens the store as its only
writer, and answers only when all is there. When it is told to end, requests that were accepted are
answered, others get 503, and the store is closed last.
"""

from __future__ import annotations

import errno
import importlib
import ipaddress
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from app.api.every import api_routes
from app.api.frame import Frame
from app.api.intake import Intake, Sizing
from app.api.site import ScopeOf, Site
from app.api.table import nothing_here
from app.api.tokens import read_tokens
from app.forwarding import open_forwarding
from app.project import Project
from app.services.alerts import ActiveAlert
from app.services.history import History
from app.services.opening import open_world
from app.services.world import World
from app.telemetry import Telemetry
from app.watching import measured
from collectors.signals import Signal
from collectors.store import Limit, Retention, StoreWriter
from slo import naming
from slo.errors import HeadroomError, UsageError
from slo.records import dataclass
from slo.workspace import Workspace

if TYPE_CHECKING:
    from app.counters import Counting
    from app.evaluator import Running
    from app.evaluator.alerting import Alert

COMPANIONS: tuple[str, ...] = ()
"""What runs beside the server, as ``module:function`` of ``start(world, telemetry)``."""

_MOST_CONNECTIONS = 512
_KEEP_ALIVE = 75
_LAST_ANSWERS = 30
_MILLISECOND = 1_000_000


class ServeError(HeadroomError):
    """The server cannot be started."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


class Companion(Protocol):
    """Something that works beside the server until it is closed."""

    def close(self) -> None:
        """End it, and wait until it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a server is started. ``port`` 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 8501
    console: bool = True
    access_log: Callable[[str], None] | None = None
    sizing: Sizing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A server that answers; ``end`` ends it as a signal would, from any thread."""

    url: str
    site: Site
    end: Callable[[], None]


def serve(
    project: Project,
    options: Options,
    *,
    environ: Mapping[str, str],
    telemetry: Telemetry,
    ready: Callable[[Started], None],
) -> None:
    """Serve until the process is told to end; ``ready`` is called once it answers.

    Raises ``UsageError`` for what makes no sense, ``ServeError`` for an address that cannot be
    had, and ``StoreBusy`` where another process writes to the store.
    """
    check_access(project.workspace, options.host)
    telemetry.begin()
    with ExitStack() as stack:
        listener = stack.enter_context(listen(options.host, options.port))
        url = _url(options.host, listener.getsockname()[1])
        writer = _writer(project.workspace, environ, telemetry, stack)
        world = open_world(project, environ=environ)
        if world.telemetry is not None:
            world = replace(world, telemetry=measured(world.telemetry, telemetry))
        if writer is not None:
            world = replace(world, history=History())
        site = _site(world, writer, telemetry, options)
        if site.intake is not None:
            stack.callback(site.intake.close)
        make = console_application() if options.console else api_application
        application = make(site)
        counting = _counting(world, telemetry)
        if counting is not None:
            stack.callback(counting.close)
        for name in COMPANIONS:
            stack.callback(_start(name, world, telemetry).close)
        if writer is not None:
            evaluator = _evaluator(world, writer, telemetry)
            stack.callback(evaluator.stop)
            site.board.attach(lambda: [_active(each) for each in evaluator.alerts])
        server = Server(application, site)
        server.ready = lambda: ready(Started(url=url, site=site, end=server.end))
        server.run(sockets=[listener])


def check_access(workspace: Workspace, host: str) -> None:
    """Raise ``UsageError`` for an address that others reach while nobody is asked who they are."""
    if workspace.serving.open and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached from elsewhere, and nobody would be asked who they are",
            hint="configure serve.trustedProxy in headroom.yaml, or listen on 127.0.0.1",
        )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def listen(host: str, port: int) -> Iterator[socket.socket]:
    """Hold a listening address; raises ``ServeError`` where it cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(cast("tuple[str, int]", address[:2]), family=family)
        # Connections inherit it. Without it, the body of an answer waits 40 ms behind its head.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        hint = None
        reason = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            reason, hint = "the port is in use", "choose another one with --port"
        elif error.errno == errno.EACCES:
            hint = "ports below 1024 need privileges; choose another one with --port"
        raise ServeError(f"cannot listen on {host}:{port}: {reason}", hint=hint) from error
    with listener:
        yield listener


def api_application(site: Site) -> ASGIApp:
    """The API alone."""
    routes = [*api_routes(site), nothing_here(site)]
    return Starlette(routes=routes, middleware=[Middleware(Frame, site=site)])


def console_application() -> Callable[[Site], ASGIApp]:
    """What makes API and console together; needs Streamlit, which the API does without.

    Found by its name: no command imports Streamlit, and this module serves them.
    """
    module = importlib.import_module("app.console_server")
    return cast("Callable[[Site], ASGIApp]", module.application)


class Server(uvicorn.Server):
    """Uvicorn, ending as this project wants it: answer what was accepted, refuse the rest.

    ``ready`` is called once it answers. A signal ends it well, which is no error.
    """

    ready: Callable[[], None]

    def __init__(self, application: ASGIApp, site: Site) -> None:
        self._site = site
        config = uvicorn.Config(
            application,
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_LAST_ANSWERS,
        )
        super().__init__(config)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started and not self.should_exit:
            self.ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGTERM and SIGINT, without passing them on once all is done."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        wanted = (signal.SIGINT, signal.SIGTERM)
        before = {each: signal.signal(each, self.handle_exit) for each in wanted}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Refuse what comes from now on; a second interrupt does not wait for answers."""
        self._site.draining.set()
        super().handle_exit(sig, frame)

    def end(self) -> None:
        """End the server from another thread, as a signal would."""
        self._site.draining.set()
        self.should_exit = True


def _writer(
    workspace: Workspace, environ: Mapping[str, str], telemetry: Telemetry, stack: ExitStack
) -> StoreWriter | None:
    if workspace.store is None:
        return None
    folder = Path(workspace.store)
    writer = stack.enter_context(StoreWriter(folder))
    # Before compaction, which deletes what a killed process had yet to forward.
    forwarding = open_forwarding(workspace, folder, environ=environ, telemetry=telemetry)
    if forwarding is not None:
        forwarding.start()
        stack.callback(forwarding.close)
    writer.start_background(time.time_ns, retention_of(workspace))
    return writer


def _evaluator(world: World, writer: StoreWriter, telemetry: Telemetry) -> Running:
    """Evaluate what is read from the store, whose alerts nobody else would raise."""
    from app.evaluator import start  # noqa: PLC0415 - loads the engine of PromQL

    store = Path(cast("str", world.project.workspace.store))
    return start(
        world.project,
        writer,
        store=store,
        clock=time.time_ns,
        state=store / "evaluator",
        telemetry=telemetry,
        history=world.history,
    )


def _counting(world: World, telemetry: Telemetry) -> Counting | None:
    """Count for Prometheus what it cannot read, beginning at once."""
    from app.counters import open_counting  # noqa: PLC0415 - loads the evaluator's file and more

    counting = open_counting(world, clock=time.time_ns, telemetry=telemetry)
    if counting is not None:
        counting.begin()
    return counting


def _active(alert: Alert) -> ActiveAlert:
    return ActiveAlert(
        name=alert.labels[naming.ALERT_NAME],
        state=str(alert.stage),
        labels={k: v for k, v in alert.labels.items() if k != naming.ALERT_NAME},
        since=alert.active_at * _MILLISECOND,
        value=alert.value,
        annotations=alert.annotations,
    )


def retention_of(workspace: Workspace) -> Retention:
    """What the store keeps, as the workspace says."""
    return Retention(
        limits={
            Signal(name): Limit(
                age=None if each.age is None else each.age.milliseconds * _MILLISECOND,
                size=each.size,
            )
            for name, each in workspace.retention.items()
        }
    )


def _site(world: World, writer: StoreWriter | None, telemetry: Telemetry, options: Options) -> Site:
    project = world.project
    tokens = read_tokens(project.workspace.serving, project.root, project.catalog)
    intake = None
    scope_of = scope_of_project(project)
    if writer is not None:
        intake = Intake(writer, project.catalog, telemetry, sizing=options.sizing)
    return Site(
        world=world,
        intake=intake,
        tokens=tokens,
        telemetry=telemetry,
        clock=time.time_ns,
        draining=threading.Event(),
        scope_of=scope_of,
        hosts=_hosts(project.workspace, options.host),
        access_log=options.access_log,
    )


def scope_of_project(project: Project) -> ScopeOf:
    """Who asks, by the roles of a project."""
    from app.roles import read_roles, scope_of  # noqa: PLC0415 - reads a file

    roles, serving = read_roles(project), project.workspace.serving
    return lambda headers, address: scope_of(serving, roles, headers, address)


def _hosts(workspace: Workspace, host: str) -> frozenset[str] | None:
    """The names the server goes by, or ``None`` where a proxy answers for them."""
    if not is_loopback(host):
        return None
    link = workspace.links.console
    public = urlsplit(link).hostname if link else None
    return frozenset({"localhost", "127.0.0.1", "::1", host.lower(), *([public] if public else [])})


def _url(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"


def _start(name: str, world: World, telemetry: Telemetry) -> Companion:
    module, _, function = name.partition(":")
    start = getattr(importlib.import_module(module), function)
    return cast("Companion", start(world, telemetry))
