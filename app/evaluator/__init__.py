"""Service levels evaluated on the embedded store, where no Prometheus does it.

The rules are those that ``generate`` writes. What they record goes into the store, where status,
gate and console read it as they read a Prometheus; alerts have the same names and labels::

    running = start(project, writer, store=folder, clock=time.time_ns, state=folder)
    running.alerts, running.status, running.failing
    running.stop()
"""

from app.evaluator.alerting import Alert, Stage
from app.evaluator.service import Running, Status, start

__all__ = ["Alert", "Running", "Stage", "Status", "start"]
