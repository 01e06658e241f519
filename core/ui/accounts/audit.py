"""The audit: who did what, filtered, page by page, and as a file."""

from __future__ import annotations

from datetime import UTC

import polars as pl
import streamlit as st

from core.accounts.audit import Action, AuditRow
from core.services import Services
from core.ui import times
from core.ui.accounts.people import management

ROWS = 100
_BEFORE = "audit before"


def draw(services: Services) -> None:
    """Draw the filters, a page of the audit, and how to take all of it away."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Who", placeholder="Part of a name", width=260, key="who", bind="query-params")
        action = st.selectbox(
            "Did what", [None, *Action], format_func=lambda item: item or "anything", width=220
        )
        st.space("stretch")
        st.link_button("All as CSV", "/downloads/audit.csv", icon=":material/download:")
    filters = (name, action)
    before = st.session_state.get(_BEFORE, (filters, None))
    start = before[1] if before[0] == filters else None
    rows = management(services).audit(ROWS, start, action, name.strip() or None)
    if not rows:
        st.text("Nothing yet." if start is None else "Nothing older.")
    else:
        columns = {"Time": times.column("Time", "D MMM YYYY, HH:mm:ss")}
        st.dataframe(frame(rows), hide_index=True, width="stretch", height="content", column_config=columns)
    with st.container(horizontal=True):
        if start is not None and st.button("Newest"):
            st.session_state.pop(_BEFORE)
            st.rerun()
        if len(rows) == ROWS and st.button("Older"):
            st.session_state[_BEFORE] = (filters, rows[-1].sequence)
            st.rerun()


def frame(rows: tuple[AuditRow, ...]) -> pl.DataFrame:
    """Return rows as the table shows them, times in UTC."""
    return pl.DataFrame(
        {
            "Time": [row.done_at.replace(tzinfo=UTC) for row in rows],
            "Who": [row.name for row in rows],
            "Did": [row.action for row in rows],
            "Project": [row.project or "" for row in rows],
            "What": [row.subject for row in rows],
            "From": [row.address for row in rows],
        }
    )
