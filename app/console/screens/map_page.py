"""Who calls whom."""

from app.console.topology import draw

draw()
