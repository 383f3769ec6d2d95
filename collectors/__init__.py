"""How telemetry is read back from the systems that hold it."""
