"""What can be done with a project's images: taken away, segmented, deleted."""

from __future__ import annotations

import streamlit as st

from core.models import ImageFilter, Project
from core.services import Services
from core.ui import dialogs
from core.ui.feedback import explained, plural


def downloads(project: Project) -> None:
    """The tables to take away, once there is something in them."""
    if not project.n_images:
        return
    with st.container(horizontal=True, width="content"):
        for label, table in (("Spheroids CSV", "objects.csv"), ("Images CSV", "images.csv")):
            st.link_button(label, f"/downloads/projects/{project.id}/{table}", icon=":material/download:")


def bar(services: Services, project: Project, wanted: ImageFilter, selected: tuple[str, ...]) -> None:
    """Act on the selected images, or where none is, on all that pass the filter; say which, and how many."""
    # The grid forgets deleted rows without saying so.
    there = services.store.images.known(selected) if selected else {}
    selected = tuple(key for key in selected if there.get(key) is False)
    if selected:
        target = selected
        st.markdown(f"**{plural(len(target), 'image')} selected**", width="content")
    else:
        target = services.store.images.ids(project.id, wanted)
        which = " on this filter" if wanted != ImageFilter() else ""
        st.markdown(f"**All {plural(len(target), 'image')}{which}**", width="content")
    if st.button("Segment", type="primary", icon=":material/play_arrow:", disabled=not target):
        with explained():
            services.segment(project, target)
            st.rerun()
    if st.button(
        "Delete", icon=":material/delete:", disabled=not selected, help="Select images to delete them"
    ):
        dialogs.delete_images(services, project, selected)
