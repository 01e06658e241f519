"""An image's settings: what it is segmented with, and other settings as a preview before they are used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from typing import Any

import streamlit as st

from core.models import Image, Project, Spheroid
from core.segmentation import SegmentationParams
from core.services import Services
from core.store import Recipe
from core.ui import segment_dialogs, visitor
from core.ui.feedback import explained, plural
from core.ui.shell import plain

_PREVIEW = segment_dialogs.PREVIEW
_LABELS = {
    "channel": "Colour channel",
    "polarity": "Spheroids are",
    "outline": "Outline runs around",
    "split_touching": "Cut touching spheroids apart",
    "keep_border_objects": "Keep spheroids at the edge",
    "min_relative_area": "Minimum area",
    "working_long_side_px": "Detail: longer side at which spheroids are found",
}


@dataclass(frozen=True, slots=True)
class Preview:
    """Outlines of one image by other settings; nothing of it is saved."""

    image_id: str
    recipe: Recipe
    spheroids: tuple[Spheroid, ...]


def preview_of(image: Image) -> Preview | None:
    """Return this image's preview; None without one."""
    preview: Preview | None = st.session_state.get(_PREVIEW)
    return preview if preview is not None and preview.image_id == image.id else None


def preview_line(services: Services, project: Project, image: Image, preview: Preview) -> None:
    """Draw what the preview is of, in place of the image's status, and what can be done with it."""
    recipe, before = (
        preview.recipe,
        "" if image.n_objects is None else f" (current result: {image.n_objects})",
    )
    with st.container(horizontal=True, vertical_alignment="center", key="preview-line"):
        st.markdown(
            f":material/visibility: **Preview: {plural(len(preview.spheroids), 'spheroid')}**{before} · "
            f"{plain(segment_dialogs.in_words(recipe.engine, recipe.params))} · nothing is saved yet",
            width="stretch",
        )
        may_edit = visitor.may_edit(services, project)
        for_image = may_edit and st.button("Use for this image", type="primary", key="use-here")
        everywhere = may_edit and st.button(f"Use for all {project.n_images} images", key="use-everywhere")
        discard = st.button("Discard", type="tertiary", key="use-not")
    with explained():
        if everywhere:
            _use_everywhere(services, project, image, recipe)
        elif for_image:
            services.requests.accept(project, (image.id,), recipe, visitor.job_request(services))
        if for_image or discard:
            del st.session_state[_PREVIEW]
            st.rerun()


def settings_panel(services: Services, project: Project, image: Image, status: Any) -> None:
    """Draw what the image is segmented with, and the form that tries other settings.

    ``status`` is the place of the image's status, which says so while a preview is made.
    """
    _in_use(services, project, image)
    with st.form(f"settings-{image.id}", border=False):
        pressed = st.form_submit_button("Preview", type="primary", icon=":material/visibility:")
        current = _current(project, image)
        engines = services.engines.names
        known = engines.index(current.engine) if current.engine in engines else 0
        engine = st.selectbox("Engine", engines, index=known)
        items = fields(SegmentationParams)
        switches = [item for item in items if isinstance(item.default, bool)]
        others = [item for item in items if item not in switches]
        # Half of the panel is too narrow for the words beside a switch.
        values = {item.name: _widget(st, item, current.params) for item in switches}
        columns = st.columns(2)
        values |= {
            item.name: _widget(columns[index % 2], item, current.params) for index, item in enumerate(others)
        }
    if pressed:
        status.info("Making a preview. The current result stays as it is.", icon=":material/hourglass_top:")
        with explained(), st.spinner("Making a preview …"):
            recipe = services.recipe_of(engine, values)
            spheroids = services.preview(image, recipe).spheroids
            st.session_state[_PREVIEW] = Preview(image.id, recipe, spheroids)
            st.rerun()


def _in_use(services: Services, project: Project, image: Image) -> None:
    """Draw whether the image has settings of its own, and how to take them back."""
    project_words = segment_dialogs.projects_words(project)
    if image.own_engine is None:
        st.caption(f"Segmented by the project's settings: {project_words}.")
        return
    own = segment_dialogs.in_words(*segment_dialogs.settings_of(project, image))
    st.markdown(f":material/push_pin: **Settings of its own:** {plain(own)}")
    if not visitor.may_edit(services, project):
        return
    pressed = st.button(
        "Use the project's settings",
        key="use-projects",
        help=f"Take these settings back and segment by the project's: {project_words}",
    )
    if pressed:
        with explained():
            services.segment(project, (image.id,), visitor.job_request(services), (image.id,))
            st.rerun()


def _use_everywhere(services: Services, project: Project, image: Image, recipe: Recipe) -> None:
    others = [key for key in services.requests.with_own_settings(project.id) if key != image.id]
    if others:
        segment_dialogs.use_for_project(services, project, image, recipe, tuple(others))
        return
    request = visitor.job_request(services)
    services.requests.accept_for_project(project, recipe, request, (image.id,))
    del st.session_state[_PREVIEW]
    st.rerun()


def _current(project: Project, image: Image) -> Recipe:
    """Return what the form shows: the preview's settings, else the image's own, else the project's."""
    if preview := preview_of(image):
        return preview.recipe
    engine, params = segment_dialogs.settings_of(project, image)
    return Recipe(engine, "", params)


def _widget(place: Any, item: Field[Any], values: Mapping[str, object]) -> object:
    about = item.metadata
    usual_label = item.name.replace("_px", "").replace("_", " ").capitalize()
    label = _LABELS.get(item.name, usual_label)
    unit = f" ({about['unit']})" if about["unit"] else ""
    value: Any = values.get(item.name, item.default)
    if "choices" in about:
        choices = list(about["choices"])
        return place.selectbox(label, choices, index=choices.index(value), help=about["help"])
    if isinstance(item.default, bool):
        return place.toggle(label, value=value, help=about["help"])
    kind: Any = type(item.default)  # Streamlit wants bounds and value of one type
    low, high = (kind(bound) for bound in about["range"])
    return place.number_input(label + unit, min_value=low, max_value=high, value=value, help=about["help"])
