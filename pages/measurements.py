"""Spheroids of a project: filter, charts, table, download of what is shown."""

import streamlit as st

from core.models import ImageStatus
from core.services import get_services
from core.ui import calibration, feedback, filters, measurements_panel, project_switcher, shell
from core.ui.components.changes import redrawn_on_change
from core.ui.components.grid import GridOptions, grid
from core.ui.components.grid_columns import object_columns

services = get_services()
project = project_switcher.project_of_page(services)
shell.name_page("Measurements", project.name)
st.title(f"{shell.plain(project.name)}: measurements", anchor=False)
if project.counts[ImageStatus.NEW] == project.n_images:
    feedback.empty("Nothing has been measured yet", "Spheroids appear here as images are segmented.")
    if st.button("Go to images", type="primary"):
        shell.go("images.py")
    st.stop()

calibrated = services.store.objects.calibrated(project.id)
names = measurements_panel.labels(calibrated)
if not calibrated:
    calibration.offer(services, project)
query = measurements_panel.draw(names)
with feedback.explained():
    redrawn_on_change(
        lambda: st.markdown(measurements_panel.words(services, project, query, names)), "spheroids"
    )
    if query:
        filters.clear_button(measurements_panel.clear, names)
    measurements_panel.charts(services, project, measurements_panel.filter_of(query), names)
answer = grid(
    f"/api/projects/{project.id}/objects",
    "objects",
    object_columns(calibrated),
    f"objects-{project.id}",
    filters=query,
    row_height=38,
    options=GridOptions(
        f"/downloads/projects/{project.id}/measurements.csv",
        ticks=False,
        virtual=services.settings.virtual_list_enabled,
    ),
    row_address=f"image?image={{image_id}}&spheroid={{object}}&project={project.id}",
)
filters.take_up(answer.header_filter)
