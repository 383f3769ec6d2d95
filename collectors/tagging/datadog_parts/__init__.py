"""The parts of the Datadog agent's files."""
