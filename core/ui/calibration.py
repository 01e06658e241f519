"""The pixel size: where it is from, typed or drawn over a scale bar, for an image, a selection, a project."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import InvalidRequest
from core.models import Image, PixelSizeMethod, PixelSizeSource, Project
from core.services import Services
from core.ui import visitor
from core.ui.components.viewer import Line
from core.ui.feedback import explained, plural
from core.ui.shell import go

UM_IN_UNIT = {"µm": 1.0, "mm": 1000.0, "nm": 0.001}
_METHODS = {
    PixelSizeMethod.TYPED: "typed by a user",
    PixelSizeMethod.DRAWN: "drawn over a scale bar",
    None: "set by a user",
}
_SELECTED = "images to calibrate"  # in the session: the project's id and the ids of ticked images
IMAGE, SELECTED, PROJECT, EVERY = "image", "selected", "project", "every"


def source(image: Image) -> str:
    """Return in words where an image's pixel size comes from; empty where it has none."""
    if image.um_per_px_source is PixelSizeSource.FILE:
        return f"from the file ({image.um_per_px_from})"
    method = _METHODS[image.um_per_px_method]
    words = {PixelSizeSource.USER: method, PixelSizeSource.PROJECT: f"the project's default, {method}"}
    return words[image.um_per_px_source] if image.um_per_px_source else ""


def size_in_words(image: Image) -> str:
    """Return the pixel size with its source: “Pixel size 2.5000 µm/px, from the file (OME)”."""
    if image.um_per_px is None:
        return ":orange[**No pixel size:**] sizes are in pixels"
    return f"**Pixel size {image.um_per_px:.4f} µm/px**, {source(image)}"


def pixel_size(services: Services, project: Project, image: Image) -> None:
    """Draw the pixel size with its source, and the form that sets it by hand."""
    st.markdown(size_in_words(image))
    if not visitor.may_edit(services, project):
        return
    st.caption(
        "Calibrate, above the picture, measures it: draw a line over the scale bar and type its length. "
        "Measurements in µm follow at once; nothing is segmented again."
    )
    with st.popover("Set pixel size", icon=":material/straighten:"):
        size = st.number_input("µm per pixel", min_value=0.0, value=image.um_per_px, format="%.4f")
        scope = _scope(project, f"size-scope-{image.id}")
        if st.button("Use this size", type="primary", key="use-size", disabled=not size):
            with explained():
                _apply(services, project, (image.id, scope), size or None, PixelSizeMethod.TYPED)
        if image.um_per_px_source is PixelSizeSource.USER and st.button(
            "Back to the file's or the project's", key="size-back"
        ):
            with explained():
                services.store.images.set_pixel_size((image.id,), None)
                st.rerun()


@st.dialog("Calibrate")
def calibrate(services: Services, project: Project, image: Image, line: Line) -> None:
    """Ask how long a line is that was drawn over a scale bar, and for which images that holds."""
    st.text(f"Your line is {line.length_px:.1f} pixels long. How long is the scale bar?")
    left, right = st.columns([3, 1])
    length = left.number_input("Its length", min_value=0.0, value=None, placeholder="100", key="bar-length")
    unit = right.selectbox("Unit", list(UM_IN_UNIT), key="bar-unit")
    size = um_per_px(length, unit, line.length_px) if length else None
    if size:
        st.markdown(f"**{size:.4f} µm per pixel**: the picture is {size * image.width:,.0f} µm wide.")
    scope = _scope(project, f"line-scope-{image.id}")
    if st.button("Use this size", type="primary", key="use-drawn", disabled=not size):
        with explained():
            _apply(services, project, (image.id, scope), size, PixelSizeMethod.DRAWN)


def um_per_px(length: float, unit: str, length_px: float) -> float:
    """Return the pixel size that a line of ``length_px`` pixels over a bar of a known length gives.

    Raises:
        InvalidRequest: a length is not positive.
    """
    if length <= 0 or length_px <= 0:
        raise InvalidRequest("A scale bar has a length above 0.")
    return length * UM_IN_UNIT[unit] / length_px


@st.dialog("Pixel size")
def set_for_images(services: Services, project: Project, ids: tuple[str, ...]) -> None:
    """Set the pixel size of ticked images by hand, or go to one of them to draw over its scale bar."""
    images = plural(len(ids), "image")
    size = st.number_input("µm per pixel", min_value=0.0, value=None, format="%.4f", key="typed-size")
    if st.button(f"Use for {images}", type="primary", disabled=not size):
        with explained():
            services.store.images.set_pixel_size(ids, size)
            st.rerun()
    st.caption("Not known? A scale bar in one of the pictures will do.")
    if st.button("Draw over a scale bar", icon=":material/straighten:"):
        st.session_state[_SELECTED] = (project.id, ids)
        go("image.py", image=ids[0])


def offer(services: Services, project: Project) -> None:
    """Draw that sizes are in pixels, and how to change that; for projects without any pixel size."""
    if project.um_per_px is not None:  # no spheroid of it is measured yet
        return
    if not visitor.may_edit(services, project):
        st.caption("Sizes are in px: no pixel size is known", width="content")
        return
    pressed = st.button(
        "Sizes are in px: calibrate",
        icon=":material/straighten:",
        type="tertiary",
        help="No pixel size is known: type it, or draw over a scale bar",
    )
    if pressed:
        calibrate_project(services, project)


def offer_rest(services: Services, project: Project, sentence: str) -> None:
    """Draw what the images without a pixel size are missing in, and for who may change that how to."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(sentence, width="content")
        if visitor.may_edit(services, project) and st.button(
            "Calibrate them", icon=":material/straighten:", type="tertiary", key="calibrate-rest"
        ):
            calibrate_project(services, project)


@st.dialog("Calibrate the project")
def calibrate_project(services: Services, project: Project) -> None:
    """Set the pixel size of all images that have none, or go to one to draw over its scale bar."""
    st.text("For all images whose file does not name a pixel size and that nobody has set.")
    size = st.number_input(
        "µm per pixel", min_value=0.0, value=project.um_per_px, format="%.4f", key="project-size"
    )
    if st.button("Use for the project", type="primary", disabled=not size):
        with explained():
            services.store.projects.set_pixel_size(project.id, size)
            st.rerun()
    newest = services.store.images.page(project.id, limit=1).items
    st.caption("Not known? A scale bar in one of the pictures will do.")
    if newest and st.button("Draw over a scale bar", icon=":material/straighten:"):
        go("image.py", image=newest[0].id)


def _selected(project: Project) -> Sequence[str]:
    project_id, ids = st.session_state.get(_SELECTED, ("", ()))
    return ids if project_id == project.id else ()


def _scope(project: Project, key: str) -> str:
    """Ask for which images a pixel size holds."""
    selected = _selected(project)
    words = {IMAGE: "This image"}
    if selected:
        words[SELECTED] = f"The {plural(len(selected), 'image')} ticked in the table"
    words[PROJECT] = "The project: images whose file does not say and that nobody has set"
    words[EVERY] = f"All {plural(project.n_images, 'image')} of the project"
    default = SELECTED if selected else PROJECT if project.um_per_px is None else IMAGE
    return st.radio(
        "Use for",
        list(words),
        index=list(words).index(default),
        format_func=words.__getitem__,
        key=key,
    )


def _apply(
    services: Services,
    project: Project,
    target: tuple[str, str],
    size: float | None,
    method: PixelSizeMethod,
) -> None:
    """Set the pixel size of a target, an image's id and a scope around it; runs the page again."""
    image_id, scope = target
    images = services.store.images
    if scope == SELECTED:
        images.set_pixel_size(tuple(_selected(project)), size, method)
        st.session_state.pop(_SELECTED, None)
    elif scope == IMAGE:
        images.set_pixel_size((image_id,), size, method)
    else:
        services.store.projects.set_pixel_size(project.id, size, method)
    if scope == EVERY:
        images.set_pixel_size(images.ids(project.id), size, method)
    st.rerun()
