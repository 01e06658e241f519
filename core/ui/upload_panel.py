"""Upload of images: the drop zone, and a verdict on each file that stays until it is dismissed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl
import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.images import formats
from core.ingest import Outcome, Verdict
from core.models import Project
from core.services import Services
from core.ui import visitor

_ZONE = "upload zone"
_MARKS = {
    Outcome.STORED: "● stored",
    Outcome.PRESENT: "○ already there",
    Outcome.RESTORED: "● restored",
    Outcome.REFUSED: "✕ refused",
}


class DroppedFiles(NamedTuple):
    """The files dropped in this run of the page, and whether they are to be segmented."""

    files: Sequence[UploadedFile] = ()
    segment: bool = True


def upload_button(services: Services) -> DroppedFiles:
    """Draw a button that opens the drop zone; return the files dropped there."""
    zone = st.session_state.setdefault(_ZONE, 0)
    # Another key after every upload, which closes it.
    with st.popover("Upload", icon=":material/upload:", key=f"upload-button-{zone}"):
        return drop_zone(services)


def drop_zone(services: Services) -> DroppedFiles:
    """Draw the drop zone; return the files dropped there."""
    zone = st.session_state.setdefault(_ZONE, 0)
    files = st.file_uploader(
        f"{formats.NAMES}, up to {services.settings.max_upload_mb} MB each; "
        "every page of a multi-page TIFF becomes an image",
        accept_multiple_files=True,
        max_upload_size=services.settings.max_upload_mb,
        key=f"upload-{zone}",
    )
    segment = st.toggle("Segment as they arrive", value=True, key="segment-on-upload")
    return DroppedFiles(files, segment)


def store(services: Services, project: Project, dropped: DroppedFiles) -> None:
    """Store the dropped files in the project, keep their verdicts, and draw the page anew."""
    if not dropped.files:
        return
    st.session_state[_key(project)] = _verdicts(services, project, dropped)
    st.session_state[_ZONE] += 1  # a new drop zone, which no longer lists the files that have been stored
    st.rerun()


def show_verdicts(project: Project) -> None:
    """List the verdicts on the files of the last upload, refused ones first."""
    verdicts: list[Verdict] = st.session_state.get(_key(project), [])
    if not verdicts:
        return
    counts = Counter(verdict.outcome for verdict in verdicts)
    summary = ", ".join(f"{counts[outcome]} {outcome.value}" for outcome in Outcome if counts[outcome])
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Last upload:** {summary}")
            if st.button("Dismiss", type="tertiary", key="verdicts-dismiss"):
                del st.session_state[_key(project)]
                st.rerun()
        ordered = sorted(verdicts, key=lambda verdict: verdict.outcome is not Outcome.REFUSED)
        st.dataframe(
            pl.DataFrame(
                {
                    "File": [verdict.name for verdict in ordered],
                    "Verdict": [_MARKS[verdict.outcome] for verdict in ordered],
                    "Details": [verdict.message for verdict in ordered],
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


def _key(project: Project) -> str:
    return f"upload verdicts {project.id}"


def _verdicts(services: Services, project: Project, dropped: DroppedFiles) -> list[Verdict]:
    recipe = services.recipe(project) if dropped.segment else None
    request = visitor.job_request(services)
    bar = st.progress(0.0, text="Storing …")
    verdicts = []
    for number, file in enumerate(dropped.files, start=1):
        verdicts.append(services.ingest.add(project.id, file.name, file, recipe, request))
        services.queue.wake()
        _release(file)
        bar.progress(number / len(dropped.files), text=f"Stored {number} of {len(dropped.files)}")
    return verdicts


def _release(file: UploadedFile) -> None:
    """Free a file's memory: Streamlit would keep it until minutes after its visitor has left."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
