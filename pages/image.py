"""One image: its picture with outlines, and beside it its numbers, settings, versions and file."""

import streamlit as st

from core.services import get_services
from core.ui import (
    calibration,
    correction_panel,
    feedback,
    history_panel,
    image_panel,
    project_switcher,
    settings_panel,
    shell,
    visitor,
)
from core.ui.components.viewer import ViewerOptions, spheroid_table, viewer
from core.ui.image_list import image_list_place, image_to_open, remember_opened

services = get_services()
if "image" not in st.query_params:
    st.query_params.update(image_to_open(services, project_switcher.project_of_page(services).id))
if "image" not in st.query_params:
    feedback.empty("This project has no images yet", "Upload some, and each opens here.", alone=True)
    if st.button("Go to images", type="primary"):
        shell.go("images.py")
    st.stop()
with feedback.explained():
    image = services.store.images.get(st.query_params["image"])
    remember_opened(image)
    project = project_switcher.project_read(image.project_id)
    shell.name_page(image.name, project.name)
    list_place = image_list_place(services, image)
    versions = services.store.results.versions(image.id)
    preview = settings_panel.preview_of(image)
    shown, comparison = history_panel.outlines(services, image, versions, preview and preview.spheroids)
    image_panel.header(services, project, image, list_place, versions)
    status = st.container(key="image-status")
    with status:
        if preview is None:
            image_panel.status_line(services, image, history_panel.in_force(image, versions))
            correction_panel.unfinished_line(services, project, image)
        else:
            settings_panel.preview_line(services, project, image, preview)
    with st.container(key="image-page"):
        left, right = st.columns([1.75, 1])
    with left:
        state = viewer(
            image_url=f"/views/{image.id}.png?contrast=raw",
            stretch_url=f"/views/{image.id}.png?contrast=stretch",
            width=image.width,
            height=image.height,
            spheroids=shown,
            um_per_px=image.um_per_px,
            selected=shell.number_in_url("spheroid"),
            key="viewer",
            options=ViewerOptions(
                image_panel.PREVIEW_HEIGHT if preview else image_panel.PICTURE_HEIGHT,
                image_panel.if_empty(image),
                comparison,
                can_calibrate=visitor.may_edit(services, project),
                editor=None if preview else correction_panel.editor_options(services, project, image),
            ),
            on_navigate=lambda step: image_panel.step_to(list_place.place, step),
            on_editing=correction_panel.remember_editing,
        )
    if state.line is not None:
        calibration.calibrate(services, project, image, state.line)
    with right, st.container(key="image-side"):
        numbers, settings, history, file = st.tabs(["Spheroids", "Settings", "History", "File"], key="side")
        with numbers:
            spheroid_table("viewer")
        with settings:
            settings_panel.settings_panel(services, project, image, status)
        with history:
            history_panel.history_panel(services, project, image, versions)
            correction_panel.discarded_corrections(services, project, image)
        with file:
            calibration.pixel_size(services, project, image)
            image_panel.facts(image)
