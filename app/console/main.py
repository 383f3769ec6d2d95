"""The script that Streamlit runs: it chooses the page and draws the frame around it."""

from pathlib import Path

import streamlit as st

from app.console.frame import framed
from app.console.visit import APP, CATALOGUE, FLEET, MAP, UNATTRIBUTED

st.set_page_config(
    page_title="Headroom", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide"
)
page = st.navigation(
    [
        st.Page(FLEET, title="Fleet", icon=":material/grid_view:", url_path="", default=True),
        st.Page(APP, title="App", icon=":material/deployed_code:", url_path="app"),
        st.Page(
            UNATTRIBUTED,
            title="Unattributed",
            icon=":material/help_center:",
            url_path="unattributed",
        ),
        st.Page(MAP, title="Map", icon=":material/hub:", url_path="map"),
        st.Page(CATALOGUE, title="Catalogue", icon=":material/list_alt:", url_path="catalogue"),
    ],
    position="top",
)
framed(page.run, page.url_path)
