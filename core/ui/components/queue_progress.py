"""The queue's progress, live in the browser without a run of the script: on every page, in full on one."""

from __future__ import annotations

import streamlit as st

from core.http import forms
from core.queue.status import Snapshot
from core.services import Services
from core.ui.components.viewer import asset


def progress(services: Services, *, tiles: bool = False) -> Snapshot:
    """Draw what is left and for how long, with ``tiles`` also how many jobs stand where; return that.

    The browser asks /api/queue once a second while something waits or runs, and not at all when nothing does.
    When the queue comes to rest the script runs once, so that the page shows what has been done.
    """
    snapshot = services.board.snapshot()
    _COMPONENT(
        key="queue tiles" if tiles else "queue progress",
        data={"queue": forms.queue(snapshot), "tiles": tiles},
        on_settled_change=lambda: None,
    )
    return snapshot


_COMPONENT = st.components.v2.component(
    "spheroscope_queue", html=asset("queue.html"), css=asset("queue.css"), js=asset("queue.js")
)
