"""A project's watched folder: whether it is on, where it is, what it took in last, and how to change it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

import polars as pl
import streamlit as st

from core.models import Project, Upload
from core.services import Services
from core.ui import times, upload_panel, visitor
from core.ui.feedback import explained
from core.ui.shell import plain
from core.uploads.watched_folders import FolderStatus

_OFF = (
    "Off for the whole app. Start it with the setting WATCHED_ROOT: the folder in which your instruments "
    "write. Each project can then add what appears in a folder of its own there."
)


def watched_folder(services: Services, project: Project) -> None:
    """Draw the watched folder of a project."""
    st.header(f"Watched folder of {plain(project.name)}", anchor=False)
    status = services.watched.status(project.id)
    with st.container(border=True):
        _words(status)
        if status.root is not None:
            _form(services, project, status)
    if status.latest:
        st.markdown("**Added last**")
        st.dataframe(
            stored_uploads(status.latest), hide_index=True, column_config={"When": times.column("When")}
        )
    elif status.root is not None:
        st.caption("Nothing has been added yet.")


def stored_uploads(uploads: Sequence[Upload]) -> pl.DataFrame:
    """Return files of a watched folder as the page shows them, times in UTC."""
    return pl.DataFrame(
        {
            "File": [upload.path for upload in uploads],
            "Verdict": [upload_panel.verdict(upload) for upload in uploads],
            "When": [(upload.ended_at or upload.created_at).replace(tzinfo=UTC) for upload in uploads],
            "Details": [upload.message or "" for upload in uploads],
        }
    )


def _words(status: FolderStatus) -> None:
    if status.root is None:
        st.markdown(f"○ {_OFF}")
    elif not status.is_on:
        st.markdown("○ **Off:** no folder is watched for this project.")
    elif status.problem:
        st.warning(plain(status.problem), icon=":material/folder_off:")
    else:
        path = plain(str(status.root / status.folder))
        sentence = "images that appear there are added within seconds, once they are complete."
        st.markdown(f":green[●] **On:** {path}. Files stay where they are; {sentence}")


def _form(services: Services, project: Project, status: FolderStatus) -> None:
    with st.form(f"watched-{project.id}", border=False):
        is_on = st.toggle("Watch a folder for this project", value=status.is_on)
        folder = st.text_input(f"Folder, below {status.root}", value=status.folder, width=420)
        pressed = st.form_submit_button("Save")
    if pressed:
        with explained():
            services.watched.choose(project.id, folder.strip() if is_on else None, visitor.name(services))
            st.rerun()
