"""The ``headroom`` command, one module per sub-command."""
