"""Images of a project: upload, filter, table, segmentation, export, deletion."""

import streamlit as st

from core.services import get_services
from core.ui import (
    accuracy_panel,
    calibration,
    feedback,
    filters,
    image_actions,
    image_filter,
    import_panel,
    project_cards,
    project_switcher,
    saved_views,
    shell,
    upload_panel,
    visitor,
)
from core.ui.components.grid import GridOptions, grid
from core.ui.components.grid_columns import image_columns

services = get_services()
project = project_switcher.project_of_page(services)
shell.name_page("Images", project.name)

with st.container(horizontal=True, vertical_alignment="center"):
    st.title(shell.plain(project.name), anchor=False, width="content")
    shell.live_counts(services, project, project_cards.count_words)
    image_actions.downloads(services, project)
    if project.n_images and visitor.may_edit(services, project):
        import_panel.button(services, project)
        upload_panel.upload_button(services, project)
feedback.show_undo()
if not project.n_images and visitor.may_edit(services, project):
    upload_panel.drop_zone(services, project)
upload_panel.show_verdicts(services, project)
if not project.n_images:
    st.stop()

calibrated = services.store.objects.calibrated(project.id)
names = image_filter.numbers(calibrated)
with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
    with st.popover("Filter", icon=":material/filter_list:", key="filter"):
        query = image_filter.draw(names)
    query |= image_filter.findings(project)
    st.space("stretch")
    accuracy_panel.button(services, project)
    saved_views.menu(services, project)

above = st.container(horizontal=True, vertical_alignment="center")
answer = grid(
    f"/api/projects/{project.id}/images",
    "images",
    image_columns(calibrated),
    f"images-{project.id}",
    filters=query,
    options=GridOptions(virtual=services.settings.virtual_list_enabled),
    row_address=f"image?image={{id}}&project={project.id}",
)
filters.take_up(answer.header_filter)
with above:
    image_actions.bar(services, project, image_filter.filter_of(query, names), answer)
    if not calibrated:
        calibration.offer(services, project)
    if sentence := image_filter.words(query, names):
        st.markdown(sentence, width="content")
        filters.clear_button(image_filter.clear, names)
