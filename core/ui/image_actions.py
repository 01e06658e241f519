"""Buttons of the Images page: downloads, and Segment, Export and Delete for the selected images."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from core.models import ImageFilter, Project
from core.services import Services
from core.ui import calibration, dialogs, export_panel, segment_dialogs, visitor
from core.ui.components.changes import redrawn_on_change
from core.ui.components.grid import GridAnswer
from core.ui.feedback import explained, plural
from core.ui.image_filter import FINDING_WORDS


def downloads(services: Services, project: Project) -> None:
    """Draw the downloads of a project's tables and the list of its exports; nothing while it is empty."""
    if not project.n_images:
        return
    with st.container(horizontal=True, width="content"):
        for label, table in (("Spheroids CSV", "objects.csv"), ("Images CSV", "images.csv")):
            st.link_button(label, f"/downloads/projects/{project.id}/{table}", icon=":material/download:")
        if exports := services.exports.of_project(project.id):
            label = f"Exports ({len(exports)})"
            if st.button(
                label, icon=":material/inventory_2:", help="Archives being made or ready to download"
            ):
                export_panel.list_exports(services, project)


def bar(services: Services, project: Project, image_filter: ImageFilter, answer: GridAnswer) -> None:
    """Draw the buttons for the selected images, or without a selection for all that pass the filter."""
    selected, sentence = _target(services, project, image_filter, answer)
    # Only counted until a button is pressed: reading the ids of a large project takes long.
    count = len(selected) or _count(services, project, image_filter)
    if sentence:
        st.markdown(sentence, width="content")
    else:
        redrawn_on_change(partial(_total, services, [count], project.id, image_filter), "total")
    may_edit = visitor.may_edit(services, project)
    if may_edit and _segment_pressed(project, disabled=not count):
        with explained():
            ids = selected or services.store.images.ids(project.id, image_filter)
            segment_dialogs.segment(services, project, ids)
    if st.button(
        "Export", icon=":material/download:", disabled=not count, help="Tables, masks, ROIs, overlays"
    ):
        description = _chosen_by(answer, selected, image_filter)
        target = None
        if description != export_panel.ALL:
            target = selected or services.store.images.ids(project.id, image_filter)
        export_panel.dialog(services, project, target, description)
    if may_edit:
        _changes(services, project, selected)


def _segment_pressed(project: Project, *, disabled: bool) -> bool:
    words = segment_dialogs.projects_words(project)
    return st.button(
        "Segment",
        type="primary",
        icon=":material/play_arrow:",
        disabled=disabled,
        help=f"By the project's settings: {words}. Images with settings of their own keep these.",
    )


def _changes(services: Services, project: Project, selected: tuple[str, ...]) -> None:
    """Draw the buttons that change the selected images."""
    if st.button(
        "Pixel size",
        icon=":material/straighten:",
        disabled=not selected,
        help="Select images to set their pixel size: typed, or drawn over a scale bar",
    ):
        calibration.set_for_images(services, project, selected)
    if st.button(
        "Delete",
        icon=":material/delete:",
        disabled=not selected,
        help="Select images to delete them",
    ):
        dialogs.delete_images(services, project, selected)


def _count(services: Services, project: Project, image_filter: ImageFilter) -> int:
    if image_filter == ImageFilter():
        return project.n_images
    return services.store.images.page(project.id, image_filter, limit=1).total


def _total(services: Services, read: list[int], project_id: str, image_filter: ImageFilter) -> None:
    """Draw how many images the table has; first what the page has counted already."""
    count = read.pop() if read else services.store.images.page(project_id, image_filter, limit=1).total
    scope = " on this filter" if image_filter != ImageFilter() else ""
    every = "All " if count > 1 else ""
    st.markdown(f"**{every}{plural(count, 'image')}{scope}**", width="content")


def _target(
    services: Services, project: Project, image_filter: ImageFilter, answer: GridAnswer
) -> tuple[tuple[str, ...], str]:
    """Return the ids of the selected images, and a sentence with their number; both empty without any."""
    if answer.everything:
        deselected = set(answer.deselected)
        ids = tuple(
            key for key in services.store.images.ids(project.id, image_filter) if key not in deselected
        )
        scope = "on this filter" if image_filter != ImageFilter() else "of this project"
        exceptions = f" but {len(deselected)}" if deselected else ""
        return ids, f"**{plural(len(ids), 'image')} selected**, all {scope}{exceptions}"
    # The grid still names selected rows that have been deleted.
    exists = services.store.images.known(answer.selected) if answer.selected else {}
    ids = tuple(key for key in answer.selected if exists.get(key) is False)
    return ids, f"**{plural(len(ids), 'image')} selected**" if ids else ""


def _chosen_by(answer: GridAnswer, selected: tuple[str, ...], image_filter: ImageFilter) -> str:
    """Return in words how the images of an export were chosen."""
    if selected and (answer.deselected or not answer.everything):
        return "selected by hand"
    parts = [f"status {' or '.join(image_filter.status)}"] if image_filter.status else []
    parts += (
        [" or ".join(FINDING_WORDS[item] for item in image_filter.findings)] if image_filter.findings else []
    )
    parts += [f"reviewed as {' or '.join(image_filter.review)}"] if image_filter.review else []
    parts += [f"name contains “{image_filter.name}”"] if image_filter.name else []
    parts += [
        f"{item.column} from {_bound(item.minimum)} to {_bound(item.maximum)}" for item in image_filter.ranges
    ]
    return " and ".join(parts) or export_panel.ALL


def _bound(value: float | datetime | None) -> str:
    return "any" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
