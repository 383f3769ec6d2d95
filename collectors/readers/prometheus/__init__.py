"""Reading service levels from anything that speaks the Prometheus API.

`metadata` stands beside it for those who ask a server about itself.
"""

from collectors.readers.prometheus.client import PrometheusClient
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.reader import PrometheusReader, ReadMode

__all__ = [
    "Clock",
    "PrometheusClient",
    "PrometheusReader",
    "ReadMode",
]
