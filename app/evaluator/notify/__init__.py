"""Telling people of alerts where no Alertmanager does, or handing alerts to one."""
