"""Dialogs: create, rename and delete projects; delete images."""

from __future__ import annotations

import streamlit as st

from core.models import Project
from core.services import Services
from core.ui import visitor
from core.ui.components.focus import focus_first_field
from core.ui.feedback import explained, offer_undo, plural
from core.ui.project_switcher import choose_next
from core.ui.shell import go


@st.dialog("New project")
def new_project(services: Services) -> None:
    """Create a project and open it; the pixel size is for images whose file does not name one."""
    with st.form("new project", border=False):
        name = st.text_input("Name", max_chars=100, placeholder="Melanoma 2026-11")
        size = st.number_input(
            "Pixel size, µm per pixel (optional)",
            min_value=0.0,
            value=None,
            format="%.4f",
            help="Used for images whose file does not name one. Can be set or changed at any time.",
        )
        if st.form_submit_button("Create", type="primary"):
            with explained():
                project = services.create_project(name, size or None)
                choose_next(project.id)
                go("images.py")
    focus_first_field()


@st.dialog("Rename project")
def rename_project(services: Services, project: Project) -> None:
    """Rename a project."""
    with st.form("rename project", border=False):
        name = st.text_input("Name", value=project.name, max_chars=100)
        if st.form_submit_button("Rename", type="primary"):
            with explained():
                services.store.projects.rename(project.id, name)
                st.rerun()
    focus_first_field()


@st.dialog("Delete project")
def delete_project(services: Services, project: Project) -> None:
    """Delete a project after a confirmation that names what is deleted; it can be restored."""
    st.text(f"Delete “{project.name}” with its {plural(project.n_images, 'image')} and all their results?")
    st.caption(
        f"It can be restored for {plural(services.settings.undo_days, 'day')}: here, and on the page Trash."
    )
    if st.button("Delete project", type="primary", icon=":material/delete:"):
        with explained():
            services.store.projects.delete(project.id, visitor.known_name(services))
            text = f"“{project.name}” was deleted."
            offer_undo(text, lambda: services.store.projects.restore(project.id))
            choose_next(None)
            st.rerun()


@st.dialog("Delete images")
def delete_images(services: Services, project: Project, ids: tuple[str, ...]) -> None:
    """Delete images after a confirmation that names their number; they can be restored."""
    st.text(f"Delete {plural(len(ids), 'image')} and their results?")
    st.caption(
        f"They can be restored for {plural(services.settings.undo_days, 'day')}: here, and on the page Trash."
    )
    if st.button(f"Delete {plural(len(ids), 'image')}", type="primary", icon=":material/delete:"):
        with explained():
            deleted = services.store.images.delete(project.id, ids, visitor.known_name(services))
            text = f"{plural(len(deleted), 'image')} deleted."
            offer_undo(text, lambda: services.store.images.restore(project.id, deleted))
            st.rerun()
