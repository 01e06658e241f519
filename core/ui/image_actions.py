"""What can be done with a project's images: taken away, segmented, deleted."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from core.models import ImageFilter, Project
from core.services import Services
from core.ui import dialogs, export_panel, visitor
from core.ui.components.grid import GridAnswer
from core.ui.feedback import explained, plural


def downloads(services: Services, project: Project) -> None:
    """The tables to take away, once there is something in them, and what has been exported before."""
    if not project.n_images:
        return
    with st.container(horizontal=True, width="content"):
        for label, table in (("Spheroids CSV", "objects.csv"), ("Images CSV", "images.csv")):
            st.link_button(label, f"/downloads/projects/{project.id}/{table}", icon=":material/download:")
        if made := services.exports.of_project(project.id):
            label = f"Exports ({len(made)})"
            if st.button(
                label, icon=":material/inventory_2:", help="Archives being made or ready to be taken"
            ):
                export_panel.shelf(services, project)


def bar(services: Services, project: Project, wanted: ImageFilter, answer: GridAnswer) -> None:
    """Act on the ticked images, or where none is, on all that pass the filter; say which, and how many."""
    selected, said = _target(services, project, wanted, answer)
    narrowed = wanted != ImageFilter()
    # Only counted, until one of these is pressed: the ids of a large project take their time.
    count = len(selected) or _count(services, project, wanted)
    which = " on this filter" if narrowed else ""
    every = "All " if count > 1 else ""
    st.markdown(said or f"**{every}{plural(count, 'image')}{which}**", width="content")
    if st.button("Segment", type="primary", icon=":material/play_arrow:", disabled=not count):
        with explained():
            ids = selected or services.store.images.ids(project.id, wanted)
            services.segment(project, ids, request=visitor.job_request(services))
            st.rerun()
    if st.button(
        "Export", icon=":material/download:", disabled=not count, help="Tables, masks, ROIs, overlays"
    ):
        how = _chosen_by(answer, selected, wanted)
        target = None
        if how != export_panel.ALL:
            target = selected or services.store.images.ids(project.id, wanted)
        export_panel.dialog(services, project, target, how)
    if st.button(
        "Delete", icon=":material/delete:", disabled=not selected, help="Select images to delete them"
    ):
        dialogs.delete_images(services, project, selected)


def _count(services: Services, project: Project, wanted: ImageFilter) -> int:
    if wanted == ImageFilter():
        return project.n_images
    return services.store.images.page(project.id, wanted, limit=1).total


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


def _chosen_by(answer: GridAnswer, selected: tuple[str, ...], wanted: ImageFilter) -> str:
    """How the images of an export came to be those, in words that go with it."""
    if selected and (answer.spared or not answer.everything):
        return "selected by hand"
    parts = [f"status {' or '.join(wanted.status)}"] if wanted.status else []
    parts += [f"name contains “{wanted.name}”"] if wanted.name else []
    parts += [f"{item.column} from {_bound(item.least)} to {_bound(item.most)}" for item in wanted.ranges]
    return " and ".join(parts) or export_panel.ALL


def _bound(value: float | datetime | None) -> str:
    return "any" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
