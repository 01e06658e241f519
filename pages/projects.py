"""Projects as cards or a table, and how to create one."""

import streamlit as st

from core.services import get_services
from core.ui import demo_plate, dialogs, feedback, project_cards, project_switcher
from core.ui.components.grid import GridOptions, grid
from core.ui.components.grid_columns import PROJECT_COLUMNS

services = get_services()
projects = project_switcher.listed()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Projects", anchor=False)
    if (
        projects
        and services.principal.may_create
        and st.button("New project", type="primary", icon=":material/add:")
    ):
        dialogs.new_project(services)
feedback.show_undo()

if not projects and not services.principal.may_create:
    feedback.empty("Nothing has been shared with you yet", "Ask the owner of a project to share it with you.")
    st.stop()
if not projects:
    feedback.empty(
        "Measure spheroids from microscopy images",
        "Make a project and drop your images into it: every spheroid is outlined and measured while you "
        "watch. Or look around first with a synthetic drug response plate of 96 wells over three days.",
    )
    with st.container(horizontal=True):
        if st.button("New project", type="primary", icon=":material/add:"):
            dialogs.new_project(services)
        demo_plate.button(services)
    st.stop()

with st.container(horizontal=True):
    name_part = st.text_input(
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
        filters={"name": name_part},
        options=GridOptions(ticks=False),
        row_address="images?project={id}",
    )
else:
    project_cards.pages(
        services, [item for item in projects if name_part.lower() in item.name.lower()], name_part
    )
if services.principal.may_create and demo_plate.NAME not in [project.name for project in projects]:
    demo_plate.button(services)
