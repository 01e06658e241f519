"""What surrounds the viewer: place in the list, status, pixel size, facts and downloads of an image."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import streamlit as st

from core.accounts import Level
from core.models import MEASUREMENTS, Image, ImageStatus, Project, ReviewState, Version
from core.models.jobs import seconds_of
from core.segmentation.confidence import doubtful
from core.services import Services
from core.store.images import Neighbours
from core.store.recipe import NAMELESS
from core.ui import correction_panel, history_panel, project_switcher, segment_dialogs, times, visitor
from core.ui.components.viewer import NONE_FOUND
from core.ui.feedback import explained, plural
from core.ui.format import three_digits
from core.ui.image_list import ImageListPlace
from core.ui.shell import REFRESH_SECONDS, go, plain

CHECK_ADVICE = (
    "The outlines of this image are less certain than usual: compare them with the picture, and correct them "
    "or try other settings if they are wrong. "
)
# What is left of the window's height under the page's header and status, with the bar over the picture.
PICTURE_HEIGHT, PREVIEW_HEIGHT = "calc(100dvh - 11rem)", "calc(100dvh - 12.25rem)"


def step_to(place: Neighbours, step: int) -> None:
    """Go to the previous (-1) or next (1) image; at either end stay."""
    target = place.previous if step < 0 else place.next
    if target:
        st.query_params["image"] = target
        st.query_params.pop(correction_panel.EDIT, None)


def header(
    services: Services,
    project: Project,
    image: Image,
    list_place: ImageListPlace,
    versions: Sequence[Version],
) -> None:
    """Draw the link back to the list, Previous and Next, the name, Undo and Segment."""
    if project_switcher.chosen() != project.id:  # the address of a link names the image alone
        project_switcher.choose_next(project.id)
        st.rerun()
    if image.review is ReviewState.CORRECTED and _reviewing() and "edit" not in st.query_params:
        go("review.py")  # corrected in the review: the next image
    place = list_place.place
    with st.container(horizontal=True, vertical_alignment="center", key="image-header"):
        _back_link(list_place)
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
        scope = " on this filter" if list_place.filtered else ""
        st.caption(f"{place.position} of {place.total}{scope}", width="content")
        st.space("stretch")
        if correction_panel.EDIT not in st.query_params:  # the editor has an Undo of its own
            history_panel.undo_button(services, project, image, versions)
        _segment_button(services, project, image)


def _reviewing() -> bool:
    """Whether the review has opened this image, to be corrected."""
    return st.query_params.get("back") == "review"


def _back_link(list_place: ImageListPlace) -> None:
    """Draw the link to where the image was opened: the review, or the list of images."""
    if _reviewing():
        st.page_link("review.py", label="Back to the review", icon=":material/arrow_back:")
        return
    label = "Back to the filtered images" if list_place.filtered else "Images of this project"
    st.page_link("images.py", label=label, icon=":material/arrow_back:", query_params=list_place.query)


def _segment_button(services: Services, project: Project, image: Image) -> None:
    """Draw Segment or Re-segment, which goes by the image's own settings where it has some."""
    if not visitor.may_edit(services, project):
        return
    label = "Segment" if image.version_id is None else "Re-segment"
    owner = "the project's settings" if image.own_engine is None else "its own settings"
    words = segment_dialogs.in_words(*segment_dialogs.settings_of(project, image))
    busy = image.status in (ImageStatus.QUEUED, ImageStatus.RUNNING)
    pressed = st.button(
        label, type="primary", icon=":material/play_arrow:", disabled=busy, help=f"By {owner}: {words}"
    )
    if pressed:
        with explained():
            services.segment(project, (image.id,), visitor.job_request(services))
            st.rerun()


def if_empty(image: Image) -> str:
    """Return the sentence for an image without outlines."""
    if image.version_id is not None:
        return NONE_FOUND
    return "Not segmented yet." if image.status is ImageStatus.NEW else "No outlines yet."


def status_line(services: Services, image: Image, version: Version | None) -> None:
    """Draw the status in words, refreshed while the image waits or runs."""
    busy = image.status in (ImageStatus.QUEUED, ImageStatus.RUNNING)
    # Drawn first of what the page has read already; later, of what is read then.
    st.fragment(run_every=REFRESH_SECONDS / 2 if busy else None)(_status)(services, [image], image, version)


def _status(services: Services, read: list[Image], image: Image, version: Version | None) -> None:
    current = read.pop() if read else services.store.images.get(image.id)
    if current.status != image.status:
        st.rerun()
    if current.status is ImageStatus.FAILED:
        st.error(current.error or "Segmenting this image failed.", icon=":material/error:")
    elif current.status is ImageStatus.QUEUED:
        st.info("Waiting in the queue.", icon=":material/schedule:")
    elif current.status is ImageStatus.RUNNING:
        st.info("Being segmented now.", icon=":material/sync:")
    elif current.status is ImageStatus.NEW:
        may_edit = services.principal.reaches(current.project_id, Level.EDIT)
        press = " Press Segment to outline its spheroids." if may_edit else ""
        st.info(f"Not segmented yet.{press}", icon=":material/info:")
    elif version is not None:
        _done(current, version)


def _done(image: Image, version: Version) -> None:
    confidence = "" if version.confidence is None else f" · confidence {three_digits(version.confidence)}"
    own = " · settings of its own" if image.own_engine is not None else ""
    made = plain(history_panel.words(version))
    # In the line, not in a box of its own, which would push the picture from the screen.
    prefix, advice = (
        ("**:material/visibility: Look at this** · ", CHECK_ADVICE)
        if doubtful(image.confidence)
        else ("", "")
    )
    st.caption(
        f"{prefix}:green[●] done · {plural(version.n_objects, 'spheroid')} · {made} · "
        f"{seconds_of(version.timings_ms):.2f} s{confidence}{own}{reviewed_words(image)}",
        help=f"{advice}Confidence is the overlap with a person's outline that is to be expected, from 0 to "
        f"1. {version.engine} {version.engine_version}",
    )
    if image.last_try_failed:
        st.warning(
            f"**Done; the last try failed:** {plain(image.error or '')} The result before it is shown.",
            icon=":material/history:",
        )


def reviewed_words(image: Image) -> str:
    """“ · excluded by Ana: debris”; nothing where nobody has looked at the result, or it says so itself."""
    if image.review in (ReviewState.UNSEEN, ReviewState.CORRECTED):
        return ""
    reason = f": {plain(image.review_reason)}" if image.review_reason else ""
    known = image.reviewed_by not in (None, *NAMELESS)
    reviewer = f" by {plain(image.reviewed_by or '')}" if known else ""
    return f" · {image.review.value}{reviewer}{reason}"


def facts(image: Image) -> None:
    """Draw the facts of the file, the downloads, and the formula of every number."""
    channels = "" if image.channels == 1 else f", {image.channels} channels"
    st.caption(
        f"{image.width}×{image.height} px · {image.bit_depth} bits ({image.dtype}){channels} · "
        f"{image.n_bytes / 1e6:.3g} MB · added {times.moment(image.created_at)}"
    )
    with st.container(horizontal=True):
        _download("Original", image, "original")
        if image.version_id is not None:
            _download("Spheroids CSV", image, "objects.csv")
            _download("Mask", image, "mask.png")
            _download("Overlay", image, "overlay.png")
    with st.expander("How the numbers are computed", icon=":material/function:"):
        st.dataframe(
            pl.DataFrame(
                {
                    "Quantity": [column.label for column in MEASUREMENTS],
                    "Formula": [column.formula for column in MEASUREMENTS],
                    "Column in exports": [column.export_name for column in MEASUREMENTS],
                }
            ),
            hide_index=True,
            width="stretch",
        )
        st.caption("A is the area with holes taken out, P the perimeter. Lengths scale with the pixel size.")


def _download(label: str, image: Image, file: str) -> None:
    st.link_button(label, f"/downloads/images/{image.id}/{file}", icon=":material/download:")
