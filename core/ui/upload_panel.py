"""Upload of images: where files are dropped, and a verdict on each that stays until it is dismissed."""

from __future__ import annotations

from collections import Counter

import polars as pl
import streamlit as st

from core.models import Project, Upload, UploadState
from core.services import Services
from core.ui import visitor
from core.ui.components import uploads

SHOWN = 1000  # verdicts
_MARKS = {
    UploadState.STORED: "● stored",
    UploadState.PRESENT: "○ already there",
    UploadState.RESTORED: "● restored",
    UploadState.REFUSED: "✕ refused",
    UploadState.CANCELLED: "– cancelled",
    UploadState.NOT_STORED: "▲ not stored",
    UploadState.WAITING: "▲ not stored",
    UploadState.CHECKING: "◑ checking",
}
_NOT_ARRIVED = (
    "The page was closed before all of it had arrived. Drop it again: it continues where it stopped."
)


def upload_button(services: Services, project: Project) -> None:
    """Draw a button that opens the drop zone."""
    with st.popover("Upload", icon=":material/upload:", key="upload-button"):
        drop_zone(services, project)


def drop_zone(services: Services, project: Project) -> None:
    """Draw the drop zone."""
    segment = st.session_state.get(uploads.SEGMENT, True)
    uploads.drop_zone(services, project, segment=segment, key="drop zone")
    st.toggle("Segment as they arrive", value=True, key=uploads.SEGMENT)


def show_verdicts(services: Services, project: Project) -> None:
    """List the verdicts on the files of the last uploads, first of those that are not in the project."""
    uploads = services.uploads.listed(project.id)[:SHOWN]
    shown = [upload for upload in uploads if _is_shown(upload, uploads[0].batch)]
    if not shown:
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Last upload:** {_summary(shown)}")
            may_dismiss = visitor.may_edit(services, project)
            if may_dismiss and st.button("Dismiss", type="tertiary", key="verdicts-dismiss"):
                services.uploads.dismiss(project.id)
                st.rerun()
        ordered = sorted(shown, key=lambda upload: (upload.state.in_project, upload.path))
        st.dataframe(
            pl.DataFrame(
                {
                    "File": [upload.path for upload in ordered],
                    "Verdict": [verdict(upload) for upload in ordered],
                    "Details": [_details(upload) for upload in ordered],
                }
            ),
            hide_index=True,
            width="stretch",
            height=min(38 + 35 * len(ordered), 260),
            column_config={
                "File": st.column_config.TextColumn(width=190),
                "Verdict": st.column_config.TextColumn(width=110),
                "Details": st.column_config.TextColumn(width=800),
            },
        )


def verdict(upload: Upload) -> str:
    """Return what became of a file, as a mark and a word."""
    return _MARKS[upload.state]


def _is_shown(upload: Upload, last_batch: str) -> bool:
    """Of the last batch, every verdict; of earlier ones, what was not stored."""
    if not upload.state.ended:
        return not upload.active  # else it is in the tray of whoever sends it
    return upload.batch == last_batch or upload.state in (UploadState.REFUSED, UploadState.NOT_STORED)


def _summary(shown: list[Upload]) -> str:
    """“3 stored, 1 refused”."""
    counts = Counter(_MARKS[upload.state].split(maxsplit=1)[1] for upload in shown)
    words = dict.fromkeys(mark.split(maxsplit=1)[1] for mark in _MARKS.values())
    return ", ".join(f"{counts[word]} {word}" for word in words if counts[word])


def _details(upload: Upload) -> str:
    return upload.message or (_NOT_ARRIVED if upload.state is UploadState.WAITING else "")
