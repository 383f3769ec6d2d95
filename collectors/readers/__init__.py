"""Readers of telemetry back ends; each implements ports of ``slo.ports``."""
