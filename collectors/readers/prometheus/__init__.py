"""Reading service levels from anything that speaks the Prometheus API."""

from collectors.readers.prometheus.client import PrometheusClient
from collectors.readers.prometheus.clock import Clock
from collectors.readers.prometheus.metadata import PrometheusMetadata, RuleGroup, RuleState
from collectors.readers.prometheus.reader import PrometheusReader, ReadMode

__all__ = [
    "Clock",
    "PrometheusClient",
    "PrometheusMetadata",
    "PrometheusReader",
    "ReadMode",
    "RuleGroup",
    "RuleState",
]
