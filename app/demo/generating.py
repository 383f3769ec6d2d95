"""Making a world in a process of its own, while this one does something with it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection

from app.demo.world import Batch, World
from slo.errors import HeadroomError


class DemoError(HeadroomError):
    """The demo cannot be set up; ``hint`` says what may help."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


def generated(world: World) -> Iterator[tuple[Batch, ...]]:
    """Yield the chunks of a world that another process makes meanwhile."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_generate, args=(world, there), daemon=True)
    process.start()
    there.close()  # so that the other process holds the only end, and its death is the end
    try:
        for _ in range(world.steps):
            yield here.recv()
    except EOFError:
        raise DemoError("the process that makes the demo's world has ended early") from None
    finally:
        here.close()
        process.terminate()
        process.join()


def _generate(world: World, out: Connection) -> None:
    # Ctrl-C is for the process that shows the demo; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):
        for batches in world.chunks():
            out.send(batches)
