"""First workspaces: a commented example, or proposals from what a Prometheus holds."""

from app.scaffold.checked import checked
from app.scaffold.texts import example_app, gitignore, policy, workspace
from app.scaffold.write import ScaffoldError, taken, write

__all__ = [
    "ScaffoldError",
    "checked",
    "example_app",
    "gitignore",
    "policy",
    "taken",
    "workspace",
    "write",
]
