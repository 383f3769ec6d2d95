"""Prometheus rules of an application: recording, alerting, and the files they go into."""
