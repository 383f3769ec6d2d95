"""Every application: what is left of its budgets, and whether it may ship."""

from app.console.fleet import draw

draw()
