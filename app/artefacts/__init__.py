"""Generated files: planned first, then written all or none.

A manifest in the output folder lists what was written, so that a later run can change and remove
its own files and leaves everything else alone.
"""

from app.artefacts.apply import apply
from app.artefacts.errors import ArtefactError
from app.artefacts.manifest import MANIFEST_NAME, read_files
from app.artefacts.plan import Conflict, Difference, Plan, State, Trouble, check, plan

__all__ = [
    "MANIFEST_NAME",
    "ArtefactError",
    "Conflict",
    "Difference",
    "Plan",
    "State",
    "Trouble",
    "apply",
    "check",
    "plan",
    "read_files",
]
