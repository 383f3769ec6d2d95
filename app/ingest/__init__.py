"""Telemetry from files into a store: read in batches, each stored once however often it is read."""

from app.ingest.reading import Batch, batches
from app.ingest.run import Fault, Ingest, Tally, field_map

__all__ = ["Batch", "Fault", "Ingest", "Tally", "batches", "field_map"]
