"""What the store receives, sent on to Elasticsearch or OpenSearch: each commit once, in order.

::

    forwarding = open_forwarding(workspace, environ=…, telemetry=…)    before compaction begins
    forwarding.start()
    forwarding.close()
"""

from app.forwarding.running import Forwarding, open_forwarding

__all__ = ["Forwarding", "open_forwarding"]
