"""The Export dialog: choice of formats, progress of the archive, download."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from core.errors import NotFound
from core.export import Export, ExportRequest, ExportState, Part
from core.export.writers import FORMATS
from core.models import Project
from core.services import Services
from core.ui import visitor
from core.ui.components.focus import focus_first_field
from core.ui.feedback import explained, plural
from core.ui.format import bytes_of_file, clock
from core.ui.shell import plain

REFRESH_SECONDS = 1.0
SHORT_DIGITS = 6
ALL = "all images of the project"
GROUPS = (
    ("Tables", (Part.CSV, Part.XLSX, Part.PARQUET)),
    ("Outlines", (Part.MASKS, Part.ROIS, Part.COCO)),
    ("Pictures", (Part.OVERLAYS, Part.ORIGINALS)),
)
USUAL = (Part.CSV, Part.XLSX, Part.MASKS)


@st.dialog("Export", width="medium")
def dialog(services: Services, project: Project, image_ids: tuple[str, ...] | None, chosen_by: str) -> None:
    """Export some images, or all where ``image_ids`` is None: formats, progress and download."""
    count = project.n_images if image_ids is None else len(image_ids)
    st.markdown(f"**{plural(count, 'image')}** · {plain(chosen_by)}")
    parts = _choose()
    is_rounded = st.checkbox(
        f"Round to {SHORT_DIGITS} significant digits",
        key="export-short",
        help="Without it, numbers have every digit that was computed. Rounded tables are smaller and "
        "easier to read, and no measurement is more precise than that.",
    )
    digits = SHORT_DIGITS if is_rounded else None
    if st.button("Make the archive", type="primary", icon=":material/inventory_2:", disabled=not parts):
        with explained():
            services.exports.start(ExportRequest(project.id, parts, image_ids, chosen_by, digits))
    _list(services, project)
    focus_first_field()


@st.dialog("Exports", width="medium")
def list_exports(services: Services, project: Project) -> None:
    """List the archives of a project that are being made or kept."""
    _list(services, project)


def _choose() -> frozenset[Part]:
    chosen = set()
    for column, (title, parts) in zip(st.columns(len(GROUPS)), GROUPS, strict=True):
        with column:
            st.caption(title)
            for part in parts:
                kind = FORMATS[part]
                if st.checkbox(kind.label, value=part in USUAL, help=kind.help, key=f"export-{part}"):
                    chosen.add(part)
    return frozenset(chosen)


def _list(services: Services, project: Project) -> None:
    busy = any(export.open for export in services.exports.of_project(project.id))
    # Only a run of the whole page would end the timer, and would close the dialog with it.
    st.fragment(run_every=REFRESH_SECONDS if busy else None)(_rows)(services, project)


def _rows(services: Services, project: Project) -> None:
    exports = services.exports.of_project(project.id)
    if not exports:
        return
    st.divider()
    may_end = visitor.may_edit(services, project)
    for export in exports:
        _row(services, export, may_end=may_end)
    st.caption(
        f"Archives are kept for {plural(services.settings.export_hours, 'hour')} after their last download. "
        "A download that breaks off can be resumed. You may close this window meanwhile."
    )


def _end(services: Services, export_id: str) -> None:
    with suppress(NotFound):  # swept meanwhile
        services.exports.cancel(export_id)


def _row(services: Services, export: Export, *, may_end: bool) -> None:
    contents = ", ".join(FORMATS[part].label for part in Part if part in export.parts)
    if export.state is ExportState.RUNNING:
        share = export.done / export.total if export.total else 0.0
        st.progress(min(share, 1.0), text=_progress(export))
    with st.container(horizontal=True, vertical_alignment="center"):
        if export.state is ExportState.READY:
            label = f"{plain(export.name)} · {bytes_of_file(export.n_bytes)}"
            st.link_button(
                label, f"/downloads/exports/{export.id}.zip", type="primary", icon=":material/download:"
            )
        else:
            st.markdown(_state(export), width="content")
        st.caption(f"{plural(export.total, 'image')} · {contents}", width="stretch")
        if may_end:
            st.button(
                "Cancel" if export.open else "Delete",
                type="tertiary",
                key=f"end-{export.id}",
                on_click=_end,
                args=(services, export.id),
            )
    if export.problems:
        st.warning(
            f"{plural(export.problems, 'file')} could not be included; problems.csv in the archive says "
            "which and why.",
            icon=":material/warning:",
        )


def _state(export: Export) -> str:
    if export.state is ExportState.FAILED:
        return f":red[:material/error:] {plain(export.error or 'The export failed.')}"
    words = {
        ExportState.WAITING: ":gray[:material/schedule:] Waiting for another export",
        ExportState.RUNNING: ":blue[:material/sync:] Being made",
        ExportState.CANCELLED: ":gray[:material/cancel:] Cancelled",
    }
    return words[export.state]


def _progress(export: Export) -> str:
    if export.done >= export.total:
        return "Writing the tables …"
    remaining = "" if export.seconds_left is None else f" · {clock(export.seconds_left)} left"
    return f"{export.done} of {plural(export.total, 'image')}{remaining}"
