"""Answers as text, JSON and Markdown; pure functions of what services return."""
