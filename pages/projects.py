"""All projects, and how to begin."""

import streamlit as st

from core.services import get_services
from core.ui import cards, demo, dialogs, feedback

PER_PAGE = 12

services = get_services()
projects = services.store.projects.list()

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

wanted = st.text_input(
    "Find a project", placeholder="Name contains …", key="find", bind="query-params"
).strip()
shown = [project for project in projects if wanted.lower() in project.name.lower()]
if not shown:
    st.text(f"No project's name contains “{wanted}”.")
pages = max(1, -(-len(shown) // PER_PAGE))
page = st.pagination(pages, key="page") if pages > 1 else 1
columns = st.columns(3)
for number, project in enumerate(shown[(page - 1) * PER_PAGE : page * PER_PAGE]):
    with columns[number % 3]:
        cards.card(services, project)
demo.button(services)
