"""Import of outlines that other programs made: a dialog that takes files and says what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.corrections.imports import MAX_BYTES, SUFFIXES, Imported, ImportState
from core.errors import SpheroscopeError
from core.models import Project
from core.services import Services
from core.ui import visitor
from core.ui.feedback import plural
from core.ui.shell import plain

ROW_PX = 66  # high enough for Streamlit to wrap words
NOTHING_OUTLINED = "▲ imported empty"
_MARKS = {
    ImportState.REFUSED: "✕ not imported",
    ImportState.IMPORTED: "● imported",
    ImportState.UNCHANGED: "○ there already",
}
_INTRODUCTION = (
    "Masks and outlines from other programs become the results in force of the images of the same name: "
    "**A05_masks.png** is for **A05.tif**. They are corrections in your name; each image's history "
    "goes back to what was there before."
)
_KINDS = "Label masks (PNG, TIFF), zips of ImageJ ROIs, COCO (JSON), NumPy arrays (_seg.npy)"


@dataclass(slots=True)
class ImportMemory:
    """Rows of the last import into a project, and the files that it has not come to yet."""

    rows: list[Imported] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    field_number: int = 0  # of the field that files are chosen in: another one is empty


def button(services: Services, project: Project) -> None:
    """Draw the button that opens the dialog."""
    if st.button(
        "Import outlines",
        icon=":material/draw:",
        key="import-outlines",
        help="Masks, ROIs or COCO of other programs become the outlines of the images of the same name",
    ):
        dialog(services, project)


@st.dialog("Import outlines", width="medium", on_dismiss="rerun")
def dialog(services: Services, project: Project) -> None:
    """Take files of outlines, import them one after another, and say of each picture what became of it."""
    memory = memory_of(project)
    st.markdown(_INTRODUCTION)
    field, start = st.empty(), st.empty()
    files = _choose(field, memory)
    if _pressed(start, memory, files):
        _import(services, project, memory, files)
        memory.field_number += 1
        _pressed(start, memory, _choose(field, memory))
    _show(memory)


def _choose(place: DeltaGenerator, memory: ImportMemory) -> list[UploadedFile]:
    return place.file_uploader(
        _KINDS,
        type=[suffix.removeprefix(".") for suffix in SUFFIXES],
        accept_multiple_files=True,
        max_upload_size=MAX_BYTES // 2**20,
        key=f"outlines-{memory.field_number}",
    )


def _pressed(place: DeltaGenerator, memory: ImportMemory, files: Sequence[UploadedFile]) -> bool:
    words = f"Import {plural(len(files), 'file')}" if files else "Import"
    key = f"import-start-{memory.field_number}"
    return place.button(words, type="primary", disabled=not files, key=key)


def memory_of(project: Project) -> ImportMemory:
    """What the session knows of the last import into a project."""
    memory: ImportMemory = st.session_state.setdefault(f"import-{project.id}", ImportMemory())
    return memory


def _import(
    services: Services, project: Project, memory: ImportMemory, files: Sequence[UploadedFile]
) -> None:
    """Import files; what is done stays done and is remembered where the dialog is closed meanwhile."""
    memory.rows, memory.waiting = [], [file.name for file in files]
    progress = st.progress(0.0)
    for number, file in enumerate(files):

        def report(row: Imported, number: int = number) -> None:
            memory.rows.append(row)
            progress.progress(number / len(files), text=f"{plain(row.name)} · {len(memory.rows)} done")

        progress.progress(number / len(files), text=f"{number + 1} of {len(files)}: {plain(file.name)}")
        try:
            services.imports.add(project.id, file.name, file.getvalue(), visitor.name(services), report)
        except SpheroscopeError as error:
            memory.rows.append(Imported(file.name, ImportState.REFUSED, None, None, None, 0, error.message))
        memory.waiting.pop(0)
    progress.empty()


def _show(memory: ImportMemory) -> None:
    if memory.waiting:
        names = ", ".join(plain(name) for name in memory.waiting[:5])
        more = f" and {len(memory.waiting) - 5} more" if len(memory.waiting) > 5 else ""
        st.warning(
            f"The window was closed before these were imported: {names}{more}. Choose them again.",
            icon=":material/warning:",
        )
    if memory.rows:
        st.markdown(f"**{summary(memory.rows)}**")
        rows = table(memory.rows)
        st.dataframe(
            rows,
            hide_index=True,
            width="stretch",
            height=min(38 + ROW_PX * len(rows), 300),
            row_height=ROW_PX,
            column_config={
                "Outlines of": st.column_config.TextColumn(width=150),
                "Result": st.column_config.TextColumn(width=125),
                "Image": st.column_config.TextColumn(width=120),
                "Spheroids": st.column_config.NumberColumn(width=75),
                "Details": st.column_config.TextColumn(width=410),
            },
        )


def summary(rows: Sequence[Imported]) -> str:
    """Say how many pictures came in: “12 imported, 2 not imported”."""
    counts = Counter(result_words(row) for row in rows)
    order = [_MARKS[ImportState.IMPORTED], NOTHING_OUTLINED, *_MARKS.values()]
    return ", ".join(
        f"{counts[words]} {words.split(maxsplit=1)[1]}" for words in dict.fromkeys(order) if counts[words]
    )


def result_words(row: Imported) -> str:
    """What became of the outlines of a picture, as a mark and words."""
    empty = row.state is ImportState.IMPORTED and not row.n_objects
    return NOTHING_OUTLINED if empty else _MARKS[row.state]


def table(rows: Sequence[Imported]) -> pl.DataFrame:
    """A row a picture, first of those that were not imported, then of those that outline nothing."""
    order = [_MARKS[ImportState.REFUSED], NOTHING_OUTLINED, *_MARKS.values()]
    ordered = sorted(rows, key=lambda row: (order.index(result_words(row)), row.name))
    return pl.DataFrame(
        {
            "Outlines of": [row.name for row in ordered],
            "Result": [result_words(row) for row in ordered],
            "Details": [row.message for row in ordered],
            "Image": [row.image_name or "–" for row in ordered],
            "Spheroids": [row.n_objects if row.state is not ImportState.REFUSED else None for row in ordered],
        },
        schema_overrides={"Spheroids": pl.Int64},
    )
