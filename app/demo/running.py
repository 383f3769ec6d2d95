"""The demo as people see it: a server with a console, a month of history, and live traffic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

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
        stage.environment,
    )


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
        playing = stack.enter_context(live(stage, world))

        def check() -> None:
            serving.check()
            playing.check()

        yield check
