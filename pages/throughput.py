"""Throughput: images and spheroids segmented, waiting times, failures."""

import streamlit as st

from core.services import get_services
from core.ui import project_switcher
from core.ui.operations import controls, throughput

services = get_services()
chosen, refresh = controls.header("Throughput", controls.DAYS)
project_id = project_switcher.one_or_all()


def body() -> None:
    """Everything below the header, drawn anew at each refresh."""
    losses = throughput.losses_in(services, chosen, project_id)
    throughput.work_done(services, chosen, project_id, losses)
    throughput.reviewed(services, chosen, project_id)
    left, right = st.columns(2)
    with left:
        throughput.waiting(services, chosen, project_id)
    with right:
        throughput.failures(losses, chosen)


controls.live(refresh, body)
