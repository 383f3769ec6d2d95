"""What belongs to no application."""

from app.console.nobody import draw

draw()
