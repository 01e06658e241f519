"""Segmenting images whose settings differ: says what each will use, and asks where some have their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

import streamlit as st

from core.models import Image, Project
from core.segmentation import SegmentationParams
from core.services import Services
from core.store import Recipe
from core.ui import visitor
from core.ui.feedback import explained, plural

KEEP, OVERRIDE = "keep", "override"
PREVIEW = "preview"  # in the session: outlines by other settings that are being tried on an image


def changes(params: Mapping[str, object]) -> str:
    """Return in words which settings are not the default: “sensitivity 0.2”; empty where none is."""
    parts = (
        f"{item.name.replace('_', ' ')} {params[item.name]}"
        for item in fields(SegmentationParams)
        if params.get(item.name, item.default) != item.default
    )
    return ", ".join(parts)


def in_words(engine: str, params: Mapping[str, object]) -> str:
    """Return an engine with its settings in words: “unet with sensitivity 0.2”, “unet, default settings”."""
    changed = changes(params)
    return f"{engine} with {changed}" if changed else f"{engine}, default settings"


def settings_of(project: Project, image: Image) -> tuple[str, Mapping[str, object]]:
    """Return the engine and the parameters that an image is segmented with: its own, else its project's."""
    if image.own_engine is None or image.own_params is None:
        return project.engine, project.params
    return image.own_engine, image.own_params


def projects_words(project: Project) -> str:
    """Return what the images of a project are segmented with, in words."""
    return in_words(project.engine, project.params)


def segment(services: Services, project: Project, ids: Sequence[str]) -> None:
    """Queue images at once where all go by their project's settings, else ask first; reruns the page."""
    own = services.requests.with_own_settings(project.id, ids)
    if own:
        segment_images(services, project, tuple(ids), own)
        return
    services.segment(project, tuple(ids), visitor.job_request(services))
    st.toast(f"{plural(len(ids), 'image')} queued: {projects_words(project)}.", icon=":material/play_arrow:")
    st.rerun()


@st.dialog("Segment images")
def segment_images(services: Services, project: Project, ids: tuple[str, ...], own: tuple[str, ...]) -> None:
    """Say how many images go by which settings, and queue them by the user's choice."""
    if rest := len(ids) - len(own):
        st.text(f"{plural(rest, 'image')} by the project's settings: {projects_words(project)}.")
    override = _override(len(ids), own)
    if st.button(f"Segment {plural(len(ids), 'image')}", type="primary", key="segment-images"):
        with explained():
            services.segment(project, ids, visitor.job_request(services), override)
            st.rerun()


@st.dialog("Use for the whole project")
def use_for_project(
    services: Services, project: Project, image: Image, recipe: Recipe, own: tuple[str, ...]
) -> None:
    """Make a recipe the project's and queue its images, after asking about ``own``: the other images' own.

    ``image`` is the one that the recipe was tried on; it follows its project from now on.
    """
    n_images = plural(project.n_images, "image")
    st.text(f"All {n_images} of “{project.name}” will be segmented again.")
    st.text(f"New settings of the project: {in_words(recipe.engine, recipe.params)}.")
    override = (*_override(project.n_images, own), image.id)
    if st.button(f"Segment {n_images}", type="primary", key="segment-project"):
        with explained():
            services.requests.accept_for_project(project, recipe, visitor.job_request(services), override)
            st.session_state.pop(PREVIEW, None)
            st.rerun()


def _override(n_images: int, own: tuple[str, ...]) -> tuple[str, ...]:
    """Ask what becomes of settings that were accepted for single images; return those to be taken back."""
    has = "has settings of its own" if len(own) == 1 else "have settings of their own"
    words = {
        KEEP: f"Keep them: {plural(len(own), 'image')} by what was accepted for each",
        OVERRIDE: f"Take them back: all {n_images} by the project's settings",
    }
    choice = st.radio(
        f"{plural(len(own), 'image')} {has}.", list(words), format_func=words.__getitem__, key="own-settings"
    )
    return own if choice == OVERRIDE else ()
