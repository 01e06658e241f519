"""All projects, and how to begin."""

import streamlit as st

from core.services import get_services
from core.ui import cards, demo, dialogs, feedback, switcher
from core.ui.columns import PROJECT_COLUMNS
from core.ui.grid import Look, grid

services = get_services()
projects = switcher.listed()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Projects", anchor=False)
    if projects and st.button("New project", type="primary", icon=":material/add:"):
        dialogs.new_project(services)
feedback.show_undo()

if not projects:
    feedback.empty(
        "Measure spheroids from microscopy images",
        "Make a project and drop your images into it: every spheroid is outlined and measured while you "
        "watch. Or look around first with a synthetic drug response plate of 96 wells over three days.",
    )
    with st.container(horizontal=True):
        if st.button("New project", type="primary", icon=":material/add:"):
            dialogs.new_project(services)
        demo.button(services)
    st.stop()

with st.container(horizontal=True):
    wanted = st.text_input(
        "Find a project", placeholder="Name contains …", key="find", bind="query-params", width=420
    ).strip()
    shape = st.segmented_control(
        "Shown as", ["Cards", "Table"], default="Cards", required=True, key="as", bind="query-params"
    )
if shape == "Table":
    grid(
        "/api/projects",
        "projects",
        PROJECT_COLUMNS,
        "projects",
        filters={"name": wanted},
        look=Look(ticks=False),
        way="images?project={id}",
    )
else:
    cards.pages(services, [item for item in projects if wanted.lower() in item.name.lower()], wanted)
if demo.NAME not in [project.name for project in projects]:
    demo.button(services)
