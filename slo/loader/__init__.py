"""From texts to the model: YAML files of Headroom's own format in, a model and problems out.

Nothing here opens a file of the user's; a text comes with the name its problems should show.
"""

from slo.loader.catalog import Loaded, load_catalog
from slo.loader.documents import API_VERSION, KINDS, SourceFile
from slo.loader.intake import Templates
from slo.loader.schemas import schema
from slo.loader.windows import built_in_defaults, default_catalogue, load_windows
from slo.problems import Problem
from slo.workspace import Workspace

__all__ = [
    "API_VERSION",
    "KINDS",
    "Loaded",
    "SourceFile",
    "Templates",
    "built_in_defaults",
    "default_catalogue",
    "load_catalog",
    "load_windows",
    "load_workspace",
    "schema",
]


def load_workspace(file: SourceFile) -> tuple[Workspace | None, tuple[Problem, ...]]:
    """Read a workspace file; see `slo.loader.workspaces.load_workspace`."""
    # Its shapes are the largest of all, and a gate may do without a workspace.
    from slo.loader.workspaces import load_workspace as load  # noqa: PLC0415 - as said above

    return load(file)
