"""What surrounds the viewer: place in the list, status, pixel size, facts and downloads of an image."""

from __future__ import annotations

import polars as pl
import streamlit as st

from core.models import (
    MEASUREMENTS,
    Image,
    ImageStatus,
    PixelSizeSource,
    Project,
    Spheroid,
    Version,
)
from core.models.jobs import seconds_of
from core.segmentation.confidence import doubtful
from core.services import Services
from core.store.images import Neighbours
from core.ui import project_switcher, visitor
from core.ui.components.viewer import NONE_FOUND
from core.ui.feedback import explained, plural
from core.ui.format import three_digits
from core.ui.image_list import ImageListPlace
from core.ui.settings_panel import changes
from core.ui.shell import REFRESH_SECONDS, plain

Result = tuple[Version, tuple[Spheroid, ...]] | None
SOURCES = {
    PixelSizeSource.FILE: "from the file",
    PixelSizeSource.PROJECT: "the project's default",
    PixelSizeSource.USER: "typed by a user",
}


def step_to(place: Neighbours, step: int) -> None:
    """Go to the previous (-1) or next (1) image; at either end stay."""
    other = place.previous if step < 0 else place.next
    if other:
        st.query_params["image"] = other


def header(services: Services, project: Project, image: Image, here: ImageListPlace) -> None:
    """Draw the link back to the list, Previous and Next, the name, and Segment."""
    if project_switcher.chosen() != project.id:  # the address of a link names the image alone
        project_switcher.choose_next(project.id)
        st.rerun()
    place = here.place
    label = "Back to the filtered images" if here.filtered else "Images of this project"
    st.page_link("images.py", label=label, icon=":material/arrow_back:", query_params=here.query)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous",
            icon=":material/chevron_left:",
            disabled=place.previous is None,
            on_click=step_to,
            args=(place, -1),
            key="previous",
        )
        st.button(
            "Next",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=place.next is None,
            on_click=step_to,
            args=(place, 1),
            key="next",
        )
        st.title(plain(image.name), anchor=False, width="content")
        which = " on this filter" if here.filtered else ""
        st.caption(f"{place.position} of {place.total}{which}", width="content")
        st.space("stretch")
        label = "Segment" if image.version_id is None else "Re-segment"
        busy = image.status in (ImageStatus.QUEUED, ImageStatus.RUNNING)
        if st.button(label, type="primary", icon=":material/play_arrow:", disabled=busy):
            with explained():
                services.segment(project, (image.id,), request=visitor.job_request(services))
                st.rerun()


def if_empty(image: Image, result: Result) -> str:
    """Return the sentence for an image without outlines."""
    if result:
        return NONE_FOUND
    return "Not segmented yet." if image.status is ImageStatus.NEW else "No outlines yet."


def status_line(services: Services, image: Image, result: Result) -> None:
    """Draw the status in words, refreshed while the image waits or runs."""
    busy = image.status in (ImageStatus.QUEUED, ImageStatus.RUNNING)
    # Drawn first of what the page has read already; later, of what is read then.
    st.fragment(run_every=REFRESH_SECONDS / 2 if busy else None)(_status)(services, [image], image, result)


def _status(services: Services, read: list[Image], image: Image, result: Result) -> None:
    now = read.pop() if read else services.store.images.get(image.id)
    if now.status != image.status:
        st.rerun()
    if now.status is ImageStatus.FAILED:
        st.error(now.error or "Segmenting this image failed.", icon=":material/error:")
    elif now.status is ImageStatus.QUEUED:
        st.info("Waiting in the queue.", icon=":material/schedule:")
    elif now.status is ImageStatus.RUNNING:
        st.info("Being segmented now.", icon=":material/sync:")
    elif now.status is ImageStatus.NEW:
        st.info("Not segmented yet. Press Segment to outline its spheroids.", icon=":material/info:")
    elif result:
        _done(now, result)


def _done(image: Image, result: tuple[Version, tuple[Spheroid, ...]]) -> None:
    stored, spheroids = result
    trust = "" if image.confidence is None else f" · confidence {three_digits(image.confidence)}"
    changed = changes(stored.params)
    st.caption(
        f":green[●] done · {plural(len(spheroids), 'spheroid')} · {stored.engine} {stored.engine_version}"
        f"{f' with {changed}' if changed else ''} · {seconds_of(stored.timings_ms):.2f} s{trust}",
        help="Confidence is the overlap with a person's outline that is to be expected, from 0 to 1.",
    )
    if image.last_try_failed:
        st.warning(
            f"**Done; the last try failed:** {plain(image.error or '')} The result before it is shown.",
            icon=":material/history:",
        )
    if doubtful(image.confidence):
        st.warning(
            "**Look at this.** The outlines of this image are less certain than usual: compare them with the "
            "picture, and try other settings below if they are wrong.",
            icon=":material/visibility:",
        )


def pixel_size(services: Services, image: Image) -> None:
    """Draw the pixel size with its source, and the form that sets it for this image or the whole project."""
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        if image.um_per_px is None:
            st.markdown(":orange[**Uncalibrated:**] sizes are in pixels until the pixel size is known.")
        else:
            source = SOURCES[image.um_per_px_source] if image.um_per_px_source else ""
            tag = f" ({image.um_per_px_from})" if image.um_per_px_source is PixelSizeSource.FILE else ""
            st.markdown(f"**Pixel size {image.um_per_px:.4f} µm/px**, {source}{tag}")
        with st.popover("Set pixel size", icon=":material/straighten:"):
            _pixel_size_form(services, image)


def _pixel_size_form(services: Services, image: Image) -> None:
    with st.form("pixel size", border=False):
        size = st.number_input("µm per pixel", min_value=0.0, value=image.um_per_px, format="%.4f")
        here = st.form_submit_button("Use for this image", type="primary")
        everywhere = st.form_submit_button(
            "Use as the project's default",
            help="For all images whose file does not say and that nobody has set",
        )
        back = st.form_submit_button("Back to the file's or the project's")
    if not (here or everywhere or back):
        return
    with explained():
        if everywhere:
            services.store.projects.set_pixel_size(image.project_id, size)
        else:
            services.store.images.set_pixel_size((image.id,), None if back else size)
        st.rerun()


def facts(image: Image, result: Result) -> None:
    """Draw the facts of the file, the downloads, and the formula of every number."""
    channels = "" if image.channels == 1 else f", {image.channels} channels"
    st.caption(
        f"{image.width}×{image.height} px · {image.bit_depth} bits ({image.dtype}){channels} · "
        f"{image.n_bytes / 1e6:.3g} MB · added {image.created_at:%d %b %Y, %H:%M} UTC"
    )
    with st.container(horizontal=True):
        _download("Original", image, "original")
        if result:
            _download("Spheroids CSV", image, "objects.csv")
            _download("Mask", image, "mask.png")
            _download("Overlay", image, "overlay.png")
    with st.expander("How the numbers are computed", icon=":material/function:"):
        st.dataframe(
            pl.DataFrame(
                {
                    "Quantity": [column.label for column in MEASUREMENTS],
                    "Formula": [column.formula for column in MEASUREMENTS],
                    "Column in exports": [column.name for column in MEASUREMENTS],
                }
            ),
            hide_index=True,
            width="stretch",
        )
        st.caption("A is the area with holes taken out, P the perimeter. Lengths scale with the pixel size.")


def _download(label: str, image: Image, what: str) -> None:
    st.link_button(label, f"/downloads/images/{image.id}/{what}", icon=":material/download:")
