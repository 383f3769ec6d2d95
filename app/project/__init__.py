"""A workspace as it lies on disk: which files belong to it, and what they say."""

from app.project.files import Inputs, find_workspace, scan
from app.project.open import Project, open_project, open_workspace

__all__ = ["Inputs", "Project", "find_workspace", "open_project", "open_workspace", "scan"]
