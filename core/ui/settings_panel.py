"""Other segmentation settings for one image: a preview at once, saved only when one says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

import streamlit as st

from core.models import Image, Project, Spheroid
from core.segmentation import SegmentationParams
from core.services import Services
from core.store import Recipe
from core.ui import visitor
from core.ui.feedback import explained, plural

_PREVIEW = "preview"


def preview_of(image: Image) -> tuple[Spheroid, ...] | None:
    """Return the outlines of this image's preview; None without one."""
    preview = st.session_state.get(_PREVIEW)
    return preview[2] if preview and preview[0] == image.id else None


def changes(params: Mapping[str, object]) -> str:
    """Return in words which settings of a result are not the default; empty where none is."""
    parts = (
        f"{item.name.replace('_', ' ')} {params[item.name]}"
        for item in fields(SegmentationParams)
        if params.get(item.name, item.default) != item.default
    )
    return ", ".join(parts)


def settings_panel(services: Services, project: Project, image: Image) -> None:
    """Draw the form with its preview, which can be used for the image or for its whole project."""
    with st.expander("Try other settings", icon=":material/tune:", expanded=preview_of(image) is not None):
        with st.form(f"settings-{image.id}", border=False):
            current = _current(project, image)
            engines = services.engines.names
            engine = st.selectbox("Engine", engines, index=engines.index(current.engine))
            columns = st.columns(2)
            values = {
                item.name: _widget(columns[index % 2], item, current.params)
                for index, item in enumerate(fields(SegmentationParams))
            }
            if st.form_submit_button("Preview", type="primary", icon=":material/visibility:"):
                with explained():
                    recipe = services.recipe_of(engine, values)
                    spheroids = services.preview(image, recipe).spheroids
                    st.session_state[_PREVIEW] = (image.id, recipe, spheroids)
                    st.rerun()
        if preview_of(image) is not None:
            _use_or_discard(services, project, image)


def _use_or_discard(services: Services, project: Project, image: Image) -> None:
    _, recipe, spheroids = st.session_state[_PREVIEW]
    st.info(
        f"Preview: {plural(len(spheroids), 'spheroid')}. Nothing is saved yet.", icon=":material/visibility:"
    )
    with st.container(horizontal=True):
        here = st.button("Use for this image", type="primary", key="use-here")
        everywhere = st.button(f"Use for all {project.n_images} images", key="use-everywhere")
        discard = st.button("Discard", type="tertiary", key="use-not")
    if not (here or everywhere or discard):
        return
    request = visitor.job_request(services)
    with explained():
        if everywhere:
            services.store.projects.set_recipe(project.id, recipe.engine, recipe.params)
            services.segment(project, services.store.images.ids(project.id), recipe, request)
        elif here:
            services.segment(project, (image.id,), recipe, request)
        del st.session_state[_PREVIEW]
        st.rerun()


def _current(project: Project, image: Image) -> Recipe:
    preview = st.session_state.get(_PREVIEW)
    if preview and preview[0] == image.id:
        recipe: Recipe = preview[1]
        return recipe
    return Recipe(project.engine, "", project.params)


def _widget(place: Any, item: Field[Any], values: Mapping[str, object]) -> object:
    about = item.metadata
    label = item.name.replace("_px", "").replace("_", " ").capitalize()
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
