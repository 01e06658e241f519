"""The images of a project: dropped, listed, segmented, deleted, taken away."""

import streamlit as st

from core.services import get_services
from core.ui import feedback, filters, image_actions, image_filter, project_cards, project_switcher, shell
from core.ui.components.grid import GridOptions, grid
from core.ui.components.grid_columns import image_columns
from core.ui.upload_panel import uploader

services = get_services()
project = project_switcher.project_of_page(services)

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title(shell.plain(project.name), anchor=False)
    image_actions.downloads(services, project)
feedback.show_undo()
shell.live_counts(services, project, project_cards.counted)
uploader(services, project, expanded=project.n_images == 0)
if project.n_images == 0:
    st.stop()

calibrated = services.store.objects.calibrated(project.id)
names = image_filter.numbers(calibrated)
query = image_filter.draw(names)
wanted = image_filter.filter_of(query, names)
if said := image_filter.words(query, names):
    st.markdown(said)

above = st.container(horizontal=True, vertical_alignment="center")
answer = grid(
    f"/api/projects/{project.id}/images",
    "images",
    image_columns(calibrated),
    f"images-{project.id}",
    filters=query,
    look=GridOptions(virtual=services.settings.virtual_list_enabled),
    way=f"image?image={{id}}&project={project.id}",
)
filters.take_up(answer.narrowed)
with above:
    image_actions.bar(services, project, wanted, answer)
