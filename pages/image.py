"""One image: its outlines, its numbers, its pixel size."""

import streamlit as st

from core.services import get_services
from core.ui import feedback, image_panel, project_switcher, settings_panel, shell
from core.ui.components.viewer import viewer
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
    here = image_list_place(services, image)
    result = services.store.results.get(image)
    tried = settings_panel.preview_of(image)
    image_panel.header(services, project, image, here)
    image_panel.status_line(services, image, result)
    viewer(
        image_url=f"/views/{image.id}.png?contrast=raw",
        stretch_url=f"/views/{image.id}.png?contrast=stretch",
        width=image.width,
        height=image.height,
        spheroids=tried if tried is not None else result[1] if result else (),
        um_per_px=image.um_per_px,
        selected=shell.number_in_url("spheroid"),
        key="viewer",
        if_empty=image_panel.if_empty(image, result),
        on_navigate=lambda step: image_panel.step_to(here.place, step),
    )
    settings_panel.settings_panel(services, project, image)
    image_panel.pixel_size(services, image)
    image_panel.facts(image, result)
