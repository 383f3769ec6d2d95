"""The shape of stored telemetry: one set of columns per signal, whoever writes or reads them."""

from collectors.signals.columns import COMMON, SCHEMAS, Signal, empty, table

__all__ = ["COMMON", "SCHEMAS", "Signal", "empty", "table"]
