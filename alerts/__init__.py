"""Prometheus rules and Alertmanager configuration made from the model."""
