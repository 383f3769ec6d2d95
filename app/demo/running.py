"""The demo as people see it: a server with a console, a month of history, and live traffic.

It is shown once the server has computed the history's budgets, so that the first page is quick.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.demo.airline import ENVIRONMENT
from app.demo.computing import Waiting, steps_of
from app.demo.filling import Advance, send
from app.demo.processes import Background, wait_until_answering
from app.demo.world import World
from slo.records import dataclass

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the demo runs."""

    workspace: Path
    store: Path
    port: int
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        """The address of its server."""
        return f"http://{HOST}:{self.port}"


def server(stage: Stage) -> Background:
    """Start `headroom serve`; the only place that knows how."""
    arguments = ("--workspace", stage.workspace, "--store", stage.store, "--host", HOST)
    return Background(
        "server",
        "app.cli.main",
        ["serve", *map(str, arguments), "--port", str(stage.port)],
        watching_itself(stage),
    )


def watching_itself(stage: Stage) -> dict[str, str]:
    """The environment of a server that sends its own telemetry to itself, and nowhere else."""
    others = {k: v for k, v in stage.environment.items() if not k.startswith("OTEL_")}
    return {
        **others,
        "OTEL_EXPORTER_OTLP_ENDPOINT": stage.url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRIC_EXPORT_INTERVAL": "15000",
        "OTEL_RESOURCE_ATTRIBUTES": f"deployment.environment.name={ENVIRONMENT},"
        "org.team=platform,service.instance.id=demo",
        # A proxy has no business between this machine and itself.
        "NO_PROXY": HOST,
        "no_proxy": HOST,
    }


def live(stage: Stage, world: World) -> Background:
    """Start the process that sends the present."""
    arguments = ("--url", stage.url, "--seed", str(world.seed), "--scale", str(world.scale))
    return Background("live traffic", "app.demo.live", arguments, stage.environment)


@contextmanager
def running(
    stage: Stage, world: World, advance: Advance, *, ticks: Callable[[], float]
) -> Iterator[Callable[[], None]]:
    """Start everything and fill the store; yield what raises once a process has ended early.

    Nothing is left running after the block.
    """
    with ExitStack() as stack:
        serving = stack.enter_context(server(stage))
        wait_until_answering(stage.url, serving, ticks)
        send(world, stage.url, time.time_ns, advance)
        sent = time.time()
        playing = stack.enter_context(live(stage, world))
        waiting = Waiting(url=stage.url, sent=sent, steps=steps_of(world) - world.steps)
        waiting.until_computed(advance, serving.check, ticks)

        def check() -> None:
            serving.check()
            playing.check()

        yield check
