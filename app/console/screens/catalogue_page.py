"""What the workspace declares, and how much of it is seen."""

from app.console.declared import draw

draw()
