"""The project's watched folder, and every setting in force."""

import streamlit as st

from core.services import get_services
from core.ui import project_switcher
from core.ui.operations import controls, health
from core.ui.watched_folder_panel import watched_folder

services = get_services()
st.title("Settings", anchor=False)
project_id = project_switcher.chosen()
if project_id is not None:
    watched_folder(services, project_switcher.project_read(project_id))
elif project_switcher.listed():
    st.caption("Choose a project in the sidebar, and its watched folder stands here.")
rows = health.settings_rows(services.settings)
controls.section("Settings of the app", rows, "copy-settings")
st.caption(
    "Each is an environment variable, read when the app starts: to change one, set it and start the app "
    "again; to go back, take it away. How an image is segmented, and its pixel size, are set on its own page "
    "and in its project."
)
health.settings_table(rows)
