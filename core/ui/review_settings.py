"""What a project's review goes by, set on the Review page."""

from __future__ import annotations

import streamlit as st

from core.models import Project, ReviewSettings, SpheroidsExpected
from core.services import Services
from core.ui.feedback import explained

_NOT_STATED = "not stated"


def settings(services: Services, project: Project) -> None:
    """Draw the button with the project's settings of review; each is saved as it is changed."""
    given = project.review
    with st.popover("Settings of the review", icon=":material/tune:", width="stretch"):
        expected = st.segmented_control(
            "Spheroids expected in an image",
            [_NOT_STATED, *(item.value for item in SpheroidsExpected)],
            default=given.spheroids_expected or _NOT_STATED,
            required=True,
            key=f"expected-{project.id}",
            help="Images with another number are looked at first.",
        )
        reason_needed = st.checkbox(
            "A correction has to say why", given.reason_needed, key=f"reason-needed-{project.id}"
        )
    chosen = ReviewSettings(None if expected == _NOT_STATED else SpheroidsExpected(expected), reason_needed)
    if chosen != given:
        with explained():
            services.store.projects.set_review(project.id, chosen)
            st.rerun()
