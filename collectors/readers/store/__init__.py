"""Readers of the embedded store: the same questions as of any other source."""

from collectors.readers.store.asking import REFERENCE
from collectors.readers.store.counts import StoreCounts
from collectors.readers.store.metrics import StoreMetrics
from collectors.readers.store.telemetry import StoreTelemetry

__all__ = ["REFERENCE", "StoreCounts", "StoreMetrics", "StoreTelemetry"]
