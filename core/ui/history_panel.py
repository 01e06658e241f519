"""The versions of an image's result: which is in force, how others differ, and how to go back to one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.models import Image, Project, Spheroid, Version, VersionKind
from core.services import Services
from core.ui import changes_panel, segment_dialogs, times, visitor
from core.ui.components.viewer_payload import Comparison
from core.ui.feedback import explained, plural
from core.ui.format import clock, three_digits
from core.ui.shell import plain

SHOWN = 20  # versions; older ones are few, and none is in force
_COMPARED = "compared version"  # in the session: the image's id and the version's


def in_force(image: Image, versions: Sequence[Version]) -> Version | None:
    """Return the version in force; None where there is none."""
    return next((version for version in versions if version.id == image.version_id), None)


def previous(image: Image, versions: Sequence[Version]) -> Version | None:
    """Return the version that was in force before the one that is; None where there was none.

    A version that never was in force was superseded as it was saved.
    """
    alternatives = [
        version
        for version in versions
        if version.id != image.version_id
        and version.superseded_at is not None
        and version.superseded_at > version.created_at
    ]
    return max(alternatives, key=lambda version: version.superseded_at or version.created_at, default=None)


def undo_button(services: Services, project: Project, image: Image, versions: Sequence[Version]) -> None:
    """Draw the button that puts the earlier result back; nothing where there is none, or one may not."""
    before = previous(image, versions)
    if before is None or not visitor.may_edit(services, project):
        return
    if st.button(
        "Undo", icon=":material/undo:", help=f"Go back to the previous result: {plain(words(before))}"
    ):
        restore_version(services, project, image, before)


def restore_version(services: Services, project: Project, image: Image, version: Version) -> None:
    """Put a version in force with the settings that it was made with, and run the page again."""
    with explained():
        services.requests.restore_version(project, image, version)
        st.session_state.pop(_COMPARED, None)
        st.toast(f"Current again: {plain(words(version))}.", icon=":material/history:")
        st.rerun()


def history_panel(services: Services, project: Project, image: Image, versions: Sequence[Version]) -> None:
    """Draw the versions, the newest first, each with what can be done with it."""
    if not versions:
        st.caption("No result yet. Each result is kept here, so that you can go back to it.")
        return
    st.caption(
        "Segmenting again or correcting adds a result, none changes. Those that somebody has judged, "
        "chosen or corrected are kept for good; what an engine made and nobody did anything with goes "
        f"{plural(services.settings.keep_versions_days, 'day')} after a later result has replaced it."
    )
    changes_panel.changes_panel(services, image, versions)
    for version in versions[:SHOWN]:
        with st.container(border=True, key=f"version-{version.id}"):
            _version(services, project, image, version)
    if len(versions) > SHOWN:
        st.caption(f"and {len(versions) - SHOWN} older ones")


def _version(services: Services, project: Project, image: Image, version: Version) -> None:
    in_force = version.id == image.version_id
    mark = ":green[● **current**] · " if in_force else ""
    st.markdown(f"{mark}{times.moment(version.created_at)}")
    trust = "" if version.confidence is None else f" · confidence {three_digits(version.confidence)}"
    st.caption(
        f"{plain(words(version))} · {plural(version.n_objects, 'spheroid')}{trust}{effort_words(version)}"
    )
    if in_force:
        return
    with st.container(horizontal=True):
        compared = st.session_state.get(_COMPARED) == (image.id, version.id)
        label = "Stop" if compared else "Compare"
        if st.button(label, icon=":material/compare:", key=f"compare-{version.id}"):
            st.session_state[_COMPARED] = None if compared else (image.id, version.id)
            st.rerun()
        may_edit = visitor.may_edit(services, project)
        key = f"back-{version.id}"
        if may_edit and st.button("Go back to this one", icon=":material/history:", key=key):
            restore_version(services, project, image, version)


def words(version: Version) -> str:
    """Return how a version came about: its engine and settings, or who corrected it and why."""
    if version.kind is VersionKind.CORRECTED:
        reason = f": {version.reason}" if version.reason else ""
        return f"corrected by {version.author}{reason}"
    return segment_dialogs.in_words(version.engine, version.params)


def effort_words(version: Version) -> str:
    """Return how much a correction changed and how long it took, as far as that is known."""
    overlap = (
        "" if version.parent_iou is None else f" · overlap {version.parent_iou:.2f} with the result before it"
    )
    seconds = version.seconds_worked
    if seconds is None:
        return overlap
    return overlap + (f" · {seconds:.0f} s of work" if seconds < 60 else f" · {clock(seconds)} min of work")


def outlines(
    services: Services, image: Image, versions: Sequence[Version], preview: Sequence[Spheroid] | None
) -> tuple[Sequence[Spheroid], Comparison | None]:
    """Return the spheroids to be shown, and what they are compared with.

    A preview is compared with the result in force, and that one with the version that the user chose.
    """
    result = services.store.results.get(image)
    in_force = result[1] if result else ()
    if preview is not None:
        return preview, Comparison(in_force, "Current", "Preview")
    chosen = st.session_state.get(_COMPARED)
    version = next((item for item in versions if (image.id, item.id) == chosen), None)
    if version is None or version.id == image.version_id:
        return in_force, None
    earlier = services.store.results.spheroids(image.id, version.id)
    return in_force, Comparison(earlier, times.moment(version.created_at), "Current")
