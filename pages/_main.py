"""Entry script: navigation, sidebar and the timing of every page."""

import streamlit as st

from core.services import get_services
from core.ui import feedback, shell, visitor

shell.configure()
with feedback.explained(stop=True):
    services = get_services()
visitor.begin(services)
SECTIONS = {
    "Lab": [
        ("projects.py", "Projects", ":material/folder_open:"),
        ("images.py", "Images", ":material/grid_view:"),
        ("image.py", "Image", ":material/image:"),
        ("review.py", "Review", ":material/fact_check:"),
        ("measurements.py", "Measurements", ":material/scatter_plot:"),
        ("queue.py", "Queue", ":material/list_alt:"),
        ("trash.py", "Trash", ":material/delete:"),
    ],
    "Operations": [
        ("performance.py", "Performance", ":material/speed:"),
        ("throughput.py", "Throughput", ":material/stacked_bar_chart:"),
        ("health.py", "Health", ":material/monitor_heart:"),
        ("settings.py", "Settings", ":material/settings:"),
    ],
    "Access": [
        ("people.py", "People", ":material/group:"),
        ("audit.py", "Audit", ":material/history:"),
        ("account.py", "Account", ":material/account_circle:"),
    ],
    "Help": [("help.py", "Help", ":material/help:")],
}
pages = {
    section: [
        st.Page(file, title=title, icon=icon, default=file == "projects.py")
        for file, title, icon in listed
        if visitor.may_open(services, file)
    ]
    for section, listed in SECTIONS.items()
}
many = services.access.rules.enabled  # or Streamlit would hide the last section
page = st.navigation({section: listed for section, listed in pages.items() if listed}, expanded=many)
shell.name_page(page.title)
with feedback.explained(), shell.recorded(services, page.title):
    shell.sidebar(services, page.title)
    page.run()
