"""A panel: one question, one picture, and where it came from.

Each loads on its own, beside the others, and fails alone: it then says why, and which source could
answer. No data, partial data and zero look different.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Generic, TypeVar

# Not left to the panels: they load beside each other, and threads that import pandas at the same
# time can see half of it.
import pandas as pd
import streamlit as st

from app.access import Forbidden
from app.console import tables, words
from app.console.timing import Drawing, Outcome, current
from app.console.visit import Visit, moved, visit
from collectors.readers.telemetry import Answered
from slo.errors import HeadroomError, SourceError, SourceTimeout
from slo.records import dataclass

T = TypeVar("T")

KEPT_SECONDS = 10
"""How long an answer may be shown again; decisions are never kept."""

_LOG = logging.getLogger(__name__)


def nothing(value: Any) -> bool:
    """Whether an answer holds no data; zero is data."""
    return value is None or (hasattr(value, "__len__") and len(value) == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel(Generic[T]):
    """What a panel asks and how it draws the answer.

    ``title`` and ``unit`` are our own words. ``key`` is unique on a page. ``about`` names the
    fields of the view that tell answers of the same key apart, besides who asks about which app,
    environment, SLO and range; ``None`` asks anew each time.
    ``table`` is what the CSV holds. ``controls`` are drawn above the picture whatever happens.
    """

    title: str
    key: str
    ask: Callable[[Visit], Answered[T]]
    draw: Callable[[Visit, T], None]
    unit: str = ""
    about: tuple[str, ...] | None = ()
    table: Callable[[T], pd.DataFrame | None] | None = None
    empty: Callable[[T], bool] = nothing
    says: str = "Nothing was recorded here in this range."
    controls: Callable[[Visit], None] | None = None
    height: int = 160


def show(panel: Panel[Any], *, every: float | None = None) -> None:
    """Draw a panel in a fragment of its own; ``every`` so many seconds anew."""
    again = every or visit().view.refresh or None
    drawing = current()
    if drawing is not None:
        drawing.begin()
    st.fragment(_show, parallel=True, run_every=again)(panel, _Once(drawing))


class _Once:
    """Tells a page that a panel of it stands; again and again it is drawn alone."""

    def __init__(self, drawing: Drawing | None) -> None:
        self._drawing = drawing

    def ended(self, outcome: Outcome) -> None:
        drawing, self._drawing = self._drawing, None
        if drawing is not None:
            drawing.end(outcome)


def _show(panel: Panel[Any], once: _Once) -> None:
    if moved():
        st.rerun()
    once.ended(_draw_panel(panel))


def _draw_panel(panel: Panel[Any]) -> Outcome:
    with st.container(border=True, key=f"panel-{panel.key}"):
        head = st.container(horizontal=True, vertical_alignment="center", gap="small")
        with head:
            st.markdown(f"**{panel.title}**", width="content")
            if panel.unit:
                st.caption(panel.unit, width="content")
        try:
            here = visit()
            if panel.controls is not None:
                panel.controls(here)
            with st.skeleton(height=panel.height):
                answer = _answer(panel, here)
            _origin(panel, answer, here, head)
            _draw(panel, answer, here)
        except Forbidden as reason:
            refused(reason)
            return Outcome.FORBIDDEN
        except HeadroomError as reason:
            failed(reason)
            return Outcome.FAILED
        except Exception as reason:  # noqa: BLE001 - logged, and told
            # A panel never takes the page with it, whatever is wrong with it.
            _LOG.exception("panel %s", panel.key)
            st.error("This panel is broken; the rest of the page is not.", icon=":material/error:")
            st.text(type(reason).__name__)
            return Outcome.FAILED
    return Outcome.PARTIAL if answer.partial else Outcome.DRAWN


def _answer(panel: Panel[T], here: Visit) -> Answered[T]:
    if panel.about is None:
        return panel.ask(here)
    span, view = here.range, here.view
    chosen = tuple((name, getattr(view, name)) for name in panel.about)
    asked = (panel.key, chosen, here.name, view.env, view.slo, span.start, span.end)
    found: Answered[T] = kept(lambda: panel.ask(here), (here.scope.cache_key, *asked))
    return found


@st.cache_data(ttl=KEPT_SECONDS, max_entries=256, show_spinner=False)
def kept(_ask: Callable[[], Any], key: tuple[object, ...]) -> Any:  # noqa: ARG001 - any answer; the key tells answers apart
    """Return an answer again for a few seconds; the key holds whose it is."""
    return _ask()


def _origin(panel: Panel[T], answer: Answered[T], here: Visit, head: Any) -> None:
    """Where the answer came from, how fresh it is, and the way to have it as a file."""
    frame = panel.table(answer.value) if panel.table is not None else None
    with head:
        st.space("stretch")
        if answer.observed_at is not None:
            newest = words.age(answer.observed_at, here.now)
            st.caption(f"newest {newest}", width="content")
        with st.popover("Source", type="tertiary", help="source, query and completeness"):
            source(answer)
        if frame is not None and len(frame):
            st.download_button(
                "CSV",
                data=lambda: tables.csv(frame),
                file_name=f"headroom-{panel.key}.csv",
                mime="text/csv",
                key=f"csv-{panel.key}",
                type="tertiary",
                on_click="ignore",
                help="these rows as a file",
            )


def source(answer: Answered[Any]) -> None:
    """The origin of an answer, in full."""
    lines = [f"source: {answer.source}"]
    if answer.range is not None:
        lines.append(f"from: {words.instant(answer.range.start)}")
        lines.append(f"to: {words.instant(answer.range.end)}")
    lines.append(f"newest record: {words.instant(answer.observed_at)}")
    if answer.seconds is not None:
        lines.append(f"answered in: {words.duration(answer.seconds * words.SECOND)}")
    st.text("\n".join(map(words.plain, [*lines, *answer.notes])))
    st.code(words.plain(answer.query), language=None, wrap_lines=True)


def _draw(panel: Panel[T], answer: Answered[T], here: Visit) -> None:
    incomplete(answer)
    if panel.empty(answer.value):
        absent(panel.says)
        return
    panel.draw(here, answer.value)
    if answer.notes:
        st.caption(words.unmarked("; ".join(answer.notes)))


def incomplete(answer: Answered[Any]) -> None:
    """What is missing from an answer, if anything is."""
    if answer.partial:
        st.warning("Partial: something did not answer or was cut off.", icon=":material/timelapse:")
        st.text("\n".join(f"◐ {words.plain(each)}" for each in answer.partial))


def absent(says: str) -> None:
    """There is no data, which is not zero."""
    st.info(f"∅ No data. {says}")


def refused(reason: Forbidden) -> None:
    """The visitor may not see this."""
    st.error("You may not see this.", icon=":material/lock:")
    st.text(words.plain(reason))


def failed(reason: HeadroomError) -> None:
    """Something could not be found out: why, and what could answer."""
    late = isinstance(reason, SourceTimeout)
    says = "Too slow to answer in time." if late else "Could not be read."
    asked = not isinstance(reason, SourceError)
    st.error("This cannot be answered." if asked else says, icon=":material/cloud_off:")
    st.text(words.plain(reason))
    name = getattr(reason, "source", "")
    if name and name != "none":
        st.text(f"source: {words.plain(name)}")
    hint = getattr(reason, "hint", None)
    if hint:
        st.text(f"→ {words.plain(hint)}")
