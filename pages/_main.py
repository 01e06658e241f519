"""Entry script: navigation, sidebar and the timing of every page."""

import streamlit as st

from core.services import get_services
from core.ui import shell

shell.configure()
page = st.navigation(
    {
        "Lab": [
            st.Page("projects.py", title="Projects", icon=":material/folder_open:", default=True),
            st.Page("images.py", title="Images", icon=":material/grid_view:"),
            st.Page("image.py", title="Image", icon=":material/image:"),
            st.Page("measurements.py", title="Measurements", icon=":material/scatter_plot:"),
            st.Page("queue.py", title="Queue", icon=":material/list_alt:"),
        ],
        "Operations": [
            st.Page("performance.py", title="Performance", icon=":material/speed:"),
            st.Page("throughput.py", title="Throughput", icon=":material/stacked_bar_chart:"),
            st.Page("health.py", title="Health", icon=":material/monitor_heart:"),
            st.Page("settings.py", title="Settings", icon=":material/settings:"),
        ],
    }
)
services = get_services()
shell.name_page(page.title)
with shell.recorded(services, page.title):
    shell.sidebar(services)
    page.run()
