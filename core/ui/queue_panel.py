"""The queue's totals, live, and what can be done with its jobs."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.models import JobState
from core.services import Services
from core.store.jobs import QueueTotals
from core.ui.feedback import explained, plural
from core.ui.shell import REFRESH_SECONDS, time_left


def live(services: Services) -> QueueTotals:
    """Draw the totals, refreshed while anything waits; return them as they are now."""
    totals = services.store.jobs.totals()
    st.fragment(run_every=REFRESH_SECONDS if totals.left else None)(_tiles)(services)
    return totals


def _tiles(services: Services) -> None:
    totals = services.store.jobs.totals()
    columns = st.columns(6)
    for column, state in zip(columns, JobState, strict=False):
        column.metric(state.value.capitalize(), totals.counts[state], border=True)
    rate = "–" if totals.per_second is None else f"{totals.per_second:.3g}/s"
    columns[5].metric("Rate", rate, border=True, help="Images a second over the last two minutes")
    if totals.left:
        st.caption(f"{plural(totals.left, 'image')} left{time_left(totals)}")


def actions(services: Services, state: JobState, selected: tuple[str, ...]) -> None:
    """Offer what makes sense for jobs in ``state``: on the selected ones, else on all of them."""
    ids = selected or None
    what = f"{len(selected)} selected" if selected else "all"
    if state in (JobState.QUEUED, JobState.RUNNING):
        _act(services, f"Cancel {what}", ":material/cancel:", partial(services.store.jobs.cancel, ids))
    elif state is JobState.FAILED:
        _act(services, f"Retry {what}", ":material/replay:", partial(services.store.jobs.retry, ids))


def _act(services: Services, label: str, icon: str, act: partial[int]) -> None:
    if st.button(label, icon=icon, type="primary"):
        with explained():
            act()
            services.queue.wake()
            st.rerun()
