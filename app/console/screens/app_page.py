"""One application."""

from app.console.application import draw

draw()
