"""The images of a project: dropped, listed, segmented, deleted, taken away."""

import streamlit as st

from core.models import ImageFilter, ImageStatus
from core.services import get_services
from core.ui import cards, feedback, image_actions, shell
from core.ui.columns import IMAGE_COLUMNS
from core.ui.grid import Look, grid
from core.ui.upload import uploader

services = get_services()
project = shell.project_of_page(services)

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title(shell.plain(project.name), anchor=False)
    image_actions.downloads(services, project)
feedback.show_undo()
shell.live_counts(services, project.id, cards.counted)
uploader(services, project, expanded=project.n_images == 0)
if project.n_images == 0:
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    status = st.pills(
        "Status",
        [item.value for item in ImageStatus],
        selection_mode="multi",
        format_func=lambda value: "not segmented" if value == "new" else value,
        key="status",
        bind="query-params",
    )
    name = st.text_input("Name contains", key="name", bind="query-params", width=260).strip()
wanted = ImageFilter(tuple(ImageStatus(value) for value in status), name or None)

above = st.container(horizontal=True, vertical_alignment="center")
answer = grid(
    f"/api/projects/{project.id}/images",
    "images",
    IMAGE_COLUMNS,
    f"images-{project.id}",
    filters={"status": ",".join(status), "name": name},
    look=Look(virtual=services.settings.virtual_list_enabled),
)
if answer.opened:
    shell.go("image.py", image=answer.opened)
with above:
    image_actions.bar(services, project, wanted, answer)
