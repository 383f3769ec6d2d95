"""Counters of what Prometheus cannot read itself: log records, spans, other products' counts.

Each service level has two, of all its events and of the good ones. `headroom serve` shows them on
``/metrics`` and may send them by remote write; the rules of ``generate`` read them::

    counting = open_counting(world, clock=time.time_ns, telemetry=telemetry)
    counting.begin()
    counting.close()
"""

from app.counters.opening import Counting, open_counting

__all__ = ["Counting", "open_counting"]
