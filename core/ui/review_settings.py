"""What a project's review goes by, set on the Review page."""

from __future__ import annotations

import streamlit as st

from core.models import Project, ReviewSettings, SpheroidsExpected
from core.services import Services
from core.store.projects import MOST_SECOND_OPINIONS
from core.ui import visitor
from core.ui.feedback import explained
from core.ui.shell import plain

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
        reason_needed = _reason_needed(services, project)
        second_opinions = st.number_input(
            "Images drawn a second time",
            min_value=0,
            max_value=MOST_SECOND_OPINIONS,
            value=given.second_opinions,
            step=1,
            key=f"second-opinions-{project.id}",
            help="Another person draws so many images without seeing their outlines. How far the two agree "
            "stands beside the engine's accuracy: no engine can do better. 0: none.",
        )
        if second_opinions:
            st.caption(_who_draws(services, project))
    chosen = ReviewSettings(
        None if expected == _NOT_STATED else SpheroidsExpected(expected), reason_needed, second_opinions
    )
    if chosen != given:
        with explained():
            services.store.projects.set_review(project.id, chosen)
            st.rerun()


def _reason_needed(services: Services, project: Project) -> bool | None:
    """Draw whether a correction says why; None as long as it is as the app's setting has it."""
    given, usual = project.review, services.settings.correction_reason
    chosen = st.checkbox(
        "A correction has to say why", given.needs_reason(usual), key=f"reason-needed-{project.id}"
    )
    return None if given.reason_needed is None and chosen == usual else chosen


def _who_draws(services: Services, project: Project) -> str:
    """Return in words who may draw, and what that says."""
    drawn = (
        "Drawn at random from those that somebody has called right or corrected; whoever has is not asked."
    )
    if visitor.known_name(services) is None:
        return (
            f"{drawn} Nobody is known by name here, so it cannot be told who draws: the figures are called "
            "“drawn again”, and not how far two people agree."
        )
    return f"{drawn} It takes a second person who may change the project “{plain(project.name)}”."
