"""What Streamlit has to be told before it serves the console; it is not imported here."""

from __future__ import annotations

from collections.abc import Mapping

_ACCENT_ON_LIGHT, _ACCENT_ON_DARK = "#2563eb", "#60a5fa"

SETTINGS: Mapping[str, bool | str] = {
    # Nothing is sent anywhere, and nobody is asked to.
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    # A visitor is told that something broke; what broke is in the log.
    "client.showErrorDetails": "none",
    "server.fileWatcherType": "none",
    # Red is for what is bad, and so no accent.
    "theme.light.primaryColor": _ACCENT_ON_LIGHT,
    "theme.dark.primaryColor": _ACCENT_ON_DARK,
}
"""Options of Streamlit by their names."""
