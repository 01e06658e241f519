"""Dropping files: each is taken in, one after another, with a verdict that stays until it is dismissed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import polars as pl
import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.ingest import Outcome, Verdict
from core.models import Project
from core.services import Services
from core.ui import visitor

_TURN = "upload turn"
_MARKS = {
    Outcome.STORED: "● stored",
    Outcome.PRESENT: "○ already there",
    Outcome.RESTORED: "● restored",
    Outcome.REFUSED: "✕ refused",
}


def uploader(services: Services, project: Project, *, expanded: bool) -> None:
    """Draw the drop zone and the verdicts of what was dropped last."""
    turn = st.session_state.setdefault(_TURN, 0)
    with st.expander("Upload images", expanded=expanded, icon=":material/upload:"):
        files = st.file_uploader(
            f"PNG, JPEG, BMP or TIFF, up to {services.settings.max_upload_mb} MB each; "
            "every page of a multi-page TIFF becomes an image",
            accept_multiple_files=True,
            max_upload_size=services.settings.max_upload_mb,
            key=f"upload-{turn}",
        )
        segment = st.toggle("Segment as they arrive", value=True, key="segment-on-upload")
    if files:
        st.session_state[_key(project)] = _take_in(services, project, files, segment)
        st.session_state[_TURN] = turn + 1  # a fresh drop zone, which no longer names what was taken in
        st.rerun()
    show_verdicts(project)


def show_verdicts(project: Project) -> None:
    """List what became of each file dropped last, refusals first."""
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


def _take_in(
    services: Services, project: Project, files: Sequence[UploadedFile], segment: bool
) -> list[Verdict]:
    recipe, asked = services.recipe(project) if segment else None, visitor.job_request(services)
    bar = st.progress(0.0, text="Storing …")
    verdicts = []
    for number, file in enumerate(files, start=1):
        verdicts.append(services.ingest.add(project.id, file.name, file.getvalue(), recipe, asked))
        services.queue.wake()
        _let_go(file)
        bar.progress(number / len(files), text=f"Stored {number} of {len(files)}")
    return verdicts


def _let_go(file: UploadedFile) -> None:
    """Free a file's memory: Streamlit would keep it until minutes after its visitor has left."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
