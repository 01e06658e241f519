"""The queue's progress, live in the browser without running a page's script: in the sidebar of every page,
in full on the Queue page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.queue.status import QueueSnapshot
from core.services import Services
from core.ui.components.asset_files import asset


def progress(services: Services, *, tiles: bool = False) -> QueueSnapshot:
    """Draw what is left and for how long, with ``tiles`` also the number of jobs in each state.

    The browser requests /api/queue once a second while something waits or runs, and not at all when nothing
    does. When the queue becomes empty the script runs once, so that the page shows the new results.
    """
    snapshot = services.queue_monitor.snapshot()
    _COMPONENT(
        key="queue tiles" if tiles else "queue progress",
        data={"queue": queue_payload(snapshot), "tiles": tiles},
        on_settled_change=lambda: None,
    )
    return snapshot


def queue_payload(snapshot: QueueSnapshot) -> dict[str, Any]:
    """Return the fields of the API's ``/api/queue`` that the browser's part draws (assets/queue.js)."""
    totals = snapshot.totals
    return {
        "counts": {state.value: count for state, count in totals.counts.items()},
        "left": totals.left,
        "per_second": totals.per_second,
        "seconds_left": totals.seconds_left,
        "progress": snapshot.progress,
        "light": snapshot.light.value,
        "message": snapshot.message,
    }


_COMPONENT = st.components.v2.component(
    "spheroscope_queue", html=asset("queue.html"), css=asset("queue.css"), js=asset("queue.js")
)
