"""A command that cannot even be imported."""

raise RuntimeError("imported")
