"""Review: one image at a time with its outlines, the worst first, until somebody has looked at each."""

import streamlit as st

from core.services import get_services
from core.ui import feedback, project_switcher, review_panel, second_opinion_panel, shell, visitor

services = get_services()
project = project_switcher.project_of_page(services)
shell.name_page("Review", project.name)
if not visitor.may_edit(services, project):
    feedback.empty(
        "You can look at this project, but not review it",
        "Verdicts on outlines change statistics. Ask the project's owner to let you.",
        alone=True,
    )
    st.stop()
with feedback.explained():
    if second_opinion_panel.requested():
        second_opinion_panel.page(services, project, review_panel.memory_of(project).window)
        st.stop()
    turn = review_panel.current_turn(services, project)
    if turn.image is None:
        review_panel.finished(services, project, turn)
    else:
        review_panel.look(services, project, turn, turn.image)
