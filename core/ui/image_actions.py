"""What can be done with a project's images: taken away, segmented, deleted."""

from __future__ import annotations

import streamlit as st

from core.models import ImageFilter, Project
from core.services import Services
from core.ui import dialogs
from core.ui.feedback import explained, plural
from core.ui.grid import GridAnswer


def downloads(project: Project) -> None:
    """The tables to take away, once there is something in them."""
    if not project.n_images:
        return
    with st.container(horizontal=True, width="content"):
        for label, table in (("Spheroids CSV", "objects.csv"), ("Images CSV", "images.csv")):
            st.link_button(label, f"/downloads/projects/{project.id}/{table}", icon=":material/download:")


def bar(services: Services, project: Project, wanted: ImageFilter, answer: GridAnswer) -> None:
    """Act on the ticked images, or where none is, on all that pass the filter; say which, and how many."""
    selected, said = _target(services, project, wanted, answer)
    target = selected or services.store.images.ids(project.id, wanted)
    which = " on this filter" if wanted != ImageFilter() else ""
    st.markdown(said or f"**All {plural(len(target), 'image')}{which}**", width="content")
    if st.button("Segment", type="primary", icon=":material/play_arrow:", disabled=not target):
        with explained():
            services.segment(project, target)
            st.rerun()
    if st.button(
        "Delete", icon=":material/delete:", disabled=not selected, help="Select images to delete them"
    ):
        dialogs.delete_images(services, project, selected)


def _target(
    services: Services, project: Project, wanted: ImageFilter, answer: GridAnswer
) -> tuple[tuple[str, ...], str]:
    """The images that are ticked, and how that is said; nothing where none is."""
    if answer.everything:
        spared = set(answer.spared)
        ids = tuple(key for key in services.store.images.ids(project.id, wanted) if key not in spared)
        which = "on this filter" if wanted != ImageFilter() else "of this project"
        rest = f" but {len(spared)}" if spared else ""
        return ids, f"**{plural(len(ids), 'image')} selected**, all {which}{rest}"
    # The grid forgets deleted rows without saying so.
    there = services.store.images.known(answer.selected) if answer.selected else {}
    ids = tuple(key for key in answer.selected if there.get(key) is False)
    return ids, f"**{plural(len(ids), 'image')} selected**" if ids else ""
