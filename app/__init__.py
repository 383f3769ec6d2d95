"""The outermost ring: commands, services and everything that touches the outside."""
