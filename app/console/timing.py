"""How long a page takes: from the start of its script until its last panel stands."""

from __future__ import annotations

import time
from enum import IntEnum
from threading import Lock

import streamlit as st

from app.telemetry import Telemetry

_KEY = "drawing"


class Outcome(IntEnum):
    """What became of a page: that of its worst panel."""

    DRAWN = 0
    PARTIAL = 1
    FORBIDDEN = 2
    FAILED = 3


class Drawing:
    """One page on its way to a visitor; panels are drawn in threads of their own.

    It is told of once: a panel that is drawn again later belongs to no page.
    """

    def __init__(self, telemetry: Telemetry, page: str, tab: str) -> None:
        self._telemetry = telemetry
        self._labels = {"page": page, "tab": tab}
        self._began = time.perf_counter()
        self._lock = Lock()
        self._waiting = 1  # the page itself, until all of its panels have begun
        self._worst = Outcome.DRAWN

    def begin(self) -> None:
        """A panel begins."""
        with self._lock:
            self._waiting += 1

    def end(self, outcome: Outcome = Outcome.DRAWN) -> None:
        """A panel stands, or the page has begun all of its panels."""
        with self._lock:
            self._waiting -= 1
            self._worst = max(self._worst, outcome)
            if self._waiting:
                return
        self._telemetry.took(
            "headroom_page_duration_seconds",
            time.perf_counter() - self._began,
            failed=self._worst is Outcome.FAILED,
            outcome=self._worst.name.lower(),
            **self._labels,
        )


def begun(drawing: Drawing) -> None:
    """Remember what this visitor's script draws now."""
    st.session_state[_KEY] = drawing


def current() -> Drawing | None:
    """What this visitor's script draws now; ``None`` outside of a page's frame."""
    found: Drawing | None = st.session_state.get(_KEY)
    return found
