"""The parts of OpenTelemetry Collector files: `otelcol` and `sumo` put them together."""
