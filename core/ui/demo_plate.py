"""The button that loads the demo plate: synthetic images, stored and segmented like any others."""

from __future__ import annotations

from concurrent.futures import wait

import streamlit as st

from core.demo.plate import DemoFile, manifest
from core.errors import InvalidRequest
from core.models import ReviewSettings, SpheroidsExpected
from core.services import Services
from core.ui import visitor
from core.ui.feedback import explained
from core.ui.project_switcher import choose_next
from core.ui.shell import awaited, go

NAME = "Demo plate"
POLL_SECONDS = 0.2


def button(services: Services) -> None:
    """Draw the button; it loads the plate and opens its images."""
    if not st.button(
        "Load demo plate",
        icon=":material/science:",
        help="96 synthetic wells, three days, a drug in rising doses from left to right",
    ):
        return
    with explained():
        choose_next(_load(services))
        go("images.py")


def _load(services: Services) -> str:
    """Load the plate and show the progress; it goes on by itself if the visitor leaves the page."""
    try:
        project = services.create_project(NAME)
        services.store.projects.set_review(project.id, ReviewSettings(SpheroidsExpected.ONE))
    except InvalidRequest:  # it exists already, and files that are stored are not stored again
        project = next(item for item in services.store.projects.list() if item.name == NAME)
    recipe, request = services.recipe(project), visitor.job_request(services)

    def take(file: DemoFile) -> None:
        services.ingest.add(project.id, file.name, file.data, recipe, request)
        services.queue.wake()

    n_loaded, total = services.demo.begin(take), len(manifest())
    bar = st.progress(0.0, text="Photographing the plate …")
    with awaited():
        while wait([n_loaded], POLL_SECONDS).not_done:
            number = services.demo.count
            bar.progress(number / total, text=f"Photographing the plate: {number} of {total} images")
    n_loaded.result()
    return project.id
