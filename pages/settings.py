"""Every setting in force."""

import streamlit as st

from core.services import get_services
from core.ui.operations import controls, health

services = get_services()
rows = health.settings_rows(services.settings)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Settings", anchor=False)
    controls.copy_button(controls.as_csv(rows), "copy-settings")
st.caption(
    "Each is an environment variable, read when the app starts: to change one, set it and start the app "
    "again; to go back, take it away. How an image is segmented, and its pixel size, are set on its own page "
    "and in its project."
)
st.dataframe(rows, hide_index=True, height="content", column_config=health.COLUMNS)
