"""The queue: jobs by state, what can be done with them, the timeline of the workers."""

import streamlit as st

from core.models import JobState
from core.services import get_services
from core.ui import feedback, project_switcher, queue_panel, shell
from core.ui.components import queue_progress
from core.ui.components.grid import GridOptions, grid
from core.ui.components.grid_columns import JOB_COLUMNS

services = get_services()
st.title("Queue", anchor=False)
totals = queue_progress.progress(services, tiles=True).totals
if not sum(totals.counts.values()):
    feedback.empty("Nothing has been segmented yet", "Drop images into a project and they appear here.")
    if st.button("Go to projects", type="primary"):
        shell.go("projects.py")
    queue_panel.wait_for_the_first(services)
    st.stop()

project_id = project_switcher.one_or_all() if len(project_switcher.listed()) > 1 else None
counts = queue_panel.counts(services, totals, project_id)
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    state = st.segmented_control(
        "Images that are",
        [item.value for item in JobState],
        default=JobState.QUEUED.value
        if counts[JobState.QUEUED] + counts[JobState.RUNNING]
        else JobState.DONE.value,
        required=True,
        key="state",
        bind="query-params",
    )
    above = st.container(width="content")
virtual = services.settings.virtual_list_enabled
answer = grid(
    "/api/jobs",
    "jobs",
    JOB_COLUMNS[state],
    f"jobs {state}",
    filters={"state": state} | ({"project": project_id} if project_id else {}),
    row_height=36,
    options=GridOptions(virtual=virtual, scrolled=virtual),
    row_address="image?image={image_id}",
)
with above:
    queue_panel.actions(services, JobState(state), answer, counts[JobState(state)], project_id)
st.header("Workers", anchor=False)
queue_panel.chart(services, project_id, active=totals.left > 0)
