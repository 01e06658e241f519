"""What waits, what runs, what failed and why."""

import streamlit as st

from core.models import JobState
from core.services import get_services
from core.ui import feedback, queue_panel, shell
from core.ui.columns import JOB_COLUMNS
from core.ui.grid import Look, grid

services = get_services()
st.title("Queue", anchor=False)
totals = queue_panel.live(services)
if not sum(totals.counts.values()):
    feedback.empty("Nothing has been segmented yet", "Drop images into a project and they appear here.")
    if st.button("Go to projects", type="primary"):
        shell.go("projects.py")
    st.stop()

state = st.segmented_control(
    "State",
    [item.value for item in JobState],
    default=JobState.QUEUED.value if totals.left else JobState.DONE.value,
    required=True,
    key="state",
    bind="query-params",
)
answer = grid(
    "/api/jobs",
    "jobs",
    JOB_COLUMNS,
    "jobs",
    filters={"state": state},
    row_height=40,
    look=Look(virtual=services.settings.virtual_list_enabled),
)
if answer.opened:
    shell.go("image.py", image=answer.opened)
queue_panel.actions(services, JobState(state), answer.selected)
