"""The tabs of the App page."""
