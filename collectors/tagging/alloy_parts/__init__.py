"""The parts of Grafana Alloy's files."""
