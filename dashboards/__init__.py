"""Dashboards made from the model."""
