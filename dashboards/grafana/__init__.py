"""Grafana dashboards in the classic model."""
