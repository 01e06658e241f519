"""Every spheroid of a project: narrowed, drawn, listed, taken away as it is shown."""

import streamlit as st

from core.models import ImageStatus
from core.services import get_services
from core.ui import feedback, measured, narrowing, shell, switcher
from core.ui.columns import object_columns
from core.ui.grid import Look, grid

services = get_services()
project = switcher.project_of_page(services)
st.title(f"{shell.plain(project.name)}: measurements", anchor=False)
if project.counts[ImageStatus.NEW] == project.n_images:
    feedback.empty("Nothing has been measured yet", "Spheroids appear here as images are segmented.")
    if st.button("Go to images", type="primary"):
        shell.go("images.py")
    st.stop()

calibrated = services.store.objects.calibrated(project.id)
names = measured.labels(calibrated)
if not calibrated:
    st.markdown(":orange[**Uncalibrated:**] sizes are in pixels until the pixel size is known.")
query = measured.draw(names)
with feedback.explained():
    st.markdown(measured.words(services, project, query, names))
    measured.charts(services, project, measured.filter_of(query), names)
answer = grid(
    f"/api/projects/{project.id}/objects",
    "objects",
    object_columns(calibrated),
    f"objects-{project.id}",
    filters=query,
    row_height=38,
    look=Look(
        f"/downloads/projects/{project.id}/measurements.csv",
        ticks=False,
        virtual=services.settings.virtual_list_enabled,
    ),
    way=f"image?image={{image_id}}&spheroid={{object}}&project={project.id}",
)
narrowing.take_up(answer.narrowed)
