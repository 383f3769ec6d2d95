"""The demo's world: an airline of six applications with a month of telemetry.

::

    world = World(seed=7, now_ns=…, days=30, scale=1.0)
    world.truth                      what was planted: when, where, and how much
    for batch in world.batches():    OTLP requests, oldest first; the same arguments, the same bytes

`app.demo.filling` puts batches into a store or sends them to a server; `app.demo.live` is the
process that goes on sending afterwards. Needs the ``store`` extra.
"""

from app.demo.world import Batch, World

__all__ = ["Batch", "World"]
