"""The Trash page: what was deleted, when, by whom, until when it can be restored, and restoring it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Any

import polars as pl
import streamlit as st

from core.accounts import Level
from core.services import Services
from core.store.trash import DeletedItem, DeletedKind, restore
from core.ui import times, visitor
from core.ui.feedback import explained, plural
from core.ui.format import UNKNOWN
from core.ui.shell import plain

MAX_ROWS = 1000  # rows; older ones are found by their name


def trash_panel(services: Services) -> None:
    """Draw the table of what was deleted, with a button that restores the ticked rows."""
    name = st.text_input(
        "Find", placeholder="Name of an image or a project contains …", key="deleted", width=420
    ).strip()
    trash = services.store.trash.items(MAX_ROWS, name)
    if not trash.items:
        st.text(f"Nothing here has “{name}” in its name." if name else "Nothing was deleted.")
        return
    note = f", the latest {MAX_ROWS} of them shown: find others by name" if trash.total > MAX_ROWS else ""
    st.markdown(f"**{plural(trash.total, 'entry')}**{note}".replace("entrys", "entries"))
    bar = st.container(horizontal=True, vertical_alignment="center")
    may_restore = visitor.may_edit_some(services)
    event: Any = st.dataframe(
        table(trash.items, services.settings.undo_days),
        hide_index=True,
        selection_mode="multi-row",
        on_select="rerun" if may_restore else "ignore",
        key=f"trash-{name}",
        height=520 if len(trash.items) > 14 else "content",
        column_config={
            "Deleted": times.column("Deleted"),
            "Can be restored until": times.column("Can be restored until"),
        },
    )
    with bar:
        if may_restore:
            rows = event["selection"]["rows"]
            _restore_button(services, [trash.items[row] for row in rows if row < len(trash.items)])
        else:
            st.caption(
                "You can look at what was deleted, not restore it: that takes a project that you may edit."
            )


def table(items: Sequence[DeletedItem], undo_days: int) -> pl.DataFrame:
    """Return what the page shows of deleted items, times in UTC."""
    deleted = [item.deleted_at.replace(tzinfo=UTC) for item in items]
    return pl.DataFrame(
        {
            "What": [_description(item) for item in items],
            "Name": [item.name for item in items],
            "Project": [item.project_name for item in items],
            "Deleted": deleted,
            "By": [item.deleted_by or UNKNOWN for item in items],
            "Can be restored until": [time + timedelta(days=undo_days) for time in deleted],
        }
    )


def _description(item: DeletedItem) -> str:
    return "image" if item.kind is DeletedKind.IMAGE else f"project with {plural(item.n_images, 'image')}"


def _may_restore(services: Services, item: DeletedItem) -> bool:
    level = Level.EDIT if item.kind is DeletedKind.IMAGE else Level.OWN
    return services.principal.reaches(item.project_id, level)


def _restore_button(services: Services, chosen: Sequence[DeletedItem]) -> None:
    others = [item.name for item in chosen if not _may_restore(services, item)]
    label = f"Restore {len(chosen)}" if chosen else "Restore"
    pressed = st.button(
        label,
        type="primary",
        icon=":material/restore_from_trash:",
        disabled=not chosen or bool(others),
        help="Tick rows to restore them",
    )
    if others:
        note = f" and {len(others) - 1} others" if len(others) > 1 else ""
        st.caption(
            f"{plain(others[0])}{note}: only an owner of a project restores it, and its images take the "
            "right to edit it."
        )
    if pressed:
        with explained():
            restored = restore(services.store.projects, services.store.images, chosen)
            n_missing = len(chosen) - restored
            missing_words = f" {n_missing} had been restored before or deleted for good." if n_missing else ""
            st.toast(
                f"{restored} restored, with all results.{missing_words}", icon=":material/restore_from_trash:"
            )
            st.rerun()
